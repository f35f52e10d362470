"""Counters from what is recorded: real Valkey, real journals, real workers; the database is a list.

That every interleaving adds up is the counter machine's to show; here it is shown of the product's own steps.
"""

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from msgspec.structs import replace

from gateway import names, rebuild
from gateway.journal_files import boots, lines_after, segment_path
from gateway.meters import Meter
from gateway.rebuild import Stored
from tests.gateway.counter_workers import END_MS, ORG, SUBSCRIPTION, Worker, bucket, in_force, quota, worker
from tests.gateway.stores import until

METER = Meter(
    counter=quota().counter,
    organization=ORG,
    per="subscription",
    subject=SUBSCRIPTION,
    meter="billable",
    test=False,
    periods=frozenset({"period"}),
    end_ms=END_MS,
)


@pytest.fixture
def url() -> str:
    url = os.environ["REDIS_URL"].rpartition("/")[0] + "/7"
    redis.Redis.from_url(url).flushdb()
    return url


class Database:
    """What is stored of the journals in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.committed: dict[str, int] = {}
        self.ahead: dict[str, tuple[tuple[int, int], ...]] = {}
        self.units = 0

    def store(self, boot: str, *, count: int = 1_000_000, delete: bool = False) -> None:
        """Store a boot's next events, and perhaps delete its finished journal as the shipper does."""
        lines = list(lines_after(self.folder, boot, seq=self.committed.get(boot, 0)))[:count]
        self.units += sum(line.billable for line in lines)
        self.committed[boot] = self.committed.get(boot, 0) + len(lines)
        for n in boots(self.folder).get(boot, []) if delete else ():
            segment_path(self.folder, boot, n).unlink()

    def snapshot(self) -> Stored:
        return Stored(units={METER.counter: self.units}, committed=dict(self.committed), ahead=dict(self.ahead))


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path / "journal")


def set_counters(client: redis.Redis, database: Database, snapshot: Callable[[], Stored] | None = None) -> None:
    rebuild.open_run(client)
    rebuild.rebuild_counters(
        client, database.folder, [ORG], meters=[METER], snapshot=snapshot or database.snapshot, answer_s=3
    )


def used(client: redis.Redis) -> tuple[int, int]:
    """(used, of which settled)"""
    found = client.hmget(METER.counter, ["used", "settled"])
    return int(found[0] or 0), int(found[1] or 0)


def make(me: Worker, *endings: bool | None) -> None:
    """Make calls; None leaves one in flight."""
    for ending in endings:
        assert me.call(quota()) == ""
        if ending is not None:
            me.end(quota(), used=ending)


def test_stored_plus_journalled_plus_outstanding(url: str, tmp_path: Path, database: Database) -> None:
    client = in_force(url)
    with worker(url, tmp_path) as me:
        make(me, True, True, False, True)
        database.store(me.boot, count=2)
        make(me, None, None)
        client.flushdb()
        assert me.call(quota()) == "quota_rebuilding"
        set_counters(client, database)
        assert used(client) == (5, 3)
        make(me, True)
        me.end(quota(), used=True)
        me.end(quota(), used=False)
        until(lambda: used(client) == (5, 5), within=1)


def test_a_clean_restart_finds_every_organization_again(url: str, tmp_path: Path, database: Database) -> None:
    client = in_force(url)
    with worker(url, tmp_path) as me:
        make(me, True, None)
        client.hset(names.RUN, "run_id", "an earlier life of the server")
        client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        until(lambda: me.call(quota()) == "quota_rebuilding", within=1)
        assert rebuild.open_run(client)
        assert rebuild.waiting_organizations(client) == [ORG]
        assert not rebuild.in_force(client, ORG)
        set_counters(client, database)
        assert rebuild.in_force(client, ORG)
        assert rebuild.waiting_organizations(client) == []
        assert used(client) == (2, 1)
        make(me, True)


def test_a_dead_workers_journal_counts_and_what_it_held_does_not(url: str, tmp_path: Path, database: Database) -> None:
    client = in_force(url)
    with killed(url, tmp_path, True, True, None) as boot:
        database.store(boot, count=1)
        client.flushdb()
        set_counters(client, database)
    assert used(client) == (2, 2)


def killed(url: str, home: Path, *endings: bool | None):
    """A worker that made these calls and is gone, without a word."""
    return _Killed(url, home, endings)


