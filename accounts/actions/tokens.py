"""Owns: management tokens. Does not own: what they may do (their member's role says it).
Idempotent: revoking the revoked changes nothing; a use is noted once a minute."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from accounts import queries
from accounts.actions.audit import record
from accounts.mapping import token_view
from accounts.models import ManagementToken
from accounts.names import clean_name
from accounts.values import Actor, TokenView
from kit.errors import ProblemError, invalid
from kit.secrets import new_token, token_digest

NOTED_EVERY = timedelta(minutes=1)


@transaction.atomic
def issue_token(
    org: UUID, *, user_id: UUID, name: str, expires_at: datetime | None = None, actor: Actor, at: datetime
) -> tuple[TokenView, str]:
    """Issue a token that acts as this member; answer it and its secret, which is never seen again.

    Raises ProblemError invalid, or permission_denied for a person who is not a member.
    """
    name = clean_name(name)
    if expires_at is not None and expires_at <= at:
        raise invalid("expires_at", "Choose an instant in the future.")
    if queries.role_of(org, user_id=user_id) is None:
        raise ProblemError("permission_denied", "Only a member can have a token.")
    secret = new_token()
    row = ManagementToken.objects.create(
        organization_id=org,
        user_id=user_id,
        name=name,
        digest=token_digest(secret),
        last4=secret[-4:],
        expires_at=expires_at,
    )
    _said(row, "token.issued", actor=actor, at=at)
    return token_view(row), secret


@transaction.atomic
def revoke_token(org: UUID, *, id: UUID, actor: Actor, at: datetime) -> TokenView:
    """Revoke a token; the next request with it is refused. Raises ProblemError not_found."""
    if queries.tokens(org).filter(id=id, revoked_at=None).update(revoked_at=at):
        _said(queries.token(org, id=id), "token.revoked", actor=actor, at=at)
    return token_view(queries.token(org, id=id))


def note_use(row: ManagementToken, *, at: datetime) -> None:
    """Remember when a token was last used, at most once a minute whatever the traffic."""
    due = at - NOTED_EVERY
    if row.last_used_at is None or row.last_used_at <= due:
        ManagementToken.objects.filter(Q(last_used_at=None) | Q(last_used_at__lte=due), id=row.id).update(
            last_used_at=at
        )


def _said(row: ManagementToken, action: str, *, actor: Actor, at: datetime) -> None:
    record(
        actor=actor,
        action=action,
        target_kind="token",
        target_id=row.id,
        target_label=f"{row.name} · tgm_…{row.last4}",
        organization_id=row.organization_id,
        after={"expires_at": row.expires_at.isoformat() if row.expires_at else None},
        at=at,
    )
