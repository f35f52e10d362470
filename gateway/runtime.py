"""What one process needs to answer calls: threads, files and connections, opened at the first use, closed at exit."""

import logging
import os
import socket
import threading
from collections.abc import Callable
from functools import cached_property
from multiprocessing.util import Finalize

from gateway.attempts import Attempts
from gateway.clock import Clock
from gateway.counter_channel import CounterChannel
from gateway.engine import Engine, Lookup
from gateway.follower import follow
from gateway.journal import JournalFull, open_journal
from gateway.keyring import Keyring
from gateway.lookup import DirectoryLookup
from gateway.recorder import Recorder
from gateway.settings import GatewaySettings
from gateway.upstream import Upstreams
from kit.ids import uuid7

log = logging.getLogger(__name__)
FLUSH_S = 1.0
FAILED_PER_MINUTE = 3000  # attempts with unknown keys from one address


class Runtime:
    """One per process and settings, made by `runtime_of` after the last fork. Any thread."""

    def __init__(self, settings: GatewaySettings) -> None:
        self.settings = settings
        self.boot = str(uuid7())
        self.clock = Clock()
        self.upstreams = Upstreams(settings.upstream_allow)
        self._opening = threading.RLock()
        self._closers: list[Callable[[], None]] = [self.upstreams.close]  # run from the last to the first

    def door(self) -> Engine:
        """The engine of a door: keys and APIs from the directory."""
        with self._opening:
            return self._door

    def with_lookup(self, lookup: Lookup) -> Engine:
        """An engine that counts and records like a door, with another source of grants."""
        with self._opening:
            return Engine(self.settings, lookup=lookup, records=self._recorder, upstreams=self.upstreams)

    def close(self) -> None:
        """Stop in order, when the last call has ended. Twice is once."""
        while self._closers:
            self._closers.pop()()

    @cached_property
    def _door(self) -> Engine:
        recorder, channel = self._recorder, self._channel
        follower = follow(self.settings)
        self._closers.append(follower.stop)
        attempts = Attempts(per_minute=FAILED_PER_MINUTE)
        keyring = Keyring(follower, peppers=self.settings.peppers, attempts=attempts)
        lookup = DirectoryLookup(follower, keyring, seen_version=lambda: channel.directory_version)
        return Engine(self.settings, lookup=lookup, records=recorder, upstreams=self.upstreams)

    @cached_property
    def _journal(self) -> tuple[Recorder, CounterChannel]:
        worker = f"{socket.gethostname()}:{os.getpid()}"
        journal, keeper = open_journal(self.settings, worker=worker, boot=self.boot, clock_ms=self.clock.now_ms)
        channel = CounterChannel(self.settings, owner=self.boot, journal=journal, clock=self.clock)
        channel.start()
        recorder = Recorder(journal, channel, clock_ms=self.clock.now_ms)
        self._closers += [keeper.close, channel.close, Ticker(recorder).close]
        return recorder, channel

    @property
    def _recorder(self) -> Recorder:
        return self._journal[0]

    @property
    def _channel(self) -> CounterChannel:
        return self._journal[1]


class Ticker:
    """Flushes a recorder every FLUSH_S in a thread of its own, and for the last time when it is closed."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="flush", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        ending = False
        while not ending:
            ending = self._ending.wait(FLUSH_S)
            try:
                self._recorder.flush(last=ending)
            except JournalFull as full:
                log.error("%s", full)


_runtimes: dict[GatewaySettings, tuple[int, Runtime]] = {}
_making = threading.Lock()


def runtime_of(settings: GatewaySettings) -> Runtime:
    """Return this process's runtime; a fork's child gets its own."""
    known = _runtimes.get(settings)
    if known is None or known[0] != os.getpid():
        with _making:
            known = _runtimes.get(settings)
            if known is None or known[0] != os.getpid():
                runtime = Runtime(settings)
                Finalize(None, runtime.close, exitpriority=0)  # atexit is for main processes: workers never run it
                known = _runtimes[settings] = (os.getpid(), runtime)
    return known[1]
