import random
from datetime import timedelta

import msgspec
import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.usage.conftest import empty_tables
from tests.usage.journal import BOOT, KEY, NOW, ORG, PERIOD, ago, beat, bye, line, message, ms, refused
from usage import intake
from usage.audit import drift
from usage.intake import Busy, Stored, store
from usage.lines import read_message
from usage.models import DeadLetter, Producer, Quarantine, UsageBill, UsageEvent, UsageHour

pytestmark = pytest.mark.django_db(transaction=True)

SPAN = {"start": ago(days=60).replace(minute=0), "end": ago(days=-1).replace(minute=0)}


def take(*said, at=NOW, boot=BOOT, dead=False) -> Stored:
    return store(read_message(message(said, boot=boot, dead=dead)), at=at)


def rollups() -> tuple[list, list]:
    """Both rollups as values, without the ids of their rows."""
    return tuple(
        sorted(model.objects.values_list(*(field.name for field in model._meta.fields if field.name != "id")), key=str)
        for model in (UsageBill, UsageHour)
    )


def test_an_event_keeps_every_field():
    given = line(7, units={"tokens": 5}, dimensions={"region": "eu"}, client_request_id="mine", end_user="ab", part=0)
    assert take(given) == Stored(fresh=1)
    row = UsageEvent.objects.get()
    kept = {
        name: getattr(row, name) for name in ("seq", "status", "units", "dimensions", "client_request_id", "end_user")
    }
    assert kept == {
        "seq": 7,
        "status": 200,
        "units": {"tokens": 5},
        "dimensions": {"region": "eu"},
        "client_request_id": "mine",
        "end_user": "ab",
    }
    assert (str(row.event_id), row.ts, row.boot_id, str(row.period_id), row.received_at) == (
        given.event_id,
        NOW,
        BOOT,
        PERIOD,
        NOW,
    )


def test_both_rollups_add_up_what_is_new():
    take(
        line(1),
        line(2, latency_ms=70),
        refused(3, count=40),
        line(4, units={"tokens": 2}),
        line(5, units={"tokens": 3}),
    )
    bill = {row.billable: row for row in UsageBill.objects.all()}
    assert (bill[True].calls, bill[True].admitted, bill[True].units, bill[True].bytes_out) == (4, 4, {"tokens": 5}, 400)
    assert (bill[False].calls, bill[False].events, bill[False].admitted) == (40, 1, 0)
    hour = {row.status_class: row for row in UsageHour.objects.all()}
    assert (hour[2].calls, hour[2].billable, hour[2].accepted, hour[2].latency_ms) == (4, 4, 4, 106)
    assert (sum(hour[2].latency), hour[2].latency[4], hour[2].latency[6]) == (4, 3, 1)
    assert (hour[4].calls, hour[4].billable, sum(hour[4].latency)) == (40, 0, 0)
    assert drift(**SPAN) == []


def test_test_calls_are_in_the_log_and_never_in_the_bill():
    take(line(1, test=True, billable=False), line(2, subscription="", period_id="", billable=False, status=403))
    assert UsageBill.objects.count() == 0
    assert sorted(UsageHour.objects.values_list("test", "calls")) == [(False, 1), (True, 1)]
    assert drift(**SPAN) == []


def test_a_long_stream_counts_once_and_its_bytes_add_up():
    first = line(1)
    take(first, line(2, call_id=first.event_id, part=1, bytes_out=900))
    assert UsageHour.objects.values_list("events", "calls", "billable", "bytes_out").get() == (2, 1, 1, 1000)


def test_a_repeated_batch_counts_nothing():
    said = [line(1), line(2), refused(3, count=5)]
    take(*said)
    before = rollups()
    assert take(*said) == Stored(repeated=3)
    assert take(said[1], said[1], line(4)) == Stored(fresh=1, repeated=2)
    take_out = UsageEvent.objects.filter(seq=4)
    assert take_out.count() == 1
    assert len(before[0]) == len(rollups()[0])
    assert drift(**SPAN) == []


def test_a_gap_holds_the_committed_seq_and_a_later_batch_closes_it():
    take(beat(0), line(1), line(2))
    take(line(5), beat(5, clock=NOW + timedelta(seconds=5)))
    held = Producer.objects.get()
    assert (held.committed_seq, held.ahead, held.committed_clock) == (2, [[5, 5]], NOW)
    take(line(3), line(4))
    healed = Producer.objects.get()
    assert (healed.committed_seq, healed.ahead, healed.committed_clock) == (5, [], NOW + timedelta(seconds=5))


def test_an_old_event_is_quarantined_and_not_counted():
    assert take(line(1, at=ago(days=36)), line(2)) == Stored(fresh=1, quarantined=1)
    held = Quarantine.objects.get()
    assert (held.reason, held.seq, msgspec.json.decode(bytes(held.raw))["seq"]) == ("older than 35 days", 1, 1)
    assert Producer.objects.get().committed_seq == 2
    assert UsageHour.objects.get().calls == 1


def test_a_quarantined_event_waits_for_somebody_though_its_time_comes():
    early = line(1, at=NOW + timedelta(minutes=6))
    take(early)
    assert take(early, at=NOW + timedelta(minutes=2)) == Stored(repeated=1)
    assert (UsageEvent.objects.count(), Quarantine.objects.count()) == (0, 1)


