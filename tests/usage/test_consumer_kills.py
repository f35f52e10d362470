"""kill -9 at every named step and at random: each event is counted once, and the stream ends empty."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest
from django.db import connection

from gateway.names import COMMITTED, USAGE_GROUP, USAGE_STREAM
from tests.usage.journal import BOOT, NOW, ago, line, refused, ship
from usage.audit import drift
from usage.models import Producer, UsageEvent, UsageHour

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]

FAILPOINTS = (
    "usage.after_copy",
    "usage.before_commit",
    "usage.after_commit",
    "usage.after_publish",
    "usage.after_forget",
)
MESSAGES, EACH = 20, 5


def drain(*, failpoint: str = "") -> subprocess.Popen:
    database = os.environ["DATABASE_URL"].replace("/tollgate?", f"/{connection.settings_dict['NAME']}?")
    environment = os.environ | {
        "DATABASE_URL": database,
        "TOLLGATE_FAILPOINTS": f"{failpoint}=kill" if failpoint else "",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.usage.drain", NOW.isoformat()], env=environment, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"
    return process


def ship_all(stream) -> None:
    for n in range(MESSAGES):
        ship(stream, [*(line(n * EACH + k) for k in range(1, EACH)), refused(n * EACH + EACH, count=3)])


def assert_counted_once(stream) -> None:
    assert UsageEvent.objects.count() == MESSAGES * EACH
    assert sum(UsageHour.objects.values_list("calls", flat=True)) == MESSAGES * (EACH - 1 + 3)
    assert drift(start=ago(hours=2).replace(minute=0), end=ago(hours=-2).replace(minute=0)) == []
    assert Producer.objects.values_list("committed_seq", "ahead").get() == (MESSAGES * EACH, [])
    assert stream.hget(COMMITTED, BOOT) == str(MESSAGES * EACH).encode()
    assert (stream.xlen(USAGE_STREAM), stream.xpending(USAGE_STREAM, USAGE_GROUP)["pending"]) == (0, 0)


@pytest.mark.parametrize("failpoint", FAILPOINTS)
def test_killed_at_a_step_and_started_again(stream, failpoint):
    ship_all(stream)
    assert drain(failpoint=failpoint).wait(20) == -signal.SIGKILL
    assert drain().wait(20) == 0
    assert_counted_once(stream)


def test_ten_random_kills(stream):
    ship_all(stream)
    chance = random.Random(20260314)
    killed = 0
    for _ in range(10):
        process = drain()
        time.sleep(chance.uniform(0, 0.12))  # not a wait: the moment of the kill is the test's input
        process.kill()
        killed += process.wait(20) == -signal.SIGKILL
    assert drain().wait(20) == 0
    assert killed
    assert_counted_once(stream)


def test_two_at_once(stream):
    ship_all(stream)
    both = [drain(), drain()]
    assert [process.wait(30) for process in both] == [0, 0]
    assert_counted_once(stream)
