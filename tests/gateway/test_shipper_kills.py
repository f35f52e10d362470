"""Real writers, a real shipper and a real Valkey, killed with -9: nothing that was said to be written is lost."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway import names
from gateway.store import connect
from tests.gateway.journal_events import event, journal
from tests.gateway.stores import until
from tests.gateway.stream import commit, events, ids, messages

pytestmark = pytest.mark.faults
ROOT = Path(__file__).parents[2]


@contextmanager
def shipping(home: Path, url: str) -> Iterator[subprocess.Popen[str]]:
    """A shipper process that is ready."""
    environ = os.environ | {"TOLLGATE_HOME": str(home), "REDIS_URL": url}
    command = [sys.executable, "-m", "gateway.shipper"]
    with subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True) as child:
        try:
            yield child
        finally:
            child.kill()


def ready(shipper: subprocess.Popen[str]) -> str:
    return shipper.stdout.readline()


def write_and_die(home: Path, boot: str, *, seconds: float) -> list[str]:
    """Run a writer for a while, kill it, and return every event id it said it had written."""
    command = [sys.executable, "-m", "tests.gateway.writer", str(home / "journal"), boot]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as writer:
        first = writer.stdout.readline()
        time.sleep(seconds)
        writer.kill()
        said = first + writer.stdout.read()
    return said.decode().split("\n")[:-1]  # the last line may be torn


def dead(redis) -> int:
    return sum(fields.get(b"dead") == b"1" for fields in messages(redis))


def test_what_a_killed_writer_said_is_shipped_once_though_its_shipper_is_killed_too(redis, tmp_path):
    url, dice, said = os.environ["REDIS_URL"], random.Random(7), []
    rounds = 6
    for number in range(rounds):
        with shipping(tmp_path, url) as shipper:
            ready(shipper)
            said += write_and_die(tmp_path, f"boot-{number}", seconds=dice.uniform(0.01, 0.15))
            time.sleep(dice.uniform(0, 0.1))
    with shipping(tmp_path, url) as shipper:
        ready(shipper)
        until(lambda: dead(redis) == rounds, within=10)
    shipped = ids(redis)
    assert len(said) > 100
    assert set(said) <= set(shipped)
    assert len(shipped) == len(set(shipped))


def test_an_emptied_server_costs_repetitions_and_no_event(redis, tmp_path):
    url, counted, committed = os.environ["REDIS_URL"], set(), {}

    def take_in() -> None:
        for entry, fields in redis.xrange(names.USAGE_STREAM):
            for text in fields[b"lines"].splitlines():
                counted.update(part.decode() for part in [text.partition(b'"event_id":"')[2][:36]] if part)
            boot = fields[b"boot"]
            committed[boot] = max(committed.get(boot, 0), int(fields[b"last_seq"]))
            redis.hset(names.COMMITTED, mapping=committed)
            redis.xdel(names.USAGE_STREAM, entry)

    with shipping(tmp_path, url) as shipper:
        ready(shipper)
        said = []
        for number in range(4):
            said += write_and_die(tmp_path, f"boot-{number}", seconds=0.05)
            redis.flushall()
            take_in()
        until(lambda: take_in() or set(said) <= counted, within=10)
    assert len(said) > 50


def test_a_killed_and_a_frozen_server_delay_and_lose_nothing(mortal, tmp_path):
    redis, said = connect(mortal.url, timeout_s=2.0), []
    with shipping(tmp_path, mortal.url) as shipper:
        ready(shipper)
        for number, (stop, go_on) in enumerate([(mortal.kill, mortal.restart), (mortal.freeze, mortal.thaw)]):
            said += write_and_die(tmp_path, f"boot-{number}a", seconds=0.05)
            stop()
            said += write_and_die(tmp_path, f"boot-{number}b", seconds=0.05)
            go_on()
        until(lambda: dead(redis) == 4, within=10)
        assert shipper.poll() is None
    shipped = ids(redis)
    assert set(said) <= set(shipped)
    assert len(shipped) == len(set(shipped))


def test_a_line_is_in_the_stream_within_a_fifth_of_a_second(redis, tmp_path):
    """The median of nine: the machine may be busy with something else now and then."""
    with shipping(tmp_path, os.environ["REDIS_URL"]) as shipper:
        ready(shipper)
        writer, took = journal(tmp_path / "journal"), []
        for seq in range(1, 10):
            writer.append([event()])
            took.append(until(lambda seq=seq: [line.seq for line in events(redis)][-1:] == [seq], within=5))
    assert sorted(took)[4] <= 0.2


def test_a_second_shipper_waits_and_takes_over(redis, tmp_path):
    url = os.environ["REDIS_URL"]
    writer = journal(tmp_path / "journal")
    with shipping(tmp_path, url) as first:
        assert ready(first).startswith("shipper: ")
        with shipping(tmp_path, url) as second:
            writer.append([event()])
            until(lambda: ids(redis), within=2)
            first.kill()
            ready(second)
            writer.append([event()])
            until(lambda: [line.seq for line in events(redis)] == [1, 2], within=2)


def test_asked_to_end_it_makes_a_last_pass_and_leaves_cleanly(redis, tmp_path):
    with shipping(tmp_path, os.environ["REDIS_URL"]) as shipper:
        ready(shipper)
        writer = journal(tmp_path / "journal")
        writer.append([event()])
        writer.close()
        shipper.send_signal(signal.SIGTERM)
        assert shipper.wait(5) == 0
    assert [line.seq for line in events(redis)] == [1]
    commit(redis)
    assert messages(redis) == []


def test_without_a_store_it_says_so_and_ends(tmp_path):
    environ = {name: value for name, value in os.environ.items() if not name.startswith("REDIS")}
    command = [sys.executable, "-m", "gateway.shipper"]
    environ["TOLLGATE_HOME"] = str(tmp_path)
    ended = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=10)
    assert ended.returncode == 1
    assert ended.stderr == "No stores: set REDIS_URL, or start `manage.py up` first.\n"