class _Killed:
    def __init__(self, url: str, home: Path, endings: tuple) -> None:
        self._args = url, home, endings

    def __enter__(self) -> str:
        read, write = os.pipe()
        child = os.fork()
        if not child:
            self._live(write)
        os.waitpid(child, 0)
        with os.fdopen(read) as said:
            os.close(write)
            return said.read()

    def _live(self, write: int) -> None:
        try:
            url, home, endings = self._args
            with worker(url, home) as me:
                make(me, *endings)
                os.write(write, me.boot.encode())
                os.kill(os.getpid(), 9)
        finally:
            os._exit(1)

    def __exit__(self, *_: object) -> None:
        return None


def test_a_dead_workers_units_come_back_once_its_journal_is_stored(
    url: str, tmp_path: Path, database: Database
) -> None:
    client = in_force(url)
    with worker(url, tmp_path) as alive, killed(url, tmp_path, True, None, None) as boot:
        make(alive, None)
        assert used(client)[0] == 4
        assert rebuild.dead_owners(client, database.folder) == [boot]
        database.store(boot)
        (holding,) = rebuild.holdings(client, boot)
        assert (holding.granted, holding.since, holding.counter) == (3, 0, METER.counter)
        assert rebuild.reclaim(client, holding, spent=1)
        assert rebuild.reclaim(client, holding, spent=1)  # twice is once
        rebuild.forget_owner(client, boot)
        assert used(client)[0] == 2
        assert rebuild.dead_owners(client, database.folder) == []
        assert client.smembers(names.OWNERS) == {alive.boot.encode()}


def test_reclaim_counts_only_what_was_written_since_the_rebuild(url: str, tmp_path: Path, database: Database) -> None:
    client = in_force(url)
    with worker(url, tmp_path) as me:
        make(me, True, True, True, None)
        client.flushdb()
        me.call(quota())
        set_counters(client, database)
        make(me, True)
        until(lambda: used(client) == (5, 4), within=1)
        (holding,) = rebuild.holdings(client, me.boot)
        assert (holding.since, holding.granted, holding.returned) == (3, 2, 0)
        rebuild.reclaim(client, holding, spent=1)
        assert used(client) == (4, 4)


def test_reclaim_leaves_a_later_life_of_the_counter_alone(url: str, tmp_path: Path, database: Database) -> None:
    client = in_force(url)
    with killed(url, tmp_path, True, None) as boot:
        (holding,) = rebuild.holdings(client, boot)
        set_counters(client, database)
        assert not rebuild.reclaim(client, holding, spent=0)
        assert rebuild.holdings(client, boot) == []
        assert used(client) == (1, 1)


def test_what_is_stored_and_deleted_during_the_rebuild_is_counted_once(
    url: str, tmp_path: Path, database: Database
) -> None:
    client = in_force(url)
    with killed(url, tmp_path, True, True, True) as boot:
        client.flushdb()
        taken: list[Stored] = []

        def snapshot() -> Stored:
            taken.append(database.snapshot())
            database.store(boot, delete=True)  # right after the snapshot the aggregator and the shipper are done
            return taken[-1]

        set_counters(client, database, snapshot)
    assert [found.units[METER.counter] for found in taken] == [0, 3]
    assert used(client) == (3, 3)


def test_what_is_stored_beyond_a_gap_is_not_counted_again(url: str, tmp_path: Path, database: Database) -> None:
    client = in_force(url)
    with worker(url, tmp_path) as me:
        make(me, True, True, True, True)
        database.committed[me.boot], database.ahead[me.boot], database.units = 1, ((3, 3),), 2
        client.flushdb()
        set_counters(client, database)
        assert used(client) == (4, 4)


