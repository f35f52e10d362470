"""Endings are written down and settled in one instant; refusals in a loop are counted together."""

from uuid import UUID

import msgspec
import pytest

from gateway.call import Claim, FindGrant, Left, Refusal, Spend, UsageEvent
from gateway.collapse import Collapse
from gateway.journal import JournalFull
from gateway.recorder import Recorder, Unrecorded
from kit.ids import at_ms
from tests.gateway.endings import admitted, answered, refused
from tests.gateway.playbook import NOW_MS, a_call, a_grant, play

CLAIMS = (Claim("c", "quota", "period", "billable", 1, 1, True, "quota_exceeded"),)


class FakeJournal:
    def __init__(self):
        self.lines, self.open, self.room, self.full = [], [], True, False

    def can_write(self):
        return self.room

    def opened(self, at_ms):
        self.open.append(at_ms)
        return at_ms

    def closed(self, at_ms):
        self.open.remove(at_ms)

    def append(self, events, *, settle=None):
        if self.full:
            raise JournalFull(0)
        self.lines += events
        if settle:
            settle()


class FakeCounters:
    def __init__(self, journal):
        self.journal, self.settled = journal, []

    def spend(self, claims):
        return Left()

    def settle(self, claims, *, used):
        self.settled.append((claims, used, len(self.journal.lines)))


@pytest.fixture
def journal():
    return FakeJournal()


@pytest.fixture
def counters(journal):
    return FakeCounters(journal)


@pytest.fixture
def recorder(journal, counters):
    return Recorder(journal, counters, clock_ms=lambda: NOW_MS, collapse=Collapse(per_second=2))


def answered_event(status=200) -> UsageEvent:
    return play(a_call(), *admitted(), *answered(status)).event


def refused_event(code="quota_exceeded", key="key-id") -> UsageEvent:
    event = play(a_call(), (FindGrant, a_grant(id=key)), (Spend, Refusal(code)), refused(429)).event
    assert event is not None
    return event


@pytest.mark.parametrize(("status", "used"), [(200, True), (500, False)])
def test_units_are_settled_in_the_instant_of_writing(recorder, journal, counters, status, used):
    recorder.write(answered_event(status), CLAIMS, at_ms=recorder.open())
    assert (len(journal.lines), journal.open) == (1, [])
    assert counters.settled == [(CLAIMS, used, 1)], "after the line was written"


def test_a_call_without_an_event_gives_its_units_back(recorder, journal, counters):
    recorder.write(None, CLAIMS, at_ms=recorder.open())
    assert (journal.lines, journal.open, counters.settled) == ([], [], [(CLAIMS, False, 0)])


def test_nothing_is_admitted_that_cannot_be_written_down(recorder, journal):
    journal.room = False
    with pytest.raises(Refusal) as refusal:
        recorder.spend(CLAIMS)
    assert refusal.value.code == "metering_unavailable"


def test_in_a_full_journal_room_is_left_to_calls_in_flight(recorder, journal, counters):
    journal.room = False
    recorder.write(refused_event("metering_unavailable"), (), at_ms=recorder.open())
    assert journal.lines == []
    recorder.write(answered_event(), CLAIMS, at_ms=recorder.open())
    assert len(journal.lines) == 1 and counters.settled[-1] == (CLAIMS, True, 1)


def test_an_event_that_cannot_be_written_is_not_charged(recorder, journal, counters):
    journal.full = True
    with pytest.raises(JournalFull):
        recorder.write(answered_event(), CLAIMS, at_ms=recorder.open())
    assert (journal.open, counters.settled) == ([], [(CLAIMS, False, 0)])


def test_refusals_beyond_the_rate_become_one_counted_event(recorder, journal, counters):
    events = [refused_event() for _ in range(7)] + [refused_event("rate_limited"), refused_event(key="other")]
    for event in events:
        recorder.write(event, (), at_ms=recorder.open())
    assert [line.event_id for line in journal.lines] == [event.event_id for event in (*events[:2], *events[7:])]
    recorder._clock_ms = lambda: NOW_MS + 1000
    recorder.flush()
    counted = journal.lines[-1]
    assert (counted.count, counted.problem, counted.key, counted.ts) == (5, "quota_exceeded", "key-id", NOW_MS + 1000)
    assert at_ms(UUID(counted.event_id)) == counted.ts and counted.event_id not in {event.event_id for event in events}
    assert sum(line.count for line in journal.lines) == len(events)
    recorder.flush()
    assert (len(journal.lines), journal.open) == (5, [])


def test_nothing_counted_is_lost_at_the_end(recorder, journal):
    for _ in range(5):
        recorder.write(refused_event(), (), at_ms=recorder.open())
    recorder.flush()
    for _ in range(5):
        recorder.write(refused_event(), (), at_ms=recorder.open())
    recorder.flush(last=True)
    assert sum(line.count for line in journal.lines) == 10


def test_what_reached_the_upstream_is_never_collapsed(recorder, journal):
    for _ in range(5):
        recorder.write(answered_event(500), (), at_ms=recorder.open())
        recorder.write(msgspec.structs.replace(refused_event(), accepted=True), (), at_ms=recorder.open())
    assert len(journal.lines) == 10


def test_a_new_second_begins_a_new_count():
    collapse = Collapse(per_second=1)
    collapse.due(NOW_MS)
    assert [collapse.holds(refused_event()) for _ in range(2)] == [False, True]
    assert collapse.due(NOW_MS + 999) == []
    (counted,) = collapse.due(NOW_MS + 1000)
    assert counted.count == 1
    assert collapse.holds(refused_event()) is False


def test_a_visitor_leaves_nothing():
    records = Unrecorded(lambda: NOW_MS)
    assert (records.open(), records.spend(())) == (NOW_MS, Left())
    records.write(None, (), at_ms=NOW_MS)
    with pytest.raises(AssertionError):
        records.write(answered_event(), (), at_ms=NOW_MS)
