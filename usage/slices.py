"""Which part of a stretch of time whole hours of a rollup can answer, and which needs the events themselves. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from usage.values import Step

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Slices:
    """[start, end) as the hours [first, last) without `cut`, and the `edges` (start, end) within single hours."""

    first: datetime
    last: datetime
    cut: tuple[datetime, ...]
    edges: tuple[tuple[datetime, datetime], ...]


def slices(start: datetime, end: datetime, *, at: Iterable[datetime] = ()) -> Slices:
    """Cut [start, end) so that each hour and each edge lies between two neighbours of the instants `at`.

    Local midnights need that: in some zones they fall into the middle of an hour.
    """
    marks = sorted({start, end, *(mark for mark in at if start < mark < end)})
    cut = sorted({_hour(mark) for mark in marks if mark != _hour(mark)})
    edges = []
    for hour in cut:
        inside = [mark for mark in marks if hour < mark < hour + HOUR]
        ends = [max(hour, start), *inside, min(hour + HOUR, end)]
        edges += [(low, high) for low, high in pairwise(ends) if low < high]
    return Slices(first=_hour(start + HOUR - timedelta.resolution), last=_hour(end), cut=tuple(cut), edges=tuple(edges))


def steps(start: datetime, end: datetime, *, step: Step, zone: str) -> list[datetime]:
    """List the beginnings of all hours, or of all days of `zone`, that [start, end) touches."""
    return list(_hours(start, end) if step == "hour" else _days(start, end, ZoneInfo(zone)))


def _hours(start: datetime, end: datetime) -> Iterator[datetime]:
    at = _hour(start)
    while at < end:
        yield at
        at += HOUR


def _days(start: datetime, end: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    day = start.astimezone(zone).date()
    while (at := _midnight(day, zone)) < end:
        yield at
        day += timedelta(days=1)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def _hour(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
