"""Owns: organizations, their projects, and whether they may work. Does not own: what their keys may call.
Idempotent: suspending the suspended and renaming to the same name change nothing and say nothing."""

from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts import queries
from accounts.actions.audit import record
from accounts.mapping import organization_view, project_view
from accounts.models import Membership, Organization, Project
from accounts.names import clean_name, clean_zone, slug_of
from accounts.values import Actor, OrganizationView, ProjectView
from kit.django.outbox import emit, touch
from kit.errors import ProblemError
from kit.ids import uuid7


@transaction.atomic
def create_organization(
    *, owner_id: UUID, name: str, zone: str, actor: Actor, at: datetime
) -> tuple[OrganizationView, ProjectView]:
    """Create an organization with its owner and its Default project. Raises ProblemError invalid."""
    name = clean_name(name)
    row = _with_free_slug(name=name, zone=clean_zone(zone))
    Membership.objects.create(organization=row, user_id=owner_id, role=Membership.Role.OWNER)
    _said(row, "organization.created", actor=actor, after={"name": row.name, "zone": row.zone}, at=at)
    project = create_project(row.id, name="Default", actor=actor, at=at)
    publish_organization(row.id, may_wait=True)
    return organization_view(queries.organization(row.id)), project


@transaction.atomic
def create_project(org: UUID, *, name: str, actor: Actor, at: datetime) -> ProjectView:
    """Add a project. Raises ProblemError invalid, or conflict if the organization has one of that name."""
    name = clean_name(name)
    slug = slug_of(name, fallback=uuid7().hex[-8:])
    try:
        with transaction.atomic():
            row = Project.objects.create(organization_id=org, name=name, slug=slug)
    except IntegrityError as error:
        raise ProblemError("conflict", f"There is a project named {name!r} already.") from error
    record(
        actor=actor,
        action="project.created",
        target_kind="project",
        target_id=row.id,
        target_label=row.name,
        organization_id=org,
        after={"name": row.name},
        at=at,
    )
    return project_view(row)


@transaction.atomic
def update_organization(
    org: UUID, *, name: str | None = None, zone: str | None = None, actor: Actor, at: datetime
) -> OrganizationView:
    """Rename an organization or move it to another time zone; its slug stays. Raises ProblemError invalid."""
    row = _locked(org)
    asked = {
        "name": row.name if name is None else clean_name(name),
        "zone": row.zone if zone is None else clean_zone(zone),
    }
    before = {field: getattr(row, field) for field in asked if getattr(row, field) != asked[field]}
    if before:
        after = {field: asked[field] for field in before}
        Organization.objects.filter(id=org).update(**after)
        _said(row, "organization.updated", actor=actor, before=before, after=after, at=at)
    return organization_view(queries.organization(org))


@transaction.atomic
def suspend_organization(org: UUID, *, actor: Actor, reason: str = "", at: datetime) -> OrganizationView:
    """Stop all calls of an organization. Raises Undelivered on commit while the gateway has not taken it."""
    return _set_state(org, Organization.State.SUSPENDED, "organization.suspended", actor=actor, reason=reason, at=at)


@transaction.atomic
def reinstate_organization(org: UUID, *, actor: Actor, reason: str = "", at: datetime) -> OrganizationView:
    """Let an organization call again. Raises Undelivered on commit while the gateway has not taken it."""
    return _set_state(org, Organization.State.ACTIVE, "organization.reinstated", actor=actor, reason=reason, at=at)


def publish_organization(org: UUID, *, may_wait: bool = False) -> None:
    """Have the gateway learn of this organization when the transaction commits."""
    emit("directory", key=f"organization:{org}", payload={"kind": "organization", "id": str(org)}, may_wait=may_wait)


def _set_state(org: UUID, state: str, action: str, *, actor: Actor, reason: str, at: datetime) -> OrganizationView:
    row = _locked(org)
    if row.state != state:
        Organization.objects.filter(id=org).update(state=state)
        touch(row)
        after = {"state": state} | ({"reason": reason} if reason else {})
        _said(row, action, actor=actor, before={"state": row.state}, after=after, at=at)
    publish_organization(org)  # again also when nothing changed: asking twice heals a lost message
    return organization_view(queries.organization(org))


def _locked(org: UUID) -> Organization:
    row = Organization.objects.select_for_update().filter(id=org).first()
    if row is None:
        raise ProblemError("not_found")
    return row


def _with_free_slug(*, name: str, zone: str) -> Organization:
    """Two people may choose one name at one instant: the second gets the tail of its id behind the slug."""
    id = uuid7()
    slug = slug_of(name, fallback="org")
    for candidate in (slug, f"{slug}-{id.hex[-8:]}"):
        try:
            with transaction.atomic():
                return Organization.objects.create(id=id, name=name, zone=zone, slug=candidate)
        except IntegrityError:
            continue
    raise ProblemError("conflict", "No free address could be found for this name.")


def _said(
    row: Organization,
    action: str,
    *,
    actor: Actor,
    before: dict[str, str] | None = None,
    after: dict[str, str] | None = None,
    at: datetime,
) -> None:
    record(
        actor=actor,
        action=action,
        target_kind="organization",
        target_id=row.id,
        target_label=row.name,
        organization_id=row.id,
        before=before,
        after=after,
        at=at,
    )
