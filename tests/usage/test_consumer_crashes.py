"""Whatever order and repetition the stream has, and wherever the consumer dies: the same rollups in the end."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.names import COMMITTED, USAGE_GROUP, USAGE_STREAM
from kit import failpoints
from tests.usage.conftest import empty_tables
from tests.usage.journal import BOOT, NOW, ago, line, refused, ship
from usage.audit import drift
from usage.consumer import consume
from usage.models import Producer, UsageBill, UsageHour

pytestmark = pytest.mark.django_db(transaction=True)

STEPS = ("usage.after_copy", "usage.before_commit", "usage.after_commit", "usage.after_publish", "usage.after_forget")
MESSAGES = [
    [line(4 * n + 1), line(4 * n + 2, test=True, billable=False), refused(4 * n + 3, count=n + 1), line(4 * n + 4)]
    for n in range(6)
]


class Death(BaseException):
    """Ends the consumer where it stands, as a kill does; nothing may catch it."""


def die(*_: object) -> None:
    raise Death


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    order=st.permutations(range(6)),
    again=st.lists(st.integers(0, 5), max_size=4),
    deaths=st.lists(st.sampled_from(STEPS), max_size=4),
)
def test_any_order_repetition_and_death_counts_each_event_once(stream, monkeypatch, order, again, deaths):
    monkeypatch.setattr("kit.failpoints.os.kill", die)
    empty_tables()
    stream.delete(USAGE_STREAM, COMMITTED)
    for number in [*order, *again]:
        ship(stream, MESSAGES[number])
    for step in [*deaths, None]:
        attempt(stream, step)
    assert_all_counted(stream)


def attempt(stream, step: str | None) -> None:
    """Consume until the stream is empty, or the consumer dies at this step."""
    failpoints._ARMED.clear()
    failpoints._ARMED.update({step: "kill"} if step else {})
    try:
        while consume(stream, at=NOW):
            pass
    except Death:
        pass
    finally:
        failpoints._ARMED.clear()


def assert_all_counted(stream) -> None:
    calls = 6 * 3 + sum(range(1, 7))
    assert sum(UsageHour.objects.values_list("calls", flat=True)) == calls
    assert sum(UsageBill.objects.values_list("calls", flat=True)) == calls - 6
    assert drift(start=ago(hours=2).replace(minute=0), end=ago(hours=-2).replace(minute=0)) == []
    assert Producer.objects.values_list("committed_seq", "ahead").get() == (24, [])
    assert stream.hget(COMMITTED, BOOT) == b"24"
    assert (stream.xlen(USAGE_STREAM), stream.xpending(USAGE_STREAM, USAGE_GROUP)["pending"]) == (0, 0)
