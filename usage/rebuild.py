"""Bring counters into force from what is recorded: after Redis came back empty or as another, and for new customers.

Owns: what is stored, per counter; which organizations are set when; giving back what dead workers held.
Does not own: the counters themselves and the order that makes a rebuild exact (gateway.rebuild).
Idempotent because a round sets totals, never adds; one process at a time rebuilds (kit.django.locks).
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cached_property
from uuid import UUID

from django.conf import settings
from redis import Redis

from gateway import public as gateway
from gateway.public import Directory, Key, Meter, Subscription
from kit.django.locks import only_one
from kit.ids import at_ms
from usage.models import Producer
from usage.recorded import spent_by, stored

LOCK = "usage.rebuild"
TIMEOUT_S = 2.0
BATCH = 100  # organizations in one round
SKEW_MS = 10_000  # how far the clocks of who mints an organization's id and of Redis may be apart

log = logging.getLogger(__name__)


def ensure_counters(org: UUID) -> None:
    """Bring an organization's counters into force unless they are; cheap for a new one, whose counters are all zero.

    When another process is rebuilding, or the directory is not there yet, it waits for `rebuild_waiting`: until
    then hard limits answer 503 quota_rebuilding. Raises redis.RedisError.
    """
    client = _counters()
    gateway.open_run(client)
    if gateway.in_force(client, str(org)):
        return
    if _never_called(client, org):
        gateway.open_organization(client, str(org))
        return
    client.sadd(gateway.REBUILD, str(org))
    with only_one(LOCK) as mine:
        if mine:
            _rebuild(client, _Published(client), [str(org)])


def rebuild_waiting() -> None:
    """Rebuild the organizations that calls are waiting for, then give back what dead workers held.

    Raises redis.RedisError and django.db.OperationalError; the next try begins from the start.
    """
    client = _counters()
    with only_one(LOCK) as mine:
        if not mine:
            return
        gateway.open_run(client)
        published = _Published(client)
        waiting = gateway.waiting_organizations(client)
        for start in range(0, len(waiting), BATCH):
            _rebuild(client, published, waiting[start : start + BATCH])
        for owner in gateway.dead_owners(client, settings.GATEWAY.journal_dir):
            _bury(client, published, owner)


class _Published:
    """The directory, read at most once in a turn, and only if something is to be done."""

    def __init__(self, client: Redis) -> None:
        self._client = client

    def meters(self, orgs: Iterable[str]) -> dict[str, list[Meter]]:
        """List every quota counter of these organizations; one that is not published is left out."""
        table, subscriptions, keys, at_ms = self._read
        return {
            org: gateway.meters_of(
                table.organizations[org],
                subscriptions=subscriptions[org],
                plan_versions=table.plan_versions,
                keys=keys[org],
                at_ms=at_ms,
            )
            for org in orgs
            if org in table.organizations
        }

    @cached_property
    def _read(self) -> tuple[Directory, dict[str, list[Subscription]], dict[str, list[Key]], int]:
        """The whole directory, empty while the server holds none; what is an organization's; the server's time."""
        seconds, micros = self._client.time()
        found = gateway.load_directory(self._client)
        table = found[0] if found else Directory()
        subscriptions, keys = defaultdict[str, list[Subscription]](list), defaultdict[str, list[Key]](list)
        for subscription in table.subscriptions.values():
            subscriptions[subscription.organization].append(subscription)
        for key in table.keys.values():
            keys[key.organization].append(key)
        return table, subscriptions, keys, seconds * 1000 + micros // 1000


def _counters() -> Redis:
    return gateway.connect(settings.GATEWAY.redis_url, timeout_s=TIMEOUT_S)


def _never_called(client: Redis, org: UUID) -> bool:
    """Whether no call of it can ever have been admitted: it is younger than this life of Redis, in which its counters
    were never in force; or no gateway has ever run here."""
    if at_ms(org) > _opened_ms(client) + SKEW_MS:
        return True
    folder = settings.GATEWAY.journal_dir
    return not Producer.objects.exists() and not (folder.is_dir() and gateway.boots(folder))


def _opened_ms(client: Redis) -> int:
    return int(client.hget(gateway.RUN, "generation") or 0) // 1000


def _rebuild(client: Redis, published: _Published, orgs: Sequence[str]) -> None:
    meters = published.meters(orgs)
    known = list(meters)
    if not known:
        return  # the directory does not know them yet: they stay in waiting
    counted = [meter for org in known for meter in meters[org]]
    folder = settings.GATEWAY.journal_dir
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    gateway.rebuild_counters(client, folder, known, meters=counted, snapshot=lambda: stored(counted))
    log.info("usage: rebuilt the counters of %d organizations", len(known))


def _bury(client: Redis, published: _Published, owner: str) -> None:
    """Give back what a dead worker held and did not spend, once all it wrote down is stored."""
    producer = Producer.objects.filter(boot_id=owner, closed=True).first()
    if producer is None:
        return
    held = gateway.holdings(client, owner)
    orgs = {gateway.organization_of(holding.counter) for holding in held}
    meters = {meter.counter: meter for found in published.meters(orgs).values() for meter in found} if held else {}
    spent = spent_by(producer, held, meters)
    for holding in held:
        # of a counter that nobody spends from any more nothing needs to come back
        all_of_it = holding.granted - holding.returned
        gateway.reclaim(client, holding, spent=spent.get(holding.counter, all_of_it))
    gateway.forget_owner(client, owner)
    log.info("usage: settled %d counters of worker %s, which died", len(held), owner)
