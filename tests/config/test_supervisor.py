"""The supervisor with real child processes: restarts, back-off, order, nothing left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from config.local.errors import StartError
from config.local.processes import alive, children_of
from config.local.supervisor import Role, Supervisor

SLEEPER = "import time; time.sleep(60)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
FAMILY = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {SLEEPER!r}]); time.sleep(60)"


def role(name: str, code: str, **more: object) -> Role:
    command = [sys.executable, "-c", code]
    return Role(name=name, launch=lambda: (command, {}), **({"ready": lambda _pid: True} | more))  # type: ignore[arg-type]


def never() -> bool:
    return False


def until(condition: Callable[[], bool], supervisor: Supervisor | None = None, within_s: float = 10) -> None:
    give_up = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < give_up, "it did not happen in time"
        if supervisor:
            supervisor.look()
        time.sleep(0.01)


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def supervisor(lines: list[str]) -> Iterator[Supervisor]:
    supervisor = Supervisor(say=lines.append)
    yield supervisor
    supervisor.stop(list(supervisor.children), hard=lambda: True)


def start(supervisor: Supervisor, *roles: Role, timeout_s: float = 10) -> None:
    supervisor.start(roles, timeout_s=timeout_s, stopping=never)


def kill(supervisor: Supervisor, name: str) -> int:
    pid = supervisor.pid(name)
    assert pid
    os.kill(pid, signal.SIGKILL)
    until(lambda: supervisor.pid(name) not in (pid, None), supervisor)
    return pid


def test_a_dead_child_is_started_again_at_once_and_said_so(supervisor: Supervisor, lines: list[str]) -> None:
    start(supervisor, role("one", SLEEPER))
    killed = kill(supervisor, "one")
    until(supervisor.all_ready, supervisor)
    assert not alive(killed)
    assert lines == ["one was killed by SIGKILL; it is started again in 0.1 s", "one is back"]


def test_a_child_that_keeps_dying_waits_longer_each_time(supervisor: Supervisor) -> None:
    start(supervisor, role("one", SLEEPER))
    born = []
    for _ in range(4):
        kill(supervisor, "one")
        born.append(time.monotonic())
        until(supervisor.all_ready, supervisor)
    pauses = [later - earlier for earlier, later in pairwise(born)]
    assert pauses == sorted(pauses)
    assert pauses[-1] < 2  # one that has worked is never kept waiting for long


def test_start_waits_until_all_are_ready(supervisor: Supervisor, tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    late = role("late", f"import time; time.sleep(0.2); open({str(flag)!r}, 'w'); time.sleep(60)")
    start(supervisor, role("early", SLEEPER), Role(name="late", launch=late.launch, ready=lambda _pid: flag.exists()))
    assert flag.exists()
    assert supervisor.all_ready()


def test_what_cannot_start_is_said_with_its_last_words(supervisor: Supervisor, tmp_path: Path) -> None:
    bad = role("bad", "raise SystemExit('no such luck')", log=tmp_path / "bad.log", ready=lambda _pid: False)
    with pytest.raises(StartError, match=r"bad does not start.*no such luck"):
        start(supervisor, bad)


def test_what_never_answers_is_given_up(supervisor: Supervisor, tmp_path: Path) -> None:
    with pytest.raises(StartError, match="mute does not start"):
        start(supervisor, role("mute", SLEEPER, log=tmp_path / "log", ready=lambda _pid: False), timeout_s=0.3)


def test_what_stands_in_the_way_of_a_restart_is_said_and_nothing_else_given_up(
    supervisor: Supervisor, lines: list[str]
) -> None:
    command = [sys.executable, "-c", SLEEPER]
    ways: list[list[str]] = [command, ["/no/such/program"]]
    moody = Role(name="moody", launch=lambda: (ways.pop(0), {}), ready=lambda _pid: True)
    start(supervisor, moody, role("other", SLEEPER))
    pid = supervisor.pid("moody")
    assert pid
    os.kill(pid, signal.SIGKILL)
    until(lambda: any("moody cannot be started now" in line for line in lines), supervisor)
    assert supervisor.pid("other")


def test_stop_ends_a_child_with_its_children(supervisor: Supervisor) -> None:
    start(supervisor, role("family", FAMILY))
    pid = supervisor.pid("family")
    assert pid
    until(lambda: len(children_of(pid)) == 1)
    grandchild = children_of(pid)[0]
    supervisor.stop(["family"])
    until(lambda: not alive(pid) and not alive(grandchild))


def test_stop_kills_who_does_not_listen(supervisor: Supervisor, tmp_path: Path) -> None:
    log = tmp_path / "log"
    start(supervisor, role("stubborn", STUBBORN, stop_s=0.2, log=log, ready=lambda _pid: b"up" in log.read_bytes()))
    pid = supervisor.pid("stubborn")
    assert pid
    supervisor.stop(["stubborn"])
    assert not alive(pid)


def test_children_die_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    """The kernel tells them; elsewhere the next start does (test_leftovers)."""
    program = f"""
import sys, time
from config.local.supervisor import Role, Supervisor
s = Supervisor(say=print)
command = [sys.executable, "-c", {SLEEPER!r}]
s.start([Role(name="one", launch=lambda: (command, {{}}), ready=lambda pid: True)], timeout_s=9, stopping=lambda: False)
print(s.pid("one"), flush=True)
time.sleep(60)
"""
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    child = int(parent.stdout.readline())
    assert alive(child)
    parent.kill()
    parent.wait()
    until(lambda: not alive(child))
