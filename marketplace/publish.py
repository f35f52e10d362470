"""From the marketplace's rows to the gateway's directory: what is told is always the state of this moment.

An outbox key says which record ("key:<id>"); its handler reads the rows, builds the record and publishes it.
A row is read with its `rev` before its parts are, and a part changes only together with the `rev`: so a record
may be newer than it says, never older. Told twice, late or out of order, an older `rev` never wins.
Raises gateway.public.NotPublished.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from accounts import public as accounts
from gateway import public as gateway
from marketplace import records
from marketplace.models import Api, ApiKey, ApiState, PlanVersion, PlanVersionState, Subscription, SubscriptionState
from usage import public as usage

CHUNK = 500


def publish_entry(key: str, payload: dict[str, Any]) -> None:
    """Bring one outbox entry into force: "organization:<id>", "key:<id>", "adopters:<plan version id>", …"""
    kind, _, ident = key.partition(":")
    gateway.publish(settings.GATEWAY, ENTRIES[kind](UUID(ident)))
    for org in COUNTED.get(kind, _nobody)(UUID(ident)):
        usage.ensure_counters(org)  # so that a new customer's first call finds counters, not a rebuild


def publish_everything() -> None:
    """Fill the directory: every record there is, under a new epoch."""
    gateway.publish_all(settings.GATEWAY, everything(at=timezone.now()))


def everything(*, at: datetime) -> Iterator[gateway.Record]:
    """All records, read while they are consumed; ended keys and subscriptions are left out."""
    for organization in accounts.every_organization():
        yield records.organization(organization)
    for api in records.with_api_parts(Api.objects.exclude(state=ApiState.DRAFT)):
        yield records.api(api)
    versions = PlanVersion.objects.exclude(state=PlanVersionState.DRAFT).select_related("plan")
    for version in versions.prefetch_related("limits").iterator(chunk_size=CHUNK):
        yield records.plan_version(version)
    live = Subscription.objects.exclude(state__in=(SubscriptionState.CANCELLED, SubscriptionState.INCOMPLETE))
    for subscription in records.with_covers(live).iterator(chunk_size=CHUNK):
        yield records.subscription(subscription, at=at)
    for key in ApiKey.objects.filter(state="active").iterator(chunk_size=CHUNK):
        yield records.key(key)


# --- one entry each ---


def _organization(ident: UUID) -> list[gateway.Record]:
    return [records.organization(accounts.organization(ident))]


def _key(ident: UUID) -> list[gateway.Record]:
    return [records.key(row) for row in ApiKey.objects.filter(id=ident)]


def _api(ident: UUID) -> list[gateway.Record]:
    rows = Api.objects.filter(id=ident).exclude(state=ApiState.DRAFT)
    return [records.api(row) for row in records.with_api_parts(rows)]


def _plan_version(ident: UUID) -> list[gateway.Record]:
    rows = PlanVersion.objects.filter(id=ident).exclude(state=PlanVersionState.DRAFT)
    return [records.plan_version(row) for row in rows.select_related("plan").prefetch_related("limits")]


def _subscription(ident: UUID) -> list[gateway.Record]:
    rows = records.with_covers(Subscription.objects.filter(id=ident))
    return [records.subscription(row, at=timezone.now()) for row in rows]


def _adopters(ident: UUID) -> Iterator[gateway.Record]:
    """A plan version and all who hold it, a chunk at a time: there may be many thousands."""
    yield from _plan_version(ident)
    holders = Subscription.objects.filter(plan_version=ident).exclude(state=SubscriptionState.CANCELLED)
    for row in records.with_covers(holders).iterator(chunk_size=CHUNK):
        yield records.subscription(row, at=timezone.now())


ENTRIES: dict[str, Callable[[UUID], Iterable[gateway.Record]]] = {
    "organization": _organization,
    "key": _key,
    "api": _api,
    "plan_version": _plan_version,
    "subscription": _subscription,
    "adopters": _adopters,
}


# --- whose counters an entry may bring up ---


def _itself(ident: UUID) -> list[UUID]:
    return [ident]


def _holder(ident: UUID) -> list[UUID]:
    return list(Subscription.objects.filter(id=ident).values_list("organization_id", flat=True))


def _nobody(ident: UUID) -> list[UUID]:
    return []


COUNTED: dict[str, Callable[[UUID], list[UUID]]] = {"organization": _itself, "subscription": _holder}
