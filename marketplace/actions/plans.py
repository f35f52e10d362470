"""Owns: plans: what they are called, what they cover, whether they take new subscriptions. Does not own: what they cost
(their versions). Idempotent: retiring the retired changes nothing; a slug is taken once."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts.public import Actor
from kit.errors import ProblemError, invalid
from marketplace.actions.plan_versions import Terms, locked_plan, set_terms
from marketplace.actions.telling import note
from marketplace.models import Api, Plan, PlanState, PlanVersion, Visibility
from marketplace.text import clean_line, clean_slug
from marketplace.values import PlanVersionView


@transaction.atomic
def create_plan(
    *,
    slug: str,
    name: str,
    api_ids: Sequence[UUID],
    terms: Terms,
    actor: Actor,
    at: datetime,
    description: str = "",
    visibility: str = "public",
    family: str = "",
    position: int = 0,
    given_to_new: bool = False,
    once_per_person: bool = True,
) -> PlanVersionView:
    """Create a plan over these APIs with its first version, a draft.

    `given_to_new`: these APIs give it to new accounts, so its versions must be free. `once_per_person`: if it is
    free, a person holds it once per API, in whatever organization.

    Raises ProblemError invalid, conflict (slug taken), not_found (API).
    """
    plan = Plan(
        slug=clean_slug(slug, underscore=True),
        name=clean_line(name, field="name", most=120),
        description=clean_line(description, field="description", most=300, required=False),
        visibility=_visible(visibility),
        family=clean_slug(family, field="family") if family else "",
        position=position,
        once_per_person=once_per_person,
    )
    _save(plan, api_ids, given_to_new=given_to_new)
    note(plan, "plan.created", org=None, actor=actor, at=at, after={"slug": plan.slug})
    return set_terms(PlanVersion.objects.create(plan=plan, number=1).id, terms=terms, actor=actor, at=at)


@transaction.atomic
def update_plan(
    plan_id: UUID,
    *,
    name: str,
    description: str,
    visibility: str,
    position: int,
    actor: Actor,
    at: datetime,
) -> None:
    """Change how a plan is shown; its slug and its APIs stay. Raises ProblemError invalid, not_found."""
    plan = locked_plan(plan_id)
    plan.name = clean_line(name, field="name", most=120)
    plan.description = clean_line(description, field="description", most=300, required=False)
    plan.visibility, plan.position = _visible(visibility), position
    plan.save(update_fields=["name", "description", "visibility", "position"])
    note(plan, "plan.changed", org=None, actor=actor, at=at, after={"name": plan.name, "visibility": plan.visibility})


@transaction.atomic
def retire_plan(plan_id: UUID, *, actor: Actor, at: datetime) -> None:
    """Take no new subscriptions; those there are stay. Raises ProblemError not_found."""
    plan = locked_plan(plan_id)
    if plan.state != PlanState.RETIRED:
        plan.state = PlanState.RETIRED
        plan.save(update_fields=["state"])
        note(plan, "plan.retired", org=None, actor=actor, at=at)


def _save(plan: Plan, api_ids: Sequence[UUID], *, given_to_new: bool) -> None:
    """Store a new plan with the APIs it covers. Raises ProblemError not_found, conflict."""
    apis = list(Api.objects.filter(id__in=api_ids))
    if not apis or len(apis) < len(set(api_ids)):
        raise ProblemError("not_found", "Name the APIs that this plan covers.")
    try:
        with transaction.atomic():
            plan.save(force_insert=True)
    except IntegrityError as error:
        raise ProblemError("conflict", f"There is a plan {plan.slug!r} already.") from error
    plan.apis.set(apis)
    if given_to_new:
        Api.objects.filter(id__in=api_ids).update(free_plan=plan)


def _visible(visibility: str) -> str:
    if visibility not in Visibility.values:
        raise invalid("visibility", f"One of {', '.join(Visibility.values)}.")
    return visibility
