from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kit.ids import uuid7
from tests.usage.conftest import empty_tables
from tests.usage.journal import KEY, NOW, ORG, SUBSCRIPTION, beat, bye, line, message, refused
from usage.intake import store
from usage.lines import read_message
from usage.queries import as_of, last_used, recent_calls, usage_report, usage_series

pytestmark = pytest.mark.django_db(transaction=True)

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MIDNIGHT = NOW.replace(hour=0, minute=0)
OTHER_KEY, OTHER_ORG = str(uuid7()), str(uuid7())
ORG_ID, KEY_ID = UUID(ORG), UUID(KEY)
WHOLE = {"start": NOW - DAY, "end": NOW + DAY}


def take(*said, at=NOW, **options) -> None:
    store(read_message(message(said, **options)), at=at)


def groups(report) -> dict:
    return {row.group: row.calls for row in report.rows}


def test_nothing_used_is_all_zeros():
    report = usage_report(ORG_ID, **WHOLE, group_by="key", count_ids=True)
    assert (report.calls, report.billable, report.units, report.distinct_event_ids, report.rows) == (0, 0, {}, 0, ())


def test_calls_billable_units_and_ids():
    take(line(1, units={"tokens": 3}), line(2, units={"tokens": 4, "images": 1}), refused(3, count=9))
    report = usage_report(ORG_ID, **WHOLE, count_ids=True)
    assert (report.calls, report.billable, report.distinct_event_ids) == (11, 2, 3)
    assert report.units == {"tokens": 7, "images": 1}
    assert report.rows == ()


def test_groups():
    take(line(1), line(2, key=OTHER_KEY, status=404), refused(3, subscription="", period_id=""))
    expected = {
        "key": {KEY: 2, OTHER_KEY: 1},
        "status": {"2xx": 1, "4xx": 2},
        "subscription": {SUBSCRIPTION: 2, None: 1},
        "operation": {"getCountry": 3},
        "hour": {"2026-03-14T12:00:00+00:00": 3},
        "day": {"2026-03-14T00:00:00+00:00": 3},
    }
    for group_by, calls in expected.items():
        assert groups(usage_report(ORG_ID, **WHOLE, group_by=group_by)) == calls


def test_only_what_is_asked_for():
    take(
        line(1),
        line(2, key=OTHER_KEY, subscription=str(uuid7()), period_id=str(uuid7())),
        line(3, test=True, billable=False),
    )
    assert usage_report(ORG_ID, **WHOLE).calls == 3
    assert usage_report(ORG_ID, **WHOLE, key=KEY_ID).calls == 2
    assert usage_report(ORG_ID, **WHOLE, subscription=UUID(SUBSCRIPTION)).calls == 2
    assert usage_report(ORG_ID, **WHOLE, mode="test", count_ids=True).distinct_event_ids == 1
    assert usage_report(ORG_ID, **WHOLE, mode="live", key=KEY_ID).calls == 1


def test_another_organizations_usage_does_not_exist():
    take(line(1), line(2, organization=OTHER_ORG, key=OTHER_KEY))
    assert usage_report(ORG_ID, **WHOLE).calls == 1
    assert usage_report(ORG_ID, **WHOLE, key=UUID(OTHER_KEY)) == usage_report(ORG_ID, **WHOLE, key=uuid4())
    assert [call.key for call in recent_calls(ORG_ID)] == [KEY_ID]
    assert sum(point.calls for point in usage_series(ORG_ID, **WHOLE, step="hour", key=UUID(OTHER_KEY))) == 0


MINUTE = st.integers(-300, 300)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(MINUTE, MINUTE, st.sampled_from([None, "key", "hour", "day"]), st.sampled_from(["UTC", "Asia/Kolkata"]))
def test_a_report_is_exact_to_the_instant(first, last, group_by, zone):
    empty_tables()
    take(*(line(n + 28, at=NOW + timedelta(minutes=11 * n, milliseconds=n), units={"n": -n}) for n in range(-27, 0)))
    start, end = sorted((NOW + timedelta(minutes=first), NOW + timedelta(minutes=last)))
    inside = [n for n in range(-27, 0) if start <= NOW + timedelta(minutes=11 * n, milliseconds=n) < end]
    report = usage_report(ORG_ID, start=start, end=end, group_by=group_by, zone=zone, count_ids=True)
    assert (report.calls, report.distinct_event_ids) == (len(inside), len(inside))
    assert report.units.get("n", 0) == -sum(inside)
    assert sum(row.calls for row in report.rows) == (len(inside) if group_by else 0)


