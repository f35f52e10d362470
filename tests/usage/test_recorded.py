"""What SQL adds up for a counter is what the gateway's own rule counts, event by event."""

import random
from datetime import timedelta

import pytest

from gateway.meters import Meter, counts
from gateway.rebuild import Holding
from kit.ids import uuid7
from tests.usage.journal import BOOT, KEY, NOW, ORG, PERIOD, SUBSCRIPTION, beat, line, message, ms
from usage.intake import store
from usage.lines import read_message
from usage.models import Producer
from usage.recorded import spent_by, stored

pytestmark = pytest.mark.django_db(transaction=True)

OTHERS = {name: str(uuid7()) for name in ("organization", "key", "subscription", "period_id")}
ENDINGS = [
    {},
    {"test": True, "billable": False},
    {"test": True, "billable": False, "status": 429},
    {"test": True, "billable": False, "method": "OPTIONS"},
    {"test": True, "billable": False, "status": 499, "accepted": False},
    {"status": 500, "billable": False},
    {"status": 502, "billable": False, "accepted": False, "problem": "upstream_unreachable"},
    {"status": 200, "billable": False, "problem": "upstream_truncated"},
    {"status": 500, "billable": False, "accepted": False, "problem": "internal_error"},
    {"status": 429, "billable": False, "accepted": False, "problem": "quota_exceeded", "count": 30},
    {"status": 503, "billable": False, "accepted": False, "problem": "limits_unavailable"},
    {"part": 2, "call_id": str(uuid7())},
    {
        "subscription": "",
        "period_id": "",
        "status": 403,
        "billable": False,
        "accepted": False,
        "problem": "scope_missing",
    },
]


def some_lines(count: int) -> list:
    chance = random.Random(3)
    said = []
    for n in range(1, count + 1):
        elsewhere = chance.choice([{}, {}, OTHERS, {"period_id": OTHERS["period_id"]}])
        at = NOW - timedelta(minutes=chance.randrange(60 * 24 * 20))
        said.append(line(n, at=at, **(elsewhere | chance.choice(ENDINGS))))
    return said


def meters() -> list[Meter]:
    """Every kind of counter of two organizations."""
    subjects = {
        ORG: {"organization": ORG, "key": KEY, "subscription": SUBSCRIPTION},
        OTHERS["organization"]: {name: OTHERS[name] for name in ("organization", "key", "subscription")},
    }
    windows = {ms(NOW - timedelta(days=30)): frozenset({PERIOD}), 0: frozenset()}
    return [
        Meter(f"tg:c:{{{org}}}:{subject}:{kind}:{test}:{start}", org, per, subject, kind, test, periods)
        for org, of in subjects.items()
        for per, subject in of.items()
        for kind in ("billable", "admitted")
        for test in (False, True)
        for start, periods in windows.items()
    ]


def test_units_are_those_of_the_gateways_rule():
    said = some_lines(400)
    store(read_message(message([beat(0), *said])), at=NOW)
    found = stored(meters())
    expected = {meter.counter: sum(each.count for each in said if counts(meter, each)) for meter in meters()}
    assert {name: units for name, units in found.units.items() if units} == {
        name: units for name, units in expected.items() if units
    }
    assert sum(map(bool, expected.values())) > len(expected) / 2
    assert found.committed == {BOOT: 400}


def test_ranges_beyond_a_gap_are_told():
    store(read_message(message([line(1), line(3), line(4)])), at=NOW)
    found = stored([])
    assert (found.committed, found.ahead) == ({BOOT: 1}, {BOOT: ((3, 4),)})
    assert [found.holds(BOOT, seq) for seq in (1, 2, 3, 4, 5)] == [True, False, True, True, False]


def test_what_a_worker_spent_is_counted_behind_its_place():
    said = some_lines(200)
    store(read_message(message([beat(0, clock=NOW - timedelta(days=21)), *said])), at=NOW)
    store(read_message(message([line(1, boot="another")], boot="another")), at=NOW)
    billable = [meter for meter in meters() if meter.meter == "billable"]
    held = [Holding(BOOT, meter.counter, 1, 50, 999, 0, 0) for meter in meters()]
    spent = spent_by(Producer.objects.get(boot_id=BOOT), held, {meter.counter: meter for meter in meters()})
    assert spent == {
        meter.counter: sum(each.count for each in said if each.seq > 50 and counts(meter, each)) for meter in billable
    }
