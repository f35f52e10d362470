"""Names that people give to things: what is refused, and the slug each gets."""

import unicodedata
from functools import cache
from zoneinfo import available_timezones

from django.utils.text import slugify

from kit.errors import invalid

LONGEST = 120


def clean_name(text: str, *, field: str = "name") -> str:
    """Trim and check a display name. Raises ProblemError invalid: empty, too long, or with control characters."""
    name = " ".join(text.split())
    if not name:
        raise invalid(field, "Give it a name.")
    if len(name) > LONGEST:
        raise invalid(field, f"At most {LONGEST} characters.")
    if any(unicodedata.category(char) in {"Cc", "Cs"} for char in name):
        raise invalid(field, "Control characters are not allowed.")
    return name


def slug_of(name: str, *, fallback: str) -> str:
    """The slug a name asks for; `fallback` for a name that has none, such as 株式会社."""
    return slugify(name)[:48].strip("-") or fallback


def clean_zone(text: str, *, field: str = "zone") -> str:
    """Check an IANA time zone. Raises ProblemError invalid."""
    if text not in _zones():
        raise invalid(field, "Not an IANA time zone, such as Europe/Berlin.")
    return text


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