def test_a_lost_journal_is_not_waited_for(
    url: str, tmp_path: Path, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    client = in_force(url)
    with worker(url, tmp_path) as me:
        make(me, True, True)
        segment_path(database.folder, me.boot, 1).unlink()
        client.flushdb()
        set_counters(client, database)
        assert used(client) == (0, 0)
        assert "2 events" in caplog.text


def test_a_silent_worker_is_counted_by_its_journal_and_declares_the_rest_later(
    url: str, tmp_path: Path, database: Database
) -> None:
    client = in_force(url)
    with worker(url, tmp_path) as silent:
        make(silent, True, None)
        released = threading.Event()
        silent.channel._exchange._journal = Stuck(silent.journal, released)
        client.flushdb()
        rebuild.open_run(client)
        rebuild.rebuild_counters(
            client, database.folder, [ORG], meters=[METER], snapshot=database.snapshot, answer_s=0.2
        )
        assert used(client) == (1, 1)
        released.set()
        until(lambda: used(client) == (2, 1), within=2)


class Stuck:
    """A journal whose worker is held up as it is about to answer."""

    def __init__(self, journal, released: threading.Event) -> None:
        self._journal, self._released = journal, released

    def read(self, outstanding):
        self._released.wait(5)
        return self._journal.read(outstanding)


def test_a_counter_that_knows_of_less_than_is_stored_is_behind(url: str, tmp_path: Path, database: Database) -> None:
    client = in_force(url)
    with worker(url, tmp_path) as me:
        make(me, True, True)
        assert rebuild.behind(client, [METER], {METER.counter: 2}) == []
        assert rebuild.behind(client, [METER], {METER.counter: 3}) == [ORG]
        younger = replace(METER, counter=f"{METER.counter}-younger")
        assert rebuild.behind(client, [METER, younger], {younger.counter: 1}) == [ORG]


def test_counters_of_an_earlier_life_do_not_rise_again(url: str, tmp_path: Path, database: Database) -> None:
    """The restarted server still holds a counter that the rebuild knew nothing of: whoever meets it starts at zero."""
    client = in_force(url)
    other = replace(quota(), counter=names.counter(ORG, subject=SUBSCRIPTION, limit="younger", window_start_ms=1))
    with worker(url, tmp_path) as me:
        assert [me.call(other) for _ in range(3)] == ["", "", ""]
        set_counters(client, database)
        assert me.call(other) == ""
        until(lambda: client.hget(other.counter, "used") == b"4", within=1)  # its calls in flight, declared again


def test_a_new_organization_is_served_at_once(url: str, tmp_path: Path) -> None:
    client = in_force(url)
    fresh = replace(quota(), counter=names.counter("fresh", subject="s", limit="q", window_start_ms=1))
    with worker(url, tmp_path) as me:
        assert me.call(fresh) == "quota_rebuilding"
        rebuild.open_organization(client, "fresh")
        assert me.call(fresh) == ""


def test_keys_go_when_their_time_is_over(url: str, tmp_path: Path, database: Database) -> None:
    client = in_force(url)
    with worker(url, tmp_path) as me:
        make(me, True)
        claimed = client.pexpiretime(METER.counter)
        set_counters(client, database)
        assert client.pexpiretime(METER.counter) == claimed == END_MS + rebuild.KEEP_MS
        assert me.call(bucket(5, refill=1, refill_ms=1000)) == ""
        assert 5_000 < client.pttl(bucket().counter) <= 6_000  # a second until it is full, and a while


def test_nothing_is_lost_or_counted_twice_while_the_world_goes_on(url: str, tmp_path: Path, database: Database) -> None:
    """Workers call, the database stores, the server is emptied and rebuilt again and again."""
    client = in_force(url)
    stop = threading.Event()
    with worker(url, tmp_path) as one, worker(url, tmp_path) as other:
        threads = [threading.Thread(target=_call_on, args=(me, stop, used)) for me in (one, other) for used in (1, 0)]
        threads.append(threading.Thread(target=_store_on, args=(database, (one, other), stop)))
        for thread in threads:
            thread.start()
        for _ in range(6):
            client.flushdb()
            set_counters(client, database)
            count = used(client)[0]
            until(lambda count=count: used(client)[0] > count, within=3)
        stop.set()
        for thread in threads:
            thread.join()
        billable = sum(line.billable for me in (one, other) for line in lines_after(database.folder, me.boot, seq=0))
        until(lambda: used(client) == (billable, billable), within=2)


def _call_on(me: Worker, stop: threading.Event, every: int) -> None:
    n = 0
    while not stop.is_set():
        if me.call(quota(1_000_000)) == "":
            n += 1
            me.end(quota(1_000_000), used=bool(every or n % 3))


def _store_on(database: Database, workers: tuple[Worker, ...], stop: threading.Event) -> None:
    while not stop.wait(0.01):
        for me in workers:
            database.store(me.boot, count=20)


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path) -> Iterator[None]:
    (tmp_path / "journal").mkdir()
    yield