def test_days_are_those_of_the_zone_where_midnight_is_no_whole_hour():
    kolkata = ZoneInfo("Asia/Kolkata")  # +05:30
    midnight = datetime(2026, 3, 14, tzinfo=kolkata)
    take(
        line(1, at=midnight - timedelta(milliseconds=1)),
        line(2, at=midnight),
        line(3, at=midnight + timedelta(minutes=20)),
    )
    days = usage_report(ORG_ID, start=midnight - DAY, end=midnight + DAY, group_by="day", zone="Asia/Kolkata")
    assert groups(days) == {"2026-03-13T00:00:00+05:30": 1, "2026-03-14T00:00:00+05:30": 2}
    series = usage_series(ORG_ID, start=midnight - DAY, end=midnight + DAY, step="day", zone="Asia/Kolkata")
    assert [(point.at, point.calls) for point in series] == [(midnight - DAY, 1), (midnight, 2)]


def test_a_series_has_no_holes():
    take(line(1, at=NOW - 3 * HOUR), line(2, at=NOW, status=500, billable=False), refused(3, count=4))
    series = usage_series(ORG_ID, start=NOW - 4 * HOUR, end=NOW + HOUR, step="hour")
    assert [point.at for point in series] == [NOW.replace(minute=0) + n * HOUR for n in range(-4, 2)]
    assert [point.calls for point in series] == [0, 1, 0, 0, 5, 0]
    assert (series[4].refused, series[4].failed, series[4].billable) == (4, 1, 0)


def test_percentiles_are_of_calls_that_reached_the_upstream():
    take(*(line(n, latency_ms=15) for n in range(1, 20)), line(20, latency_ms=900), refused(21, count=500))
    point = usage_series(ORG_ID, start=NOW - HOUR / 2, end=NOW + HOUR, step="hour")[0]
    assert 10 < point.p50_ms < 20
    assert point.p95_ms <= 20 < usage_series(ORG_ID, start=NOW, end=NOW + HOUR, step="hour")[0].p95_ms + 1


def test_the_log_is_newest_first_and_pages():
    take(*(line(n, at=NOW + timedelta(milliseconds=n // 2)) for n in range(1, 8)))
    everything = recent_calls(ORG_ID)
    assert len({call.event_id for call in everything}) == 7
    assert [call.event_id for call in everything] == sorted((call.event_id for call in everything), reverse=True)
    paged = list(recent_calls(ORG_ID, limit=3))
    while page := recent_calls(ORG_ID, limit=3, before=paged[-1].event_id):
        paged += page
    assert paged == list(everything)


def test_as_of_is_nothing_before_a_gateway_has_reported():
    assert as_of() is None


def test_as_of_is_the_slowest_gateways_clock():
    take(beat(0, boot="a", clock=NOW - HOUR), boot="a")
    take(beat(0, boot="b", clock=NOW), boot="b")
    assert as_of() == NOW - HOUR


def test_as_of_does_not_wait_for_gateways_that_ended():
    take(beat(0, boot="a", clock=NOW - HOUR), bye(0, boot="a", clock=NOW - HOUR), boot="a")
    take(beat(0, boot="b", clock=NOW - 2 * HOUR), boot="b")
    take(dead=True, boot="b")
    take(beat(0, boot="c", clock=NOW), boot="c")
    assert as_of() == NOW
    take(bye(0, boot="c", clock=NOW + HOUR), boot="c")
    assert as_of() == NOW + HOUR  # nothing runs: complete up to the last goodbye


def test_as_of_does_not_pass_a_gap():
    take(beat(0, clock=NOW - HOUR), line(1), line(3), beat(3, clock=NOW))
    assert as_of() == NOW - HOUR


def test_the_months_end_belongs_to_the_next_month():
    april = datetime(2026, 4, 1, tzinfo=UTC)
    take(line(1, at=april - timedelta(milliseconds=1)), line(2, at=april), at=april)
    assert usage_report(ORG_ID, start=april - DAY, end=april).calls == 1
    assert usage_report(ORG_ID, start=april, end=april + DAY).calls == 1


def test_when_keys_were_last_used():
    last = NOW + timedelta(hours=1, minutes=3)
    take(
        line(1, at=last - DAY),
        line(2, at=last - 2 * HOUR),
        line(3, at=last),
        line(4, key=OTHER_KEY, status=404),
        at=last,
    )
    used = last_used(ORG_ID, keys=[KEY_ID, UUID(OTHER_KEY), uuid7()])
    assert (used[KEY_ID], set(used)) == (last, {KEY_ID, UUID(OTHER_KEY)})
    assert last_used(UUID(OTHER_ORG), keys=[KEY_ID]) == last_used(ORG_ID, keys=[]) == {}
