"""Owns: what a plan's versions say: drafts, publication, and adoption of a limits-only version. Does not own: who
subscribes. Idempotent: publishing the published, drafting beside a draft, adopting the adopted change nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Max

from accounts.public import Actor
from kit.django.outbox import emit
from kit.errors import ProblemError, invalid
from marketplace.actions.telling import note, tell_new
from marketplace.limits import limits_hash, read_limits
from marketplace.mapping import limit_json, plan_version_view, price_json
from marketplace.models import (
    Api,
    Interval,
    LatePolicy,
    Limit,
    Plan,
    PlanVersion,
    PlanVersionState,
    Price,
    Rounding,
    Subscription,
    SubscriptionState,
)
from marketplace.pricing.fields import Fields
from marketplace.pricing.price import free, price_hash, read_prices
from marketplace.values import PlanVersionView

Json = Mapping[str, Any]
_OWN = frozenset({"kind", "name", "meter", "filters"})  # a price's columns; all other fields are its config


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What a version says. Prices and limits are JSON as `read_prices` and `read_limits` take it."""

    currency: str = "USD"
    interval: str = "month"
    rounding: str = "half_even"
    late_policy: str = "bill"
    late_waive_below: str | None = None
    prices: Sequence[Json] = ()
    limits: Sequence[Json] = ()


@transaction.atomic
def new_version(plan_id: UUID, *, actor: Actor, at: datetime) -> PlanVersionView:
    """Copy a plan's newest version into a draft; an open draft is answered as it is. Raises ProblemError not_found."""
    plan = locked_plan(plan_id)
    latest = plan.versions.order_by("-number").first()
    if latest is not None and latest.state == PlanVersionState.DRAFT:
        return _view(latest.id)
    number = (plan.versions.aggregate(top=Max("number"))["top"] or 0) + 1
    draft = PlanVersion.objects.create(plan=plan, number=number)
    note(draft, "plan_version.drafted", org=None, actor=actor, at=at)
    return set_terms(draft.id, terms=_terms(latest) if latest else Terms(), actor=actor, at=at)


@transaction.atomic
def set_terms(version_id: UUID, *, terms: Terms, actor: Actor, at: datetime) -> PlanVersionView:
    """Replace what a draft says. Raises ProblemError invalid, not_found, conflict (it is published)."""
    row = _version(version_id)
    if row.state != PlanVersionState.DRAFT:
        raise ProblemError("conflict", "A published version never changes: make a new version.")
    prices = read_prices(terms.prices, currency=terms.currency)
    limits = read_limits(terms.limits, plan=row.plan.slug)
    _apply(row, terms)
    row.prices.all().delete()
    row.limits.all().delete()
    Price.objects.bulk_create(
        Price(
            plan_version=row,
            position=position,
            name=price.name,
            kind=price.model.kind,
            meter=price.meter,
            filters={dimension: list(values) for dimension, values in price.filters},
            config={name: value for name, value in raw.items() if name not in _OWN},
        )
        for position, (price, raw) in enumerate(zip(prices, terms.prices, strict=True))
    )
    Limit.objects.bulk_create(
        Limit(plan_version=row, position=position, limit_id=limit.id(row.plan.slug), **vars(limit))
        for position, limit in enumerate(limits)
    )
    note(row, "plan_version.changed", org=None, actor=actor, at=at)
    return _view(row.id)


