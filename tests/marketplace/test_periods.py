"""Every chain tiles time: no gap, no overlap, whatever the zone, the anchor and the clock changes."""

from calendar import monthrange
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.ids import uuid7
from marketplace.periods import Chain, Period, period_at, period_id, periods_from, to_ms, whole_ms

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",  # half hours
    "America/Santiago",  # changes at midnight, southern summer
    "America/Havana",  # midnight comes twice
    "Africa/Cairo",  # midnight is skipped
    "Asia/Kathmandu",  # +05:45
    "Asia/Beirut",
    "Asia/Kolkata",
    "Australia/Lord_Howe",  # half an hour of summer time
    "Pacific/Apia",  # a whole day is missing (30 December 2011)
    "Pacific/Kiritimati",  # +14
    "Pacific/Pago_Pago",  # −11
)
SUBSCRIPTION = UUID("0192f0c1-0000-7000-8000-000000000001")


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def chain(start: str, zone: str = "UTC", day: int = 1, month: int = 1, interval: str = "month") -> Chain:
    return Chain(
        subscription_id=SUBSCRIPTION,
        start_at=instant(start),
        zone=zone,
        anchor_day=day,
        anchor_month=month,
        interval=interval,  # type: ignore[arg-type]
    )


def starts(of: Chain, count: int) -> list[str]:
    zone = ZoneInfo(of.zone)
    return [f"{each.start_at.astimezone(zone):%Y-%m-%dT%H:%M%z}" for each in periods_from(of, of.start_at, count=count)]


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        (
            chain("2026-03-15T10:17:03.512Z", day=15),
            ["2026-03-15T10:17+0000", "2026-04-15T00:00+0000", "2026-05-15T00:00+0000"],
        ),
        (
            chain("2026-01-31T09:00Z", day=31),
            ["2026-01-31T09:00+0000", "2026-02-28T00:00+0000", "2026-03-31T00:00+0000", "2026-04-30T00:00+0000"],
        ),
        (
            chain("2028-01-30T09:00Z", day=30),
            ["2028-01-30T09:00+0000", "2028-02-29T00:00+0000", "2028-03-30T00:00+0000"],
        ),
        (
            chain("2026-12-31T23:30Z", day=31),
            ["2026-12-31T23:30+0000", "2027-01-31T00:00+0000", "2027-02-28T00:00+0000"],
        ),
        (chain("2026-03-20T10:00Z", day=5), ["2026-03-20T10:00+0000", "2026-04-05T00:00+0000"]),
        (chain("2026-03-29T00:30+01:00", "Europe/Berlin", 29), ["2026-03-29T00:30+0100", "2026-04-29T00:00+0200"]),
        (chain("2026-10-25T00:00+02:00", "Europe/Berlin", 25), ["2026-10-25T00:00+0200", "2026-11-25T00:00+0100"]),
        (chain("2026-01-03T00:00+05:45", "Asia/Kathmandu", 3), ["2026-01-03T00:00+0545", "2026-02-03T00:00+0545"]),
        (chain("2026-03-24T12:00+02:00", "Africa/Cairo", 24), ["2026-03-24T12:00+0200", "2026-04-24T01:00+0300"]),
        (chain("2026-10-01T12:00-04:00", "America/Havana", 1), ["2026-10-01T12:00-0400", "2026-11-01T00:00-0400"]),
        (
            chain("2024-02-29T08:00Z", day=29, month=2, interval="year"),
            [
                "2024-02-29T08:00+0000",
                "2025-02-28T00:00+0000",
                "2026-02-28T00:00+0000",
                "2027-02-28T00:00+0000",
                "2028-02-29T00:00+0000",
            ],
        ),
        (
            chain("2026-06-10T08:00Z", day=1, month=3, interval="year"),
            ["2026-06-10T08:00+0000", "2027-03-01T00:00+0000"],
        ),
    ],
)
def test_where_periods_begin(of: Chain, expected: list[str]) -> None:
    assert starts(of, len(expected)) == expected


