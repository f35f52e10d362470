"""Which stretch of time, which key, which environment: read from the address, so that a link shows the same."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast
from urllib.parse import urlencode
from uuid import UUID

from django.http import QueryDict

from usage.public import Mode, Step


@dataclass(frozen=True)
class Range:
    slug: str
    name: str
    length: timedelta
    step: Step


RANGES = (
    Range("24h", "24 hours", timedelta(hours=24), "hour"),
    Range("7d", "7 days", timedelta(days=7), "day"),
    Range("30d", "30 days", timedelta(days=30), "day"),
)
MODES = {"": "All", "live": "Live", "test": "Sandbox"}


@dataclass(frozen=True)
class Asked:
    """What the page shows; what the address got wrong is left at its default."""

    range: Range
    mode: Mode | None
    key: UUID | None

    def start(self, now: datetime) -> datetime:
        """The beginning of the first step, so that the first bar is a whole one."""
        floor = now.replace(minute=0, second=0, microsecond=0)
        if self.range.step == "hour":
            return floor - self.range.length + timedelta(hours=1)
        return floor.replace(hour=0) - self.range.length + timedelta(days=1)

    def address(self, **other: str) -> str:
        parts = {"range": self.range.slug, "mode": self.mode or "", "key": str(self.key or "")} | other
        return "?" + urlencode({name: value for name, value in parts.items() if value})


def asked(query: QueryDict) -> Asked:
    found = next((row for row in RANGES if row.slug == query.get("range")), RANGES[0])
    mode = query.get("mode", "")
    return Asked(found, cast("Mode", mode) if mode in ("live", "test") else None, _uuid(query.get("key", "")))


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
