"""Owns: what a new account starts with. Does not own: the account (the caller's transaction creates it beside this).
Idempotent: no; it belongs to the one transaction that creates the organization."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.public import Actor
from marketplace.actions.keys import create_key
from marketplace.actions.subscriptions import give_start
from marketplace.actions.telling import note
from marketplace.values import Minted


@transaction.atomic
def mint_start(
    org: UUID, *, project_id: UUID, user_id: UUID, verified: bool, api_slug: str | None, actor: Actor, at: datetime
) -> Minted:
    """Give a new organization its free subscription, a test key and a live key, whose secret is shown once.

    `verified` is only noted: what an unverified owner may call is a limit of the organization's record.
    """
    held = give_start(org, project_id=project_id, user_id=user_id, api_slug=api_slug, actor=actor, at=at)
    test_key, _ = create_key(org, project_id=project_id, name="Test key", kind="test", actor=actor, at=at)
    live_key, secret = create_key(org, project_id=project_id, name="Live key", kind="live", actor=actor, at=at)
    after = {"verified": verified, "api": api_slug}
    note(live_key, "key.minted_at_sign_up", org=org, actor=actor, at=at, after=after)
    return Minted(subscription=held, test_key=test_key, live_key=live_key, live_secret=secret)
