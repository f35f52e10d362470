"""How templates write icons, numbers, instants and fields."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django import template
from django.forms import BoundField
from django.templatetags.static import static
from django.urls import resolve
from django.urls.exceptions import Resolver404
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from portal.docs.highlight import highlighted
from portal.guides.markdown import small_html

register = template.Library()
ENTRANCES = {"account_login", "account_signup", "account_reset_password"}


@register.simple_tag
def icon(name: str) -> SafeString:
    return format_html(
        '<svg class="icon icon-{}" aria-hidden="true"><use href="{}#{}"/></svg>', name, static("img/icons.svg"), name
    )


@register.simple_tag(takes_context=True)
def next_here(context: template.Context) -> str:
    """`?next=` this page, so that signing in comes back; on the entrance pages, the `next` they carry."""
    request = context["request"]
    try:
        here = "" if resolve(request.path).url_name in ENTRANCES else request.get_full_path()
    except Resolver404:
        here = ""
    target = here if here and here != "/" else request.GET.get("next", "")
    return f"?{urlencode({'next': target})}" if target else ""


@register.filter
def number(value: int | float | None) -> str:
    """1,234,567; nothing for None."""
    return "" if value is None else f"{value:,}"


@register.filter
def size(value: int) -> str:
    """Bytes as people read them: 812 B, 1.2 kB."""
    if value < 1_000:
        return f"{value} B"
    return f"{value / 1_000:.1f} kB" if value < 1_000_000 else f"{value / 1_000_000:.1f} MB"


@register.filter
def when(value: datetime | None) -> SafeString | str:
    """A relative time, with the exact UTC instant behind it."""
    if value is None:
        return ""
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        value.strftime("%Y-%m-%dT%H:%M:%SZ"),
        value.strftime("%Y-%m-%d %H:%M:%S UTC"),
        relative(value, now=timezone.now()),
    )


@register.filter
def clock(value: datetime | None) -> SafeString | str:
    """ "12:04:31", with the date behind it."""
    if value is None:
        return ""
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        value.strftime("%Y-%m-%dT%H:%M:%SZ"),
        value.strftime("%Y-%m-%d %H:%M:%S UTC"),
        value.strftime("%H:%M:%S"),
    )


def relative(value: datetime, *, now: datetime) -> str:
    """ "12 s ago", "in 90 days": one unit; the past rounded down, the future to the nearest."""
    if now >= value:
        text = _span((now - value).total_seconds())
        return "now" if text == "0 s" else f"{text} ago"
    return f"in {_span((value - now).total_seconds(), nearest=True)}"


def _span(seconds: float, *, nearest: bool = False) -> str:
    for unit, length in (("day", 86_400), ("h", 3_600), ("min", 60)):
        count = int(seconds / length + (0.5 if nearest else 0))
        if count:
            return f"{count} {unit}{'s' if unit == 'day' and count != 1 else ''}"
    return f"{int(seconds)} s"


@register.filter
def described(field: BoundField) -> SafeString:
    """The widget, tied to its hint and its error."""
    marks: dict[str, Any] = {}
    ids = [f"{field.auto_id}_hint"] if field.help_text else []
    if field.errors:
        marks["aria-invalid"] = "true"
        ids.append(f"{field.auto_id}_error")
    if ids:
        marks["aria-describedby"] = " ".join(ids)
    return field.as_widget(attrs={**field.field.widget.attrs, **marks})


@register.filter
def code(text: str, grammar: str = "") -> SafeString:
    return highlighted(text, grammar)


@register.filter
def markdown(text: str) -> SafeString:
    """Somebody else's Markdown: cleaned, headings flattened."""
    return small_html(text)
