"""Owns: API keys: minting, renaming, rolling, revoking. Does not own: what a key's calls are counted against.
Idempotent: revoking the revoked only tells the gateway again; minting is not (each key is another)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal, get_args
from uuid import UUID

from django.conf import settings
from django.db import transaction

from accounts import public as accounts
from accounts.public import Actor
from kit.django.fields import new_id
from kit.errors import ProblemError, invalid
from kit.secrets import derived_test_key, key_digests, new_api_key
from marketplace import queries
from marketplace.actions.telling import note, tell, tell_new
from marketplace.keyrules import clean_expiry, clean_ips, clean_scopes
from marketplace.mapping import key_view
from marketplace.models import ApiKey, KeyKind, KeyState
from marketplace.text import clean_line
from marketplace.values import KeyView

Kind = Literal["live", "test"]
Overlap = Literal["now", "1h", "24h", "7d", "30d"]

OVERLAPS: dict[str, timedelta] = {
    "now": timedelta(0),
    "1h": timedelta(hours=1),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
MOST_KEYS = 500  # active ones of an organization


@transaction.atomic
def create_key(
    org: UUID,
    *,
    project_id: UUID,
    name: str,
    kind: Kind,
    actor: Actor,
    at: datetime,
    scopes: Sequence[str] = ("*",),
    expires_at: datetime | None = None,
    allowed_ips: Sequence[str] = (),
) -> tuple[KeyView, str]:
    """Mint a key; the second value is its secret, which (live) is never seen again.

    Raises ProblemError invalid, not_found (project), conflict (too many keys).
    """
    project = accounts.project(org, id=project_id)
    if kind not in get_args(Kind):
        raise invalid("kind", "live or test.")
    if queries.keys(org).filter(state=KeyState.ACTIVE).count() >= MOST_KEYS:
        raise ProblemError("conflict", f"An organization has at most {MOST_KEYS} keys: revoke some first.")
    row = ApiKey(
        organization_id=org,
        project_id=project.id,
        name=clean_line(name, field="name", most=80),
        kind=kind,
        scopes=clean_scopes(org, scopes=scopes),
        allowed_ips=clean_ips(allowed_ips),
        expires_at=clean_expiry(expires_at, at=at),
        created_by=actor.id,
    )
    return _minted(row, "key.created", actor=actor, at=at)


@transaction.atomic
def rename_key(org: UUID, *, id: UUID, name: str, actor: Actor, at: datetime) -> KeyView:
    """Raises ProblemError invalid, not_found."""
    row = _locked(org, id)
    before, row.name = row.name, clean_line(name, field="name", most=80)
    if row.name != before:
        row.save(update_fields=["name"])
        note(row, "key.renamed", org=org, actor=actor, at=at, before={"name": before}, after={"name": row.name})
    return key_view(row)


@transaction.atomic
def revoke_key(org: UUID, *, id: UUID, actor: Actor, at: datetime) -> KeyView:
    """Revoke a key. Returns once the gateway's directory has it, else its commit raises Undelivered.

    Raises ProblemError not_found.
    """
    row = _locked(org, id)
    _revoke(row, actor=actor, at=at)
    return key_view(row)


@transaction.atomic
def roll_key(org: UUID, *, id: UUID, overlap: Overlap = "24h", actor: Actor, at: datetime) -> tuple[KeyView, str]:
    """Mint a successor with the same rights and lifetime; the old key works for `overlap` longer.

    Raises ProblemError invalid, not_found, conflict (the key no longer works).
    """
    if overlap not in OVERLAPS:
        raise invalid("overlap", f"One of {', '.join(OVERLAPS)}.")
    old = _locked(org, id)
    if not key_view(old).works(at):
        raise ProblemError("conflict", "This key no longer works: create a new one.")
    successor = ApiKey(
        organization_id=org,
        project_id=old.project_id,
        name=old.name,
        kind=old.kind,
        scopes=old.scopes,
        allowed_ips=old.allowed_ips,
        expires_at=at + (old.expires_at - old.created_at) if old.expires_at else None,
        created_by=actor.id,
        replaces=old,
    )
    minted = _minted(successor, "key.rolled", actor=actor, at=at)
    _retire(old, OVERLAPS[overlap], actor=actor, at=at)
    return minted


def reveal_test_key(org: UUID, *, id: UUID) -> str:
    """Derive a test key's secret again. Raises ProblemError not_found, conflict (live: it is stored nowhere)."""
    row = queries.key(org, id=id)
    if row.kind != KeyKind.TEST:
        raise ProblemError("conflict", "A live key is shown once, when it is created: roll it to get a new one.")
    return derived_test_key(settings.ENCRYPTION_KEY, row.id)


def _minted(row: ApiKey, action: str, *, actor: Actor, at: datetime) -> tuple[KeyView, str]:
    """Give a new row its id and secret, save it, tell of it."""
    row.id = new_id()
    secret = derived_test_key(settings.ENCRYPTION_KEY, row.id) if row.kind == KeyKind.TEST else new_api_key("live")
    row.prefix, row.last4 = secret[:12], secret[-4:]
    row.digest = key_digests(secret, settings.KEY_PEPPERS)[0]
    row.pepper_generation = len(settings.KEY_PEPPERS)
    row.save(force_insert=True)
    tell_new(row)
    after = {"name": row.name, "kind": row.kind, "scopes": row.scopes, "allowed_ips": row.allowed_ips}
    note(row, action, org=row.organization_id, actor=actor, at=at, after=after | {"expires_at": _said(row.expires_at)})
    return key_view(row), secret


def _retire(old: ApiKey, overlap: timedelta, *, actor: Actor, at: datetime) -> None:
    if not overlap:
        _revoke(old, actor=actor, at=at)
        return
    before = old.expires_at
    old.expires_at = min(at + overlap, before) if before else at + overlap
    old.save(update_fields=["expires_at"])
    tell(old)
    after = {"expires_at": _said(old.expires_at)}
    note(
        old,
        "key.expiring",
        org=old.organization_id,
        actor=actor,
        at=at,
        before={"expires_at": _said(before)},
        after=after,
    )


def _revoke(row: ApiKey, *, actor: Actor, at: datetime) -> None:
    if row.state != KeyState.REVOKED:
        row.state, row.revoked_at = KeyState.REVOKED, at
        row.save(update_fields=["state", "revoked_at"])
        note(row, "key.revoked", org=row.organization_id, actor=actor, at=at)
    tell(row)  # again also when nothing changed: asking twice heals a lost message


def _locked(org: UUID, id: UUID) -> ApiKey:
    row = queries.keys(org).select_for_update(of=("self",)).filter(id=id).first()
    if row is None:
        raise ProblemError("not_found")
    return row


def _said(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