@transaction.atomic
def publish_version(version_id: UUID, *, actor: Actor, at: datetime) -> PlanVersionView:
    """Publish a draft: from now on it never changes. Raises ProblemError invalid, not_found."""
    row = _version(version_id)
    if row.state != PlanVersionState.DRAFT:
        return _view(row.id)
    prices = read_prices([price_json(price) for price in row.prices.all()], currency=row.currency)
    limits = read_limits([limit_json(limit) for limit in row.limits.all()], plan=row.plan.slug)
    row.free = free(prices)
    if not row.free and Api.objects.filter(free_plan=row.plan).exists():
        raise invalid("prices", "This plan is given to new accounts: it must stay free.")
    row.price_hash = price_hash(
        prices,
        currency=row.currency,
        interval=row.interval,
        rounding=row.rounding,
        rules={"billability": row.billability, "late": f"{row.late_policy}:{row.late_waive_below or 0:f}"},
    )
    row.limits_hash = limits_hash(limits)
    row.state, row.published_at = PlanVersionState.PUBLISHED, at
    row.save()
    tell_new(row)
    note(row, "plan_version.published", org=None, actor=actor, at=at, after={"free": row.free, "number": row.number})
    return _view(row.id)


@transaction.atomic
def adopt_version(version_id: UUID, *, actor: Actor, at: datetime) -> int:
    """Move the plan's subscribers to a version that differs from theirs in limits only; answer how many moved.

    Their counters stay: limits have stable ids. Subscribers of versions with other prices stay where they
    are. Raises ProblemError not_found, conflict (a draft, or no subscriber pays these prices); its commit
    raises Undelivered while the gateway has not taken it.
    """
    row = _version(version_id)
    if row.state != PlanVersionState.PUBLISHED:
        raise ProblemError("conflict", "Publish the version first.")
    live = Subscription.objects.exclude(state=SubscriptionState.CANCELLED).filter(plan_version__plan=row.plan)
    older = live.filter(plan_version__number__lt=row.number)
    alike = older.filter(plan_version__price_hash=row.price_hash)
    ids = list(alike.select_for_update(of=("self",)).order_by("id").values_list("id", flat=True))
    if not ids and older.exists():
        raise ProblemError(
            "conflict",
            "This version changes prices, allowances or rules, so it cannot be adopted within a period: "
            "it applies to those who change to it.",
        )
    Subscription.objects.filter(id__in=ids).update(plan_version=row, rev=F("rev") + 1)
    emit("directory", key=f"adopters:{row.id}")  # also when nobody moved: asking twice heals a lost message
    if ids:
        note(row, "plan_version.adopted", org=None, actor=actor, at=at, after={"subscriptions": len(ids)})
    return len(ids)


def locked_plan(plan_id: UUID) -> Plan:
    """The plan's row is the lock of its versions."""
    row = Plan.objects.select_for_update().filter(id=plan_id).first()
    if row is None:
        raise ProblemError("not_found")
    return row


def _version(version_id: UUID) -> PlanVersion:
    rows = PlanVersion.objects.select_for_update(of=("self",)).select_related("plan")
    row = rows.filter(id=version_id).first()
    if row is None:
        raise ProblemError("not_found")
    return row


def _view(version_id: UUID) -> PlanVersionView:
    rows = PlanVersion.objects.select_related("plan").prefetch_related("prices", "limits")
    return plan_version_view(rows.get(id=version_id))


def _terms(row: PlanVersion) -> Terms:
    return Terms(
        currency=row.currency,
        interval=row.interval,
        rounding=row.rounding,
        late_policy=row.late_policy,
        late_waive_below=None if row.late_waive_below is None else f"{row.late_waive_below:f}",
        prices=[price_json(price) for price in row.prices.all()],
        limits=[limit_json(limit) for limit in row.limits.all()],
    )


def _apply(row: PlanVersion, terms: Terms) -> None:
    for field, choices in (("interval", Interval), ("rounding", Rounding), ("late_policy", LatePolicy)):
        if getattr(terms, field) not in choices.values:
            raise invalid(field, f"One of {', '.join(choices.values)}.")
        setattr(row, field, getattr(terms, field))
    row.currency = terms.currency
    row.late_waive_below = _waived(terms)
    row.save()


def _waived(terms: Terms) -> Decimal | None:
    if terms.late_policy != "waive_below":
        return None
    fields = Fields({"late_waive_below": terms.late_waive_below})
    amount = fields.amount("late_waive_below")
    if fields.errors:
        raise ProblemError("invalid", errors=fields.errors)
    return amount
