"""A bar chart as plain numbers: the template writes them into an SVG, the table beside it says the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from usage.public import Step, UsagePoint

WIDTH, HEIGHT = 1000, 200
GAP = 0.22  # of a bar's slot
WEEK = 7


@dataclass(frozen=True)
class Segment:
    y: float
    height: float
    kind: str  # ok | client | server


@dataclass(frozen=True)
class Bar:
    x: float
    width: float
    title: str  # "14:00 UTC: 312 calls, 4 refused, 0 failed"
    segments: tuple[Segment, ...]


@dataclass(frozen=True)
class Chart:
    bars: tuple[Bar, ...]
    ticks: tuple[int, ...]  # from the top: 200, 100, 0
    rules: tuple[float, ...]  # where their lines stand
    labels: tuple[str, ...]  # below the bars, evenly
    each: bool  # a label per bar
    summary: str


def bar_chart(points: Sequence[UsagePoint], *, step: Step) -> Chart:
    """Stack answered, refused (4xx) and failed (5xx) calls of each step on a zero-based axis."""
    top = nice_top(max((point.calls for point in points), default=0))
    slot = WIDTH / max(1, len(points))
    bars = tuple(_bar(point, at, slot, top, step) for at, point in enumerate(points) if point.calls)
    ticks = (top, top // 2, 0) if top > 1 else (top, 0)
    rules = tuple(HEIGHT * (1 - tick / top) for tick in ticks)
    total = sum(point.calls for point in points)
    summary = f"{total:,} calls in {len(points)} {step}s, at most {top:,} each."
    return Chart(bars, ticks, rules, _labels(points, step), len(points) <= WEEK, summary)


def nice_top(highest: int) -> int:
    """The smallest even 1, 2, 4, 5 or 10 times a power of ten that the highest bar fits under."""
    power = 1
    while True:
        for factor in (1, 2, 4, 6, 8):
            if factor * power >= highest:
                return max(1, factor * power)
        power *= 10


def step_name(at: datetime, step: Step) -> str:
    return f"{at:%H:%M} UTC" if step == "hour" else f"{at:%d %b}"


def answered(point: UsagePoint) -> int:
    return point.calls - point.refused - point.failed


def _bar(point: UsagePoint, at: int, slot: float, top: int, step: Step) -> Bar:
    segments, floor = [], float(HEIGHT)
    for count, kind in ((answered(point), "ok"), (point.refused, "client"), (point.failed, "server")):
        height = HEIGHT * count / top
        floor -= height
        if count:
            segments.append(Segment(round(floor, 2), round(height, 2), kind))
    title = f"{point.at:%d %b} {step_name(point.at, step)}" if step == "hour" else step_name(point.at, step)
    title += f": {point.calls:,} calls, {point.refused:,} refused, {point.failed:,} failed"
    return Bar(round(at * slot + slot * GAP / 2, 2), round(slot * (1 - GAP), 2), title, tuple(segments))


def _labels(points: Sequence[UsagePoint], step: Step) -> tuple[str, ...]:
    """One per bar up to a week of them, else one for each sixth part: each stands over as many bars as the next."""
    every = 1 if len(points) <= WEEK else max(1, len(points) // 6)
    form = "%H:%M" if step == "hour" else "%-d %b"
    return tuple(point.at.strftime(form) for point in points[::every])
