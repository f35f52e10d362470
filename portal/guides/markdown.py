"""Markdown to clean HTML: markdown-it with raw HTML off, then nh3; links only to http(s), mailto and here."""

import re

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

from portal.docs.highlight import highlighted

TAGS = {
    "a", "blockquote", "br", "code", "del", "em", "h2", "h3", "h4", "hr", "li", "ol", "p", "pre", "span", "strong",
    "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
ATTRIBUTES = {"a": {"href", "title"}, "span": {"class"}, "h2": {"id"}, "h3": {"id"}, "ol": {"start"}}
SCHEMES = {"http", "https", "mailto"}
GRAMMARS = {"sh": "shell", "bash": "shell", "console": "shell", "js": "javascript", "http": "", "text": ""}

_reader = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable(["table", "strikethrough"])


def _coloured(code: str, language: str, _attributes: str) -> str:
    name = language.strip().lower()
    return f"<pre><code>{highlighted(code.rstrip(), GRAMMARS.get(name, name))}</code></pre>"


_reader.options["highlight"] = _coloured


def page_html(text: str) -> SafeString:
    """A page of ours: headings keep their level (the page's own `#` title is cut by the caller) and get anchors."""
    return _clean(_anchored(_reader.render(text)))


def small_html(text: str) -> SafeString:
    """A description by somebody else: its headings become small ones, so that the page keeps one outline."""
    html = re.sub(r"<(/?)h[1-6]>", r"<\1h4>", _reader.render(text))
    return _clean(html)


def _clean(html: str) -> SafeString:
    clean = nh3.clean(
        html, tags=TAGS, attributes=ATTRIBUTES, url_schemes=SCHEMES, link_rel="noopener nofollow", strip_comments=True
    )
    return mark_safe(clean)  # noqa: S308  nh3 let only the tags and schemes above through


def _anchored(html: str) -> str:
    def with_id(match: re.Match[str]) -> str:
        words = re.sub(r"<[^>]+>|[^\w\s-]", "", match[2]).strip().lower()
        anchor = re.sub(r"[\s_]+", "-", words)
        return f'<{match[1]} id="{anchor}">{match[2]}</{match[1]}>'

    return re.sub(r"<(h[23])>(.*?)</\1>", with_id, html)
