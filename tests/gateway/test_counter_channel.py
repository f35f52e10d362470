"""The way to the counters, against a real Valkey that is killed, frozen, emptied and refuses."""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import redis
from msgspec.structs import replace

from gateway import names
from gateway.counter_channel import TIGHT_S
from tests.gateway.counter_workers import ORG, Worker, bucket, call_in_processes, in_force, quota, worker
from tests.gateway.stores import Mortal, until

SOON_S = 0.6  # 250 ms and what a busy machine adds


@pytest.fixture
def url() -> str:
    """A database of the test server for us alone."""
    url = os.environ["REDIS_URL"].rpartition("/")[0] + "/8"
    redis.Redis.from_url(url).flushdb()
    return url


def used(client: redis.Redis) -> int:
    return int(client.hget(quota().counter, "used") or 0)


# --- what it grants ---


def test_all_claims_or_none(url: str, tmp_path: Path) -> None:
    client = in_force(url)
    with worker(url, tmp_path) as me:
        codes = [me.call(quota(), bucket(2, refill=1, refill_ms=60_000)) for _ in range(3)]
        assert codes == ["", "", "rate_limited"]
        assert used(client) == 2
        left = me.channel.spend((quota(),))
        assert [(state.name, state.limit, state.remaining) for state in left.states] == [("period", 1000, 997)]
        assert me.channel.spend(()).states == ()


@pytest.mark.parametrize("fail_every", [0, 10], ids=["all-billable", "every-tenth-fails"])
def test_a_hard_quota_is_exact_over_processes_and_threads(url: str, tmp_path: Path, fail_every: int) -> None:
    client = in_force(url)
    said = call_in_processes(url, tmp_path, processes=4, threads=16, calls=6000, limit=1000, fail_every=fail_every)
    assert said["billable"] == 1000
    assert set(said) <= {"granted", "billable", "quota_exceeded"}
    assert used(client) == 1000
    assert client.smembers(names.OWNERS) == set()


def test_a_call_waits_for_a_unit_that_may_come_back(url: str, tmp_path: Path) -> None:
    in_force(url)
    with worker(url, tmp_path) as one, worker(url, tmp_path) as other:
        assert one.call(quota(1)) == ""
        threading.Timer(TIGHT_S / 3, lambda: one.end(quota(1), used=False)).start()
        assert other.call(quota(1)) == ""
        other.end(quota(1), used=True)
        assert one.call(quota(1)) == "quota_exceeded"
        until(lambda: int(redis.Redis.from_url(url).hget(quota().counter, "settled")) == 1, within=SOON_S)
        began = time.monotonic()
        assert one.call(quota(1)) == "quota_exceeded"
        assert time.monotonic() - began < TIGHT_S


def test_what_came_back_serves_a_waiting_call_of_the_same_worker(url: str, tmp_path: Path) -> None:
    client = in_force(url)
    with worker(url, tmp_path) as me:
        assert me.call(quota(1)) == ""
        threading.Timer(TIGHT_S / 3, lambda: me.end(quota(1), used=False)).start()
        assert me.call(quota(1)) == ""
        assert used(client) == 1


def test_closing_gives_everything_back_and_signs_off(url: str, tmp_path: Path) -> None:
    client = in_force(url)
    with worker(url, tmp_path) as me:
        me.call(quota())
        assert client.smembers(names.held_by(me.boot)) == {quota().counter.encode()}
        me.end(quota(), used=False)
    assert used(client) == 0
    assert client.smembers(names.OWNERS) == set()
    assert not client.exists(names.held_by(me.boot))


def test_it_sees_the_directorys_version(url: str, tmp_path: Path) -> None:
    client = in_force(url)
    client.set(names.DIRECTORY_VERSION, "7-1")
    with worker(url, tmp_path) as me:
        me.call(quota())
        assert me.channel.directory_version == "7-1"


def test_it_belongs_to_one_process(url: str, tmp_path: Path) -> None:
    in_force(url)
    with worker(url, tmp_path) as me:
        me.call(quota())
        child = os.fork()
        if not child:
            try:
                me.channel.spend((quota(),))
            except RuntimeError:
                os._exit(7)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


# --- when the server is in no state to answer ---


def test_a_server_that_forgot_the_script_gets_it(url: str, tmp_path: Path) -> None:
    client = in_force(url)
    with worker(url, tmp_path) as me:
        me.call(quota())
        client.script_flush()
        assert [me.call(quota()) for _ in range(3)] == ["", "", ""]
        assert used(client) == 4