def test_days_of_23_and_25_hours() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    spring = period_at(chain("2026-01-29T00:00+01:00", "Europe/Berlin", 29), instant("2026-03-29T12:00Z"))
    autumn = period_at(chain("2026-01-25T00:00+01:00", "Europe/Berlin", 25), instant("2026-10-25T12:00Z"))
    assert spring.end_at - spring.start_at == timedelta(days=31) - timedelta(hours=1)
    assert autumn.end_at - autumn.start_at == timedelta(days=31) + timedelta(hours=1)
    assert spring.end_at.astimezone(berlin).hour == autumn.end_at.astimezone(berlin).hour == 0


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("day", [1, 15, 28, 29, 30, 31])
def test_months_tile_through_leap_years(zone: str, day: int) -> None:
    of = chain("2022-12-31T10:17:03.512Z", zone, day)
    periods = periods_from(of, of.start_at, count=100)
    assert periods[0].start_at == of.start_at
    assert len({each.id for each in periods}) == 100
    for one, next_one in pairwise(periods):
        assert one.end_at == next_one.start_at
        assert timedelta(0) < next_one.end_at - next_one.start_at <= timedelta(days=31, hours=2)
        local = next_one.start_at.astimezone(ZoneInfo(zone))
        assert local.day == min(day, monthrange(local.year, local.month)[1])


moments = st.datetimes(datetime(1995, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC))
chains = st.builds(
    lambda start, zone, day, month, interval: Chain(
        subscription_id=SUBSCRIPTION, start_at=start, zone=zone, anchor_day=day, anchor_month=month, interval=interval
    ),
    moments,
    st.sampled_from(ZONES),
    st.integers(1, 31),
    st.integers(1, 12),
    st.sampled_from(["month", "year"]),
)


@given(chains, st.timedeltas(timedelta(0), timedelta(days=4000)))
def test_every_instant_is_in_exactly_one_period(of: Chain, later: timedelta) -> None:
    at = of.start_at + later
    found = period_at(of, at)
    assert found.start_at <= at < found.end_at
    assert period_at(of, found.start_at) == found == period_at(of, found.end_at - timedelta(microseconds=1))
    assert period_at(of, found.end_at).start_at == found.end_at


@given(chains, st.integers(1, 30))
def test_any_boundary_may_stand_in_for_the_start(of: Chain, steps: int) -> None:
    periods = periods_from(of, of.start_at, count=steps + 3)
    moved = Chain(
        subscription_id=of.subscription_id,
        start_at=periods[steps].start_at,
        zone=of.zone,
        anchor_day=of.anchor_day,
        anchor_month=of.anchor_month,
        interval=of.interval,
    )
    assert periods_from(moved, moved.start_at, count=3) == periods[steps:]


def test_ids_are_derived_and_differ() -> None:
    at = instant("2026-03-15T00:00Z")
    assert period_id(SUBSCRIPTION, at) == period_id(SUBSCRIPTION, at.astimezone(ZoneInfo("Asia/Kathmandu")))
    assert period_id(SUBSCRIPTION, at) == UUID("2a6c3d7e-1e62-52ca-97f3-ba410887b989")  # stored: it may never change
    assert period_id(SUBSCRIPTION, at) != period_id(uuid7(0), at)
    assert period_id(SUBSCRIPTION, at) != period_id(SUBSCRIPTION, at + timedelta(milliseconds=1))


@given(moments)
def test_milliseconds_are_the_same_instant(at: datetime) -> None:
    assert datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=to_ms(at)) == whole_ms(at) <= at


def test_what_is_no_instant_or_no_anchor_is_refused() -> None:
    of = chain("2026-01-01T00:00Z")
    with pytest.raises(ValueError, match="before the first period"):
        period_at(of, instant("2025-12-31T23:59:59.999Z"))
    with pytest.raises(ValueError, match="without a zone"):
        period_at(of, datetime(2026, 1, 1))
    with pytest.raises(ValueError, match="no day 32"):
        chain("2026-01-01T00:00Z", day=32)
    assert isinstance(period_at(of, of.start_at), Period)
