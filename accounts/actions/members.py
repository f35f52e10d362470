"""Owns: who belongs to an organization, in which role, and whether their e-mail address is theirs.
Does not own: sessions and passwords. Idempotent: what already is so is not said again."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.actions.audit import record
from accounts.actions.organizations import publish_organization
from accounts.models import Membership, Organization, User
from accounts.permissions import MATRIX
from accounts.values import Actor
from kit.django.outbox import touch
from kit.errors import ProblemError, invalid


@transaction.atomic
def set_member(org: UUID, *, user_id: UUID, role: str, actor: Actor, at: datetime) -> None:
    """Make a person a member, or give a member another role. Raises ProblemError invalid, conflict (last owner)."""
    if role not in MATRIX:
        raise invalid("role", f"One of {', '.join(MATRIX)}.")
    rows = _locked(org)
    before = rows.get(user_id)
    if before == role:
        return
    if before == "owner":
        _keep_an_owner(rows, without=user_id)
    Membership.objects.update_or_create(organization_id=org, user_id=user_id, defaults={"role": role})
    _said(org, user_id, "member.role_changed" if before else "member.added", before, role, actor=actor, at=at)


@transaction.atomic
def remove_member(org: UUID, *, user_id: UUID, actor: Actor, at: datetime) -> None:
    """End a membership; the person's tokens for this organization stop with it. Raises ProblemError not_found,
    conflict (last owner)."""
    rows = _locked(org)
    if user_id not in rows:
        raise ProblemError("not_found")
    _keep_an_owner(rows, without=user_id)
    Membership.objects.filter(organization=org, user=user_id).delete()
    _said(org, user_id, "member.removed", rows[user_id], None, actor=actor, at=at)


@transaction.atomic
def mark_verified(user_id: UUID, *, actor: Actor, at: datetime) -> None:
    """Note that a person's e-mail address is theirs: the organizations they own leave the limits of the unverified."""
    if not User.objects.filter(id=user_id, email_verified_at=None).update(email_verified_at=at):
        return
    user = User.objects.get(id=user_id)
    record(
        actor=actor,
        action="user.verified",
        target_kind="user",
        target_id=user.id,
        target_label=user.email,
        organization_id=None,
        at=at,
    )
    for row in Organization.objects.filter(memberships__user=user_id, memberships__role=Membership.Role.OWNER):
        touch(row)
        publish_organization(row.id, may_wait=True)


def _locked(org: UUID) -> dict[UUID, str]:
    """Roles by person; the organization's row is the lock, so that two owners cannot remove each other at once."""
    if not Organization.objects.select_for_update().filter(id=org).exists():
        raise ProblemError("not_found")
    return dict(Membership.objects.filter(organization=org).values_list("user_id", "role"))


def _keep_an_owner(rows: dict[UUID, str], *, without: UUID) -> None:
    if not any(role == "owner" for user_id, role in rows.items() if user_id != without):
        raise ProblemError("conflict", "An organization needs an owner: make someone else owner first.")


def _said(
    org: UUID, user_id: UUID, action: str, before: str | None, after: str | None, *, actor: Actor, at: datetime
) -> None:
    record(
        actor=actor,
        action=action,
        target_kind="member",
        target_id=user_id,
        target_label=User.objects.values_list("email", flat=True).get(id=user_id),
        organization_id=org,
        before={"role": before} if before else None,
        after={"role": after} if after else None,
        at=at,
    )
