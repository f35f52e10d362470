from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from usage.slices import HOUR, slices, steps

MINUTES = st.integers(0, 60 * 24 * 3).map(lambda minute: datetime(2026, 3, 1, tzinfo=UTC) + timedelta(minutes=minute))


def covered(parts) -> list[tuple[datetime, datetime]]:
    hours, at = [], parts.first
    while at < parts.last:
        if at not in parts.cut:
            hours.append((at, at + HOUR))
        at += HOUR
    return sorted([*hours, *parts.edges])


@given(MINUTES, MINUTES, st.lists(MINUTES, max_size=4))
def test_hours_and_edges_tile_the_stretch_and_cross_no_mark(start, end, marks):
    start, end = min(start, end), max(start, end)
    parts = covered(slices(start, end, at=marks))
    assert sum((high - low for low, high in parts), timedelta()) == end - start
    assert all(low_end == high_start for (_, low_end), (high_start, _) in pairwise(parts))
    assert not any(low < mark < high for low, high in parts for mark in marks)


def test_whole_hours_need_no_events():
    assert slices(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)).edges == ()


def test_days_follow_the_zone_over_a_clock_change():
    berlin = ZoneInfo("Europe/Berlin")
    days = steps(
        datetime(2026, 3, 28, tzinfo=berlin), datetime(2026, 3, 31, tzinfo=berlin), step="day", zone="Europe/Berlin"
    )
    assert [day.astimezone(berlin).day for day in days] == [28, 29, 30]
    assert days[2] - days[1] == timedelta(hours=23)


def test_the_first_step_may_begin_before_the_stretch():
    start = datetime(2026, 3, 1, 10, 30, tzinfo=UTC)
    assert steps(start, start + HOUR, step="hour", zone="UTC") == [start - HOUR / 2, start + HOUR / 2]
