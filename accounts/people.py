"""Reads of a person, before any tenant is known: where they belong, and whom a token speaks for."""

from datetime import datetime
from uuid import UUID

from django.db.models import F, OuterRef, QuerySet, Subquery

from accounts.models import ManagementToken, Membership, Organization, User
from accounts.queries import VERIFIED
from accounts.values import Actor, Principal
from kit.errors import ProblemError
from kit.secrets import is_token, token_digest


def organizations_of(user_id: UUID) -> QuerySet[Organization]:
    """The organizations a person is a member of, oldest membership first, with `verified` beside each."""
    return (
        Organization.objects.filter(memberships__user=user_id)
        .annotate(verified=VERIFIED)
        .order_by("memberships__created_at", "id")
    )


def every_organization() -> QuerySet[Organization]:
    """All organizations, with `verified` beside each: for the directory, which holds all of them."""
    return Organization.objects.annotate(verified=VERIFIED).order_by("id")


def memberships_of(user_id: UUID) -> QuerySet[Organization]:
    """As `organizations_of`, with the person's `role` beside each."""
    return organizations_of(user_id).annotate(role=F("memberships__role"))


def person(user_id: UUID) -> User:
    """Raises ProblemError not_found."""
    row = User.objects.filter(id=user_id).first()
    if row is None:
        raise ProblemError("not_found")
    return row


def bearer(secret: str, *, at: datetime) -> ManagementToken:
    """The live token behind a secret, with its `role` of this moment beside it. Raises ProblemError token_invalid.

    Unknown, mistyped, revoked and expired tokens, and those of people who left, are answered alike.
    """
    if not is_token(secret):
        raise ProblemError("token_invalid")
    membership = Membership.objects.filter(organization=OuterRef("organization"), user=OuterRef("user"))
    row = (
        ManagementToken.objects.filter(digest=token_digest(secret), revoked_at=None, user__is_active=True)
        .annotate(role=Subquery(membership.values("role")[:1]))
        .select_related("user", "organization")
        .first()
    )
    if row is None or row.role is None or (row.expires_at and row.expires_at <= at):
        raise ProblemError("token_invalid")
    return row


def principal(row: ManagementToken, *, ip: str | None) -> Principal:
    """Whom a `bearer` speaks for."""
    return Principal(
        org=row.organization_id,
        user_id=row.user_id,
        role=row.role,  # type: ignore[attr-defined]  # annotated
        token_id=row.id,
        actor=Actor("token", row.user_id, f"{row.user.email} · tgm_…{row.last4}", ip),
        suspended=row.organization.state == Organization.State.SUSPENDED,
    )
