"""One customer with a hard quota, and gateway workers that spend it: real counters, journals and stream."""

import multiprocessing
import os
import signal
from dataclasses import dataclass, field
from pathlib import Path

from gateway.admission import claims
from gateway.call import Claim, UsageEvent
from gateway.clock import Clock
from gateway.counter_channel import CounterChannel
from gateway.directory_store import publish_all
from gateway.journal import Journal
from gateway.records import Grant, Key, Limit, Organization, Period, PlanVersion, Subscription
from gateway.settings import GatewaySettings
from gateway.shipping import Shipper
from gateway.store import connect
from kit.ids import uuid7

DAY_MS = 86_400_000


@dataclass
class Customer:
    """An organization on a plan with these limits, as published; in its period at `at_ms`."""

    limits: tuple[Limit, ...]
    at_ms: int
    organization_limits: tuple[Limit, ...] = ()
    id: str = field(default_factory=lambda: str(uuid7(1_600_000_000_000)))  # older than any life of the server

    def __post_init__(self) -> None:
        project = str(uuid7())
        self.organization = Organization(self.id, 1, limits=self.organization_limits)
        self.key = Key(str(uuid7()), 1, ("00",), self.id, project, "live")
        self.test_key = Key(str(uuid7()), 1, ("01",), self.id, project, "test")
        self.period = Period(str(uuid7()), self.at_ms - DAY_MS, self.at_ms + DAY_MS)
        self.plan = PlanVersion(str(uuid7()), 1, 1, "free", limits=self.limits)
        self.subscription = Subscription(
            str(uuid7()), 1, self.id, project, (str(uuid7()),), self.plan.id, (self.period,)
        )

    def publish(self, settings: GatewaySettings) -> None:
        publish_all(settings, [self.organization, self.key, self.test_key, self.plan, self.subscription])

    def claims(self, *, test: bool = False) -> tuple[Claim, ...]:
        key = self.test_key if test else self.key
        return claims(Grant(key, self.organization, self.subscription, self.plan), self.period)

    def event(self, at_ms: int, *, test: bool = False, answered: bool = True) -> UsageEvent:
        return UsageEvent(
            event_id=str(uuid7(at_ms)),
            ts=at_ms,
            organization=self.id,
            project=self.key.project,
            key=(self.test_key if test else self.key).id,
            subscription=self.subscription.id,
            plan_version=self.plan.id,
            period_id=self.period.id,
            api=self.subscription.apis[0],
            version="v1",
            operation="getCountry",
            method="GET",
            status=200 if answered else 502,
            problem="" if answered else "upstream_unreachable",
            billable=answered and not test,
            accepted=answered,
            test=test,
        )


class Worker:
    """A gateway process as far as counting goes: its journal, and its way to the counters."""

    def __init__(self, settings: GatewaySettings, customer: Customer) -> None:
        self.customer, self.clock, self.boot = customer, Clock(), str(uuid7())
        self.journal = Journal(
            settings.journal_dir, gateway="local", worker="1", boot=self.boot, clock_ms=self.clock.now_ms
        )
        self.channel = CounterChannel(settings, owner=self.boot, journal=self.journal, clock=self.clock)
        self.channel.start()

    def admit(self, *, test: bool = False) -> None:
        """Begin a call. Raises Refusal."""
        self.channel.spend(self.customer.claims(test=test))

    def end(self, *, test: bool = False, answered: bool = True) -> None:
        """End a call that was admitted: it is written down and settled in one instant."""
        event = self.customer.event(self.clock.now_ms(), test=test, answered=answered)
        mine = self.customer.claims(test=test)
        self.journal.append([event], settle=lambda: self.channel.settle(mine, used=answered))

    def call(self, *, times: int = 1, test: bool = False, answered: bool = True) -> None:
        for _ in range(times):
            self.admit(test=test)
            self.end(test=test, answered=answered)

    def close(self) -> None:
        self.channel.close()
        self.journal.close()


def ship(settings: GatewaySettings) -> None:
    """Do what the shipper process does in a turn."""
    client = connect(settings.stream_url, timeout_s=2)
    shipper = Shipper(Path(settings.journal_dir), client, cap_bytes=settings.stream_cap_bytes)
    shipper.ship()
    shipper.tidy()


def die_after(settings: GatewaySettings, customer: Customer, *, ended: int, in_flight: int) -> str:
    """Run a worker that is killed -9 with calls in flight; return its boot id."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(
        target=_live, args=(settings, customer, ended, in_flight, there)
    )
    process.start()
    boot = here.recv()
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    return boot


def _live(settings: GatewaySettings, customer: Customer, ended: int, in_flight: int, said) -> None:
    worker = Worker(settings, customer)
    worker.call(times=ended)
    for _ in range(in_flight):
        worker.admit()
    said.send(worker.boot)
    signal.pause()