def test_a_counted_event_is_not_quarantined_when_it_comes_again_late():
    take(line(1))
    event = UsageEvent.objects.get()
    again = line(1, event_id=str(event.event_id))
    assert take(again, at=NOW + timedelta(days=36)) == Stored()
    assert Quarantine.objects.count() == 0


def test_an_unreadable_line_is_kept_byte_for_byte_and_once():
    said = [line(1), b'{"seq":2,\xff', line(3)]
    assert take(*said) == Stored(fresh=2, dead=1)
    assert take(*said) == Stored(repeated=2)
    letter = DeadLetter.objects.get()
    assert (bytes(letter.raw), letter.seq, letter.boot_id) == (b'{"seq":2,\xff', 2, BOOT)
    assert Producer.objects.get().committed_seq == 3


def test_a_line_that_only_the_database_refuses_does_not_stop_the_others(monkeypatch):
    monkeypatch.setattr("usage.lines.fault", lambda given: "")
    poisoned = line(3, event_id="3f0f6e1e-6d0b-4c39-9c0a-9d6f0f3b7a51")
    assert take(line(1), line(2), poisoned, line(4), line(5), beat(5)) == Stored(fresh=4, dead=1)
    assert "usage_event_ts_is_the_ids" in DeadLetter.objects.get().reason
    assert Producer.objects.get().committed_seq == 5
    assert drift(**SPAN) == []


def test_only_one_process_stores_at_a_time(another_connection):
    another_connection.execute("BEGIN")
    another_connection.execute("SELECT pg_advisory_xact_lock(%s)", [intake.LOCK])
    with pytest.raises(Busy):
        take(line(1))
    another_connection.execute("ROLLBACK")
    assert take(line(1)).fresh == 1


def test_a_late_event_finds_its_month_made():
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS usage_event_2026_02")
    take(line(1, at=ago(days=30)), line(2))
    assert list(UsageHour.objects.order_by("hour").values_list("hour__month", flat=True)) == [2, 3]


def an_hour_of_lines() -> list:
    """Two keys, two periods over a month's end, refusals, tests, units: what can meet in a batch."""
    other = {"key": ORG, "period_id": KEY, "operation": "listCountries"}
    kinds = [{}, other, {"test": True, "billable": False}, {"units": {"tokens": 2}}, {"status": 503, "billable": False}]
    spread = random.Random(7)
    return [
        line(n, at=NOW - timedelta(minutes=spread.randrange(60 * 24 * 20)), **spread.choice(kinds))
        for n in range(1, 25)
    ]


LINES = an_hour_of_lines()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_order_repetition_and_cut_gives_the_same_rollups(data):
    once = _after([LINES])
    order = data.draw(st.permutations(LINES + data.draw(st.lists(st.sampled_from(LINES), max_size=30))))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(order)), max_size=5)))
    batches = [order[low:high] for low, high in zip([0, *cuts], [*cuts, len(order)], strict=True)]
    assert _after(batches) == once


def _after(batches) -> tuple:
    empty_tables()
    for batch in batches:
        if batch:
            take(*batch)
    assert drift(start=ago(days=60).replace(minute=0), end=ago(days=-1).replace(minute=0)) == []
    return rollups(), Producer.objects.get().committed_seq, Producer.objects.get().ahead


def test_bye_closes_a_producer_only_when_all_of_it_is_stored():
    take(line(1), bye(3))
    assert not Producer.objects.get().closed
    take(line(2), line(3))
    assert Producer.objects.get().closed


def test_a_dead_boot_is_closed_when_its_journal_is_shipped():
    take(line(1), line(2))
    take(dead=True)
    assert (Producer.objects.get().closed, Producer.objects.get().dead) == (True, True)


def test_a_dead_boot_stays_open_while_its_last_events_are_missing():
    take(beat(0), line(1))
    store(read_message(message([], dead=True) | {b"last_seq": b"3"}), at=NOW)
    assert not Producer.objects.get().closed
    take(line(2), line(3))
    assert Producer.objects.get().closed


@pytest.mark.parametrize(
    ("ending", "spent", "admitted"),
    [
        ({}, 1, 1),
        ({"status": 404}, 1, 1),
        ({"status": 429}, 0, 1),
        ({"status": 500}, 0, 1),
        ({"method": "OPTIONS"}, 0, 1),
        ({"status": 499}, 1, 1),
        ({"status": 499, "accepted": False}, 0, 1),
        ({"status": 502, "problem": "upstream_unreachable", "accepted": False}, 0, 1),
        ({"status": 200, "problem": "upstream_truncated"}, 0, 1),
        ({"status": 429, "problem": "rate_limited", "accepted": False}, 0, 0),
        ({"status": 503, "problem": "limits_unavailable", "accepted": False}, 0, 0),
    ],
)
def test_what_a_test_call_used_up_is_known_without_being_billable(ending, spent, admitted):
    take(line(1, test=True, billable=False, **ending))
    assert UsageHour.objects.values_list("spent", "admitted", "billable").get() == (spent, admitted, 0)


def test_instants_survive_to_the_millisecond():
    said = [line(n, at=NOW + timedelta(milliseconds=n)) for n in range(1, 200)]
    take(*said)
    assert [ms(ts) for ts in UsageEvent.objects.order_by("seq").values_list("ts", flat=True)] == [
        one.ts for one in said
    ]
