"""The Markdown pages that ship with the code: guides, and one page per problem code."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings

from kit.problems import PROBLEMS, Problem

CONTENT = Path(__file__).resolve().parent.parent / "content"
ORDER = ("quickstart", "keys", "limits", "sandbox", "errors")


@dataclass(frozen=True)
class Page:
    slug: str
    title: str  # its first line, "# …"
    lead: str  # its first paragraph, as plain text
    text: str  # what follows the title, Markdown
    source: str  # the whole file


@cache
def guides() -> tuple[Page, ...]:
    """In reading order."""
    found = {path.stem: _read(path) for path in (CONTENT / "guides").glob("*.md")}
    return tuple(found[slug] for slug in (*ORDER, *sorted(set(found) - set(ORDER))) if slug in found)


def guide(slug: str) -> Page | None:
    return next((page for page in guides() if page.slug == slug), None)


@cache
def error_page(code: str) -> Page | None:
    """The page of a problem code; None for a code that does not exist."""
    path = CONTENT / "errors" / f"{code}.md"
    return _read(path) if code in PROBLEMS and path.is_file() else None


def problems_by_status() -> list[tuple[int, list[Problem]]]:
    """All codes, grouped by their status."""
    statuses = sorted({problem.status for problem in PROBLEMS.values()})
    return [(status, [p for p in PROBLEMS.values() if p.status == status]) for status in statuses]


def _read(path: Path) -> Page:
    source = path.read_text(encoding="utf-8")
    source = source.replace("{gateway}", settings.GATEWAY_URL).replace("{portal}", settings.PORTAL_URL)
    match = re.match(r"\s*#\s+(?P<title>[^\n]+)\n(?P<text>.*)", source, re.DOTALL)
    title, text = (match["title"].strip(), match["text"].strip()) if match else (path.stem, source)
    lead = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text.split("\n\n", 1)[0].replace("\n", " "))
    lead = re.sub(r"[`*]", "", lead)
    return Page(path.stem, title, lead, text, source)
