"""Gateway workers as far as counters see them: a journal, a channel, and calls; also as processes of their own."""

import multiprocessing
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from gateway import names
from gateway.call import Claim, Refusal, UsageEvent
from gateway.clock import Clock
from gateway.counter_channel import CounterChannel
from gateway.journal import Journal
from gateway.rebuild import open_organization, open_run
from gateway.settings import GatewaySettings
from kit.ids import uuid7
from tests.gateway.stores import settings_for

ORG, SUBSCRIPTION = "acme", "sub"
END_MS = 4_000_000_000_000


def quota(limit: int = 1000, **more: object) -> Claim:
    shape = {
        "counter": names.counter(ORG, subject=SUBSCRIPTION, limit="quota:billable:period", window_start_ms=1),
        "kind": "quota",
        "name": "period",
        "meter": "billable",
        "version": 1,
        "hard": True,
        "refusal": "quota_exceeded",
        "window_start_ms": 1,
        "window_end_ms": END_MS,
    }
    return Claim(**(shape | {"limit": limit} | more))  # type: ignore[arg-type]


def bucket(burst: int = 5, refill: int = 100, refill_ms: int = 1000) -> Claim:
    return quota(
        burst,
        counter=names.counter(ORG, subject=SUBSCRIPTION, limit="bucket:second"),
        kind="bucket",
        refusal="rate_limited",
        window_start_ms=0,
        window_end_ms=0,
        refill=refill,
        refill_ms=refill_ms,
    )


def in_force(url: str, org: str = ORG) -> redis.Redis:
    """Return a client of the server, with the organization's counters in force."""
    client = redis.Redis.from_url(url, protocol=2)
    open_run(client)
    open_organization(client, org)
    return client


class Worker:
    def __init__(self, settings: GatewaySettings) -> None:
        clock = Clock()
        self.boot = str(uuid7())
        self.journal = Journal(
            settings.journal_dir, gateway="g", worker="w", boot=self.boot, clock_ms=clock.now_ms, reserve_bytes=1 << 16
        )
        self.channel = CounterChannel(settings, owner=self.boot, journal=self.journal, clock=clock)
        self.clock = clock

    def call(self, *claims: Claim) -> str:
        """Spend; return the problem's code, "" if granted."""
        try:
            self.channel.spend(claims)
        except Refusal as refusal:
            return refusal.code
        return ""

    def end(self, *claims: Claim, used: bool) -> None:
        """Write the event and settle, as the recorder does."""
        at_ms = self.clock.now_ms()
        event = _EVENT.copy() | {"event_id": str(uuid7(at_ms)), "ts": at_ms, "billable": used}
        self.journal.append([UsageEvent(**event)], settle=lambda: self.channel.settle(claims, used=used))

    def close(self) -> None:
        self.channel.close()
        self.journal.close()


_EVENT = {
    "organization": ORG,
    "project": "project",
    "key": "key",
    "subscription": SUBSCRIPTION,
    "plan_version": "version",
    "period_id": "period",
    "api": "api",
    "version": "v1",
    "operation": "op",
    "method": "GET",
    "status": 200,
    "problem": "",
    "accepted": True,
    "test": False,
}


@contextmanager
def worker(url: str, home: Path, **more: object) -> Iterator[Worker]:
    found = Worker(settings_for(url, home, **more))
    try:
        yield found
    finally:
        found.close()


def call_in_processes(
    url: str, home: Path, *, processes: int, threads: int, calls: int, limit: int, fail_every: int
) -> Counter:
    """Make calls in processes of many threads; return how each ended, and how many were billable."""
    context = multiprocessing.get_context("spawn")
    said = context.SimpleQueue()
    args = (url, home, threads, calls // processes // threads, limit, fail_every, said)
    children = [context.Process(target=_process, args=args) for _ in range(processes)]
    for child in children:
        child.start()
    total = sum((said.get() for _ in children), Counter())
    for child in children:
        child.join(10)
    return total


def _process(url: str, home: Path, threads: int, calls: int, limit: int, fail_every: int, said) -> None:
    counted: Counter = Counter()
    lock = threading.Lock()
    with worker(url, home) as me:

        def make(thread: int) -> None:
            for n in range(calls):
                claims = (quota(limit),)
                code = me.call(*claims)
                billable = not code and not (fail_every and (n + thread) % fail_every == 0)
                if not code:
                    me.end(*claims, used=billable)
                with lock:
                    counted[code or "granted"] += 1
                    counted["billable"] += billable

        running = [threading.Thread(target=make, args=(n,)) for n in range(threads)]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()
    said.put(counted)
