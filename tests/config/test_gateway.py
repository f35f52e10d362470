"""The gateway's master with World in the gateway's place: slots, replacement, an end without remains."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config.local.gateway import answering
from config.local.home import BASE_DIR, Home
from config.local.ports import free_port
from config.local.probes import all_answer, status_of
from config.local.processes import alive, children_of

pytestmark = pytest.mark.faults

WORKERS = 3
WORLD = ("--application", "demo.world.wsgi:application")
PROBE = "/v1/countries/NP"


class Master:
    def __init__(self, folder: Path) -> None:
        self.home, self.port, self.log = Home(folder), free_port(), folder / "log"
        self.home.make()
        place = ("--port", str(self.port), "--workers", str(WORKERS), "--log", str(self.log))
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "gateway", *place, *WORLD],
            cwd=BASE_DIR,
            env=os.environ | {"TOLLGATE_HOME": str(folder), "TOLLGATE_ANNOUNCE": str(folder / "master")},
        )

    def until(self, condition: Callable[[], bool]) -> None:
        give_up = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < give_up, self.log.read_text()
            time.sleep(0.02)

    def stands(self) -> bool:
        return len(answering(self.home)) == WORKERS and all_answer(self.port, PROBE, status=200, tries=2 * WORKERS)


@pytest.fixture
def master(tmp_path: Path) -> Iterator[Master]:
    master = Master(tmp_path)
    master.until(master.stands)
    yield master
    master.process.kill()
    master.process.wait()


def test_says_that_it_is_ready_when_all_slots_are(master: Master) -> None:
    announced = master.home.path / "master"
    master.until(announced.exists)
    assert int(announced.read_text()) == master.process.pid


def test_who_answers_is_named_not_their_servers(master: Master) -> None:
    servers = children_of(master.process.pid)
    assert len(servers) == WORKERS
    assert sorted(answering(master.home)) == sorted(pid for server in servers for pid in children_of(server))


def test_a_slot_that_dies_is_replaced_while_the_others_answer(master: Master) -> None:
    for _ in range(3):
        dead = answering(master.home)[0]
        os.kill(dead, signal.SIGKILL)
        master.until(lambda dead=dead: not alive(dead))  # type: ignore[misc]
        master.until(lambda: all_answer(master.port, PROBE, status=200, tries=WORKERS))
        master.until(master.stands)


def test_stops_with_everything_it_started(master: Master) -> None:
    pids = [*children_of(master.process.pid), *answering(master.home)]
    master.process.send_signal(signal.SIGTERM)
    assert master.process.wait(15) == 0
    assert not any(map(alive, pids))
    assert status_of(master.port, PROBE) == 0


def test_leaves_nothing_when_it_is_killed(master: Master) -> None:
    pids = [*children_of(master.process.pid), *answering(master.home)]
    master.process.kill()
    master.until(lambda: not any(map(alive, pids)))