def test_a_cut_connection_costs_nobody_a_call(url: str, tmp_path: Path) -> None:
    client = in_force(url)
    with worker(url, tmp_path) as me:
        me.call(quota())
        for _ in range(5):
            client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            assert me.call(quota()) == ""
        until(lambda: used(client) == 6, within=SOON_S)


def test_a_broken_counter_refuses_its_own_calls_only(url: str, tmp_path: Path) -> None:
    client = in_force(url)
    broken = replace(quota(), counter=names.counter(ORG, subject="broken", limit="quota", window_start_ms=1))
    client.set(broken.counter, "a string")
    with worker(url, tmp_path) as me:
        assert me.call(broken) == "limits_unavailable"
        assert me.call(quota()) == ""


def test_an_emptied_server_asks_for_a_rebuild(url: str, tmp_path: Path) -> None:
    client = in_force(url)
    with worker(url, tmp_path) as me:
        me.call(quota())
        client.flushdb()
        assert me.call(quota(), bucket()) == "quota_rebuilding"
        assert me.call(bucket()) == ""
        assert me.call(quota(hard=False, counter=names.counter(ORG, subject="x", limit="soft"))) == ""
        until(lambda: client.smembers(names.REBUILD) == {ORG.encode()}, within=SOON_S)


Trouble = Callable[[Mortal, redis.Redis], None]


def freeze(mortal: Mortal, client: redis.Redis) -> None:
    mortal.freeze()


def kill(mortal: Mortal, client: redis.Redis) -> None:
    mortal.kill()


def read_only(mortal: Mortal, client: redis.Redis) -> None:
    client.replicaof("127.0.0.1", 1)


def full(mortal: Mortal, client: redis.Redis) -> None:
    client.config_set("maxmemory", 1)


def other_password(mortal: Mortal, client: redis.Redis) -> None:
    client.config_set("requirepass", "another")
    client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")


def slow(mortal: Mortal, client: redis.Redis) -> None:
    client.client_pause(800)  # it would not hear UNPAUSE either


RECOVERIES: dict[Trouble, Callable[[Mortal, redis.Redis], object]] = {
    freeze: lambda mortal, client: mortal.thaw(),
    kill: lambda mortal, client: mortal.restart(),
    read_only: lambda mortal, client: client.replicaof("NO", "ONE"),
    full: lambda mortal, client: client.config_set("maxmemory", 0),
    other_password: lambda mortal, client: client.config_set("requirepass", mortal.url.split(":")[2].split("@")[0]),
    slow: lambda mortal, client: None,
}


@pytest.mark.parametrize("trouble", RECOVERIES, ids=lambda trouble: trouble.__name__)
def test_whatever_is_wrong_calls_are_refused_in_time_and_go_on_afterwards(
    mortal: Mortal, tmp_path: Path, trouble: Trouble
) -> None:
    client = in_force(mortal.url)
    with worker(mortal.url, tmp_path) as me:
        assert me.call(quota()) == ""
        trouble(mortal, client)
        assert _pile(me, threads=16, calls=20) == ({"limits_unavailable"}, True)
        RECOVERIES[trouble](mortal, client)
        expected = "quota_rebuilding" if trouble is kill else ""  # a server that was restarted may have forgotten
        until(lambda: me.call(quota()) == expected, within=2.0)
        if trouble is not kill:
            me.end(quota(), used=False)
            until(lambda: used(client) == 1, within=SOON_S)  # what was granted unheard has come back


def _pile(me: Worker, *, threads: int, calls: int) -> tuple[set[str], bool]:
    """Call from many threads; return how it ended, and whether each thread was done in time with all of its calls."""
    codes: set[str] = set()
    took: list[float] = []

    def call() -> None:
        began = time.monotonic()
        codes.update(me.call(quota()) for _ in range(calls))
        took.append(time.monotonic() - began)

    running = [threading.Thread(target=call) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return codes, max(took) < SOON_S


def test_a_server_that_is_away_from_the_start_is_found_when_it_comes(tmp_path: Path) -> None:
    mortal = Mortal(tmp_path)
    mortal.kill()
    try:
        with worker(mortal.url, tmp_path) as me:
            assert me.call(quota()) == "limits_unavailable"
            mortal.restart()
            in_force(mortal.url)
            until(lambda: me.call(quota()) == "", within=2.0)
    finally:
        mortal.close()
