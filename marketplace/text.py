"""What people type: names and slugs, trimmed and checked. Raises ProblemError invalid for the field."""

import re
import unicodedata

from kit.errors import invalid

_SLUG = re.compile(r"[a-z0-9]([a-z0-9_-]{0,58}[a-z0-9])?")
RESERVED = frozenset({"api", "admin", "app", "static", "healthz", "readyz", "metrics", "docs"})


def clean_line(text: str, *, field: str, most: int, required: bool = True) -> str:
    """One line of text: whitespace folded, no control characters."""
    line = " ".join(text.split())
    if required and not line:
        raise invalid(field, "Required.")
    return _checked(line, field, most)


def clean_text(text: str, *, field: str, most: int) -> str:
    """Text of several lines."""
    return _checked(text.replace("\r\n", "\n").strip(), field, most, allowed="\n\t")


def clean_slug(text: str, *, field: str = "slug", underscore: bool = False) -> str:
    """A name for URLs; `underscore`: it may hold these too."""
    if not _SLUG.fullmatch(text) or ("_" in text and not underscore):
        raise invalid(field, "Lower-case letters, digits and dashes, at most 60.")
    if text in RESERVED:
        raise invalid(field, "This name is reserved.")
    return text


def _checked(text: str, field: str, most: int, allowed: str = "") -> str:
    if len(text) > most:
        raise invalid(field, f"At most {most:,} characters.")
    if any(unicodedata.category(char) in {"Cc", "Cs"} and char not in allowed for char in text):
        raise invalid(field, "Control characters are not allowed.")
    return text
