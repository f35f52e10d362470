"""Bars: zero-based, stacked to the call, with an axis that fits."""

from datetime import UTC, datetime, timedelta

import pytest

from portal.usage.chart import HEIGHT, bar_chart, nice_top
from usage.public import UsagePoint

START = datetime(2026, 11, 20, tzinfo=UTC)


def points(*counts: tuple[int, int, int]) -> list[UsagePoint]:
    return [
        UsagePoint(START + timedelta(hours=n), calls=calls, refused=refused, failed=failed)
        for n, (calls, refused, failed) in enumerate(counts)
    ]


@pytest.mark.parametrize(
    ("highest", "top"),
    [(0, 1), (1, 1), (2, 2), (3, 4), (5, 6), (7, 8), (9, 10), (11, 20), (41, 60), (999, 1000), (1001, 2000)],
)
def test_the_axis_ends_on_a_round_number(highest, top):
    assert nice_top(highest) == top


def test_segments_add_up_to_the_bar():
    chart = bar_chart(points((10, 2, 3), (0, 0, 0), (20, 0, 0)), step="hour")
    first, last = chart.bars
    assert [part.kind for part in first.segments] == ["ok", "client", "server"]
    assert sum(part.height for part in first.segments) == pytest.approx(HEIGHT * 10 / 20)
    assert first.segments[0].y + first.segments[0].height == HEIGHT
    assert [part.height for part in last.segments] == [HEIGHT]
    assert "10 calls, 2 refused, 3 failed" in first.title
    assert chart.ticks == (20, 10, 0)
    assert "30 calls in 3 hours" in chart.summary


def test_labels_stand_evenly():
    day = bar_chart(points(*[(1, 0, 0)] * 24), step="hour")
    assert day.labels == ("00:00", "04:00", "08:00", "12:00", "16:00", "20:00")
    assert not day.each
    week = [UsagePoint(START + timedelta(days=n), calls=1) for n in range(7)]
    assert bar_chart(week, step="day").labels[0] == "20 Nov"
    assert bar_chart(week, step="day").each


def test_nothing_is_an_empty_chart():
    assert bar_chart([], step="hour").bars == ()
