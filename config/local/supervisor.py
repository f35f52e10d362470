"""Keeps processes running: starts them, waits until they answer, restarts the dead, stops all in order.

One thread looks twenty times a second. Each child leads a process group of its own, so that Ctrl-C in a
terminal reaches only the supervisor and whatever a dead child has left can be swept up by its group.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from config.local.errors import StartError
from config.local.processes import signal_group
from config.local.tether import tether

LOOK_S = 0.05
QUICK_DEATH_S = 5.0  # a child that lived longer is restarted at once
LONGEST_PAUSE_S = 10.0
LONGEST_PAUSE_IF_IT_WORKED_S = 1.0
FIRST_ATTEMPTS = 2


@dataclass(frozen=True, kw_only=True)
class Role:
    """One thing to keep running.

    `launch` returns the command and more arguments of Popen; it is called before each start and may prepare
    things. `ready` is asked with the child's process id and must answer within about a second.
    """

    name: str
    launch: Callable[[], tuple[Sequence[str], Mapping[str, Any]]]
    ready: Callable[[int], bool]
    log: Path | None = None  # None: the supervisor's own output
    stop_signal: signal.Signals = signal.SIGTERM
    stop_s: float = 10.0  # after that it is killed
    own_group: bool = True


@dataclass
class Child:
    role: Role
    process: "subprocess.Popen[bytes] | None" = None
    born_at: float = 0.0  # monotonic, as all instants here
    retry_at: float = 0.0
    quick_deaths: int = 0
    ready: bool = False
    was_ready: bool = False


@dataclass
class Supervisor:
    """`say` takes one line for the console; `on_start` hears of each new process."""

    say: Callable[[str], None]
    on_start: Callable[[], None] = lambda: None
    children: dict[str, Child] = field(default_factory=dict)

    def start(self, roles: Iterable[Role], *, timeout_s: float, stopping: Callable[[], bool]) -> None:
        """Start `roles` together and return when all are ready, or `stopping()`. Raises StartError."""
        fresh = [Child(role) for role in roles]
        self.children |= {child.role.name: child for child in fresh}
        for child in fresh:
            self._spawn(child)
        give_up = time.monotonic() + timeout_s
        while not stopping() and not all(child.ready for child in fresh):
            self.look()
            for child in fresh:
                if not child.was_ready and (child.quick_deaths >= FIRST_ATTEMPTS or time.monotonic() > give_up):
                    raise StartError(self._failure(child))
            time.sleep(LOOK_S / 2)

    def watch(self, *, stopping: Callable[[], bool], between: Callable[[], None] = lambda: None) -> None:
        """Keep everything running until `stopping()`; `between` is called after each look."""
        while not stopping():
            self.look()
            between()
            time.sleep(LOOK_S)

    def look(self) -> None:
        """Reap who died, restart who may, ask who has not yet said that it is ready."""
        for child in self.children.values():
            if child.process is None:
                if time.monotonic() >= child.retry_at:
                    self._try_again(child)
            elif self._dead(child.process):
                self._bury(child)
            elif not child.ready and child.role.ready(child.process.pid):
                if child.was_ready:
                    self.say(f"{child.role.name} is back")
                child.ready = child.was_ready = True

    def all_ready(self) -> bool:
        return all(child.ready for child in self.children.values())

    def pid(self, name: str) -> int | None:
        child = self.children.get(name)
        return child.process.pid if child and child.process else None

    def stop(self, names: Iterable[str], *, hard: Callable[[], bool] = lambda: False) -> None:
        """Stop these roles together: ask, wait, kill. `hard()` turns true when there is no time to wait."""
        stopped = [self.children.pop(name) for name in names if name in self.children]
        left = [(child, child.process) for child in stopped if child.process]
        for child, process in left:
            process.send_signal(child.role.stop_signal)
        began = time.monotonic()
        while left:
            for child, process in list(left):
                if hard() or time.monotonic() - began > child.role.stop_s:
                    process.kill()
                if self._dead(process):
                    self._reap(child)
                    left.remove((child, process))
            time.sleep(LOOK_S / 5)

    def _spawn(self, child: Child) -> None:
        command, options = child.role.launch()
        log = child.role.log.open("ab") if child.role.log else None
        child.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=child.role.own_group,
            preexec_fn=tether(child.role.stop_signal),
            **options,
        )
        if log:
            log.close()
        child.born_at = time.monotonic()
        child.ready = False
        self.on_start()

    def _try_again(self, child: Child) -> None:
        """Start a child again; what stands in the way now may be gone in a moment, so nothing else is given up."""
        try:
            self._spawn(child)
        except (StartError, OSError) as error:
            child.quick_deaths += 1
            child.retry_at = time.monotonic() + LONGEST_PAUSE_S
            self.say(f"{child.role.name} cannot be started now: {error}")

    def _dead(self, process: "subprocess.Popen[bytes]") -> bool:
        """Whether it has ended; its id stays taken until it is reaped, so that its group can still be named."""
        try:
            return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:
            return True

    def _bury(self, child: Child) -> None:
        status = self._reap(child)
        lived = time.monotonic() - child.born_at
        child.quick_deaths = child.quick_deaths + 1 if lived < QUICK_DEATH_S else 0
        longest = LONGEST_PAUSE_IF_IT_WORKED_S if child.ready else LONGEST_PAUSE_S
        pause = min(0.1 * 2 ** (child.quick_deaths - 1), longest) if child.quick_deaths else 0.0
        child.retry_at = time.monotonic() + pause
        child.ready = False
        self.say(f"{child.role.name} {_ending(status)}; it is started again{f' in {pause:.1f} s' if pause else ''}")

    def _reap(self, child: Child) -> int:
        assert child.process
        if child.role.own_group:
            signal_group(child.process.pid, signal.SIGKILL)
        status = child.process.wait()
        child.process = None
        return status

    def _failure(self, child: Child) -> str:
        lines = child.role.log.read_text(errors="replace").strip().splitlines() if child.role.log else []
        last = next((line.strip() for line in reversed(lines) if line.strip()), "nothing")
        return f"{child.role.name} does not start; its last words in {child.role.log} are: {last[:300]}"


def _ending(status: int) -> str:
    return f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
