"""Owns: who holds which free plan, and when a hold ends. Does not own: paid plans (bought and changed by billing).
Idempotent: subscribing again answers the live subscription; two database constraints decide races."""

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction
from django.db.models import Q

from accounts import public as accounts
from accounts.public import Actor
from kit.errors import ProblemError, invalid
from marketplace import queries
from marketplace.actions.telling import note, tell, tell_new
from marketplace.mapping import subscription_view
from marketplace.models import (
    Api,
    ApiState,
    Plan,
    PlanState,
    PlanVersion,
    PlanVersionState,
    Subscription,
    SubscriptionApi,
    SubscriptionState,
)
from marketplace.periods import period_at, whole_ms
from marketplace.values import SubscriptionView

BATCH = 200


@transaction.atomic
def subscribe_free(
    org: UUID,
    *,
    project_id: UUID,
    api_slug: str,
    user_id: UUID | None,
    actor: Actor,
    at: datetime,
    plan_slug: str = "",
) -> SubscriptionView:
    """Subscribe a project to a free plan (default: the one that the API gives to new accounts).

    `user_id` is the person who holds it: one such plan per person and API, over all organizations, unless the
    plan allows more. None: the operator gives it, and it counts against nobody. A live subscription to the
    same plan is answered as it is; about to end, it stays.
    Raises ProblemError not_found, invalid (not a free plan), conflict.
    """
    project = accounts.project(org, id=project_id)
    version = _free_version(queries.visible_api(api_slug, viewer=org), plan_slug)
    held = _kept(org, project.id, version, actor=actor, at=at) or _started(
        org, project.id, version, user_id, actor=actor, at=at
    )
    return subscription_view(queries.subscription(org, id=held), at=at)


@transaction.atomic
def cancel_subscription(org: UUID, *, id: UUID, actor: Actor, at: datetime) -> SubscriptionView:
    """Let a free subscription end with its period, so that cancelling never refills a quota. Twice is once.

    Raises ProblemError not_found, conflict (a paid plan: billing ends it).
    """
    rows = Subscription.objects.select_for_update(of=("self",)).select_related("plan_version")
    row = rows.filter(organization=org, id=id).first()
    if row is None:
        raise ProblemError("not_found")
    if not row.plan_version.free:
        raise ProblemError("conflict", "A paid subscription is cancelled where it is billed.")
    if row.state != SubscriptionState.CANCELLED and row.change_at is None:
        row.change_at = period_at(row.chain, max(at, row.period_start_at)).end_at
        row.save(update_fields=["change_at"])
        after = {"ends_at": row.change_at.isoformat()}
        note(row, "subscription.cancelled", org=org, actor=actor, at=at, after=after)
    return subscription_view(queries.subscription(org, id=id), at=at)


def end_due(*, at: datetime) -> int:
    """End the subscriptions whose last period is over; answer how many. Any number of these may run at once."""
    due = Q(change_at__lte=at, next_version=None) & ~Q(state=SubscriptionState.CANCELLED)
    with transaction.atomic():
        rows = list(Subscription.objects.filter(due).select_for_update(skip_locked=True)[:BATCH])
        for row in rows:
            row.state, row.cancelled_at = SubscriptionState.CANCELLED, row.change_at
            row.save(update_fields=["state", "cancelled_at"])
            row.covers.update(live=False)
            tell(row, may_wait=True)
            system = Actor("system", None, "period end")
            note(row, "subscription.ended", org=row.organization_id, actor=system, at=at)
    return len(rows)


def give_start(
    org: UUID, *, project_id: UUID, user_id: UUID, api_slug: str | None, actor: Actor, at: datetime
) -> SubscriptionView | None:
    """Subscribe a new organization to the free plan of the API it came for, else of a featured one.

    None: there is no such plan, or this person already holds it in another organization.
    """
    api = _starter(api_slug)
    if api is None:
        return None
    try:
        return subscribe_free(org, project_id=project_id, api_slug=api.slug, user_id=user_id, actor=actor, at=at)
    except ProblemError as refusal:
        if refusal.code not in ("conflict", "invalid"):
            raise
        return None


def _starter(api_slug: str | None) -> Api | None:
    giving = Api.objects.filter(
        state=ApiState.PUBLISHED,
        visibility="public",
        free_plan__state=PlanState.ACTIVE,
        free_plan__versions__state=PlanVersionState.PUBLISHED,
    ).distinct()
    asked = giving.filter(slug=queries.clean(api_slug)).first() if api_slug else None
    return asked or giving.filter(featured=True).order_by("id").first()


def _free_version(api: Api, plan_slug: str) -> PlanVersion:
    plan: Plan | None = api.free_plan
    if plan_slug:
        plan = queries.offered_plans().filter(slug=queries.clean(plan_slug), apis=api).first()
    if plan is None or plan.state != PlanState.ACTIVE:
        raise invalid("plan", f"{api.name} has no such free plan." if plan_slug else f"{api.name} has no free plan.")
    version = queries.current_versions().filter(plan=plan).first()
    if version is None or not version.free:
        raise invalid("plan", f"{plan.name} is not free: it is bought, not taken.")
    return version


def _kept(org: UUID, project_id: UUID, version: PlanVersion, *, actor: Actor, at: datetime) -> UUID | None:
    """The live subscription to this plan, told to stay if it was about to end."""
    held = _held(org, project_id, version)
    ending = Subscription.objects.filter(next_version=None, change_at__isnull=False)
    if held and ending.filter(id=held).update(change_at=None):
        note(Subscription.objects.get(id=held), "subscription.resumed", org=org, actor=actor, at=at)
    return held


def _held(org: UUID, project_id: UUID, version: PlanVersion) -> UUID | None:
    """The project's live subscription to this plan. Raises ProblemError conflict: it has another plan for the API."""
    apis = list(version.plan.apis.values_list("id", flat=True))
    rows = Subscription.objects.filter(
        organization=org, project=project_id, covers__api__in=apis, covers__live=True
    ).select_related("plan_version__plan")
    for row in rows:
        if row.plan_version.plan_id != version.plan_id:
            raise ProblemError("conflict", f"This project already has {row.plan_version.plan.name}.")
        return row.id
    return None


def _started(
    org: UUID, project_id: UUID, version: PlanVersion, user_id: UUID | None, *, actor: Actor, at: datetime
) -> UUID:
    try:
        with transaction.atomic():
            row = _new_row(org, project_id, version, user_id, whole_ms(at))
    except IntegrityError as error:
        if held := _held(org, project_id, version):  # another request was faster
            return held
        raise ProblemError("conflict", f"You already hold {version.plan.name} in another project.") from error
    tell_new(row)
    after = {"plan": version.plan.slug, "version": version.number, "project": str(project_id)}
    note(row, "subscription.started", org=org, actor=actor, at=at, after=after)
    return row.id


def _new_row(org: UUID, project_id: UUID, version: PlanVersion, user_id: UUID | None, at: datetime) -> Subscription:
    holder = user_id if version.plan.once_per_person else None
    zone = accounts.organization(org).zone
    local = at.astimezone(ZoneInfo(zone))
    row = Subscription(
        organization_id=org,
        project_id=project_id,
        plan_version=version,
        started_at=at,
        period_start_at=at,
        zone=zone,
        anchor_day=local.day,
        anchor_month=local.month,
        free_holder=holder,
    )
    row.period_end_at = period_at(row.chain, at).end_at
    row.save(force_insert=True)
    SubscriptionApi.objects.bulk_create(
        SubscriptionApi(subscription=row, api=api, project_id=project_id, free_holder=holder)
        for api in version.plan.apis.order_by("id")
    )
    return row
