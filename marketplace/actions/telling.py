"""Owns: how a change of the marketplace is told: to the gateway's directory, and to the audit log.
Does not own: the changes, nor what the directory is told (`marketplace.publish` reads that).
Idempotent: telling twice publishes the current state twice."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from accounts.public import Actor, record
from kit.django.fields import Published
from kit.django.outbox import emit, touch
from marketplace.models import Api, ApiKey, PlanVersion, Subscription

KIND_OF: dict[type[Published], str] = {
    Api: "api",
    ApiKey: "key",
    PlanVersion: "plan_version",
    Subscription: "subscription",
}


def tell(row: Published, *, may_wait: bool = False) -> None:
    """Have the gateway learn of a changed row on commit, which raises Undelivered unless `may_wait`."""
    touch(row)
    emit("directory", key=f"{KIND_OF[type(row)]}:{row.pk}", may_wait=may_wait)


def tell_new(row: Published) -> None:
    """Have the gateway learn of a row just created: nobody was promised that it works already, so it may wait."""
    emit("directory", key=f"{KIND_OF[type(row)]}:{row.pk}", may_wait=True)


class Noted(Protocol):
    """A row, or the value that shows it."""

    @property
    def id(self) -> UUID: ...


def note(
    row: Noted,
    action: str,
    *,
    org: UUID | None,
    actor: Actor,
    at: datetime,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Write one line of the audit log about `row`: `action` is "<noun>.<done>"."""
    record(
        actor=actor,
        action=action,
        target_kind=action.partition(".")[0],
        target_id=row.id,
        target_label=str(row),
        organization_id=org,
        before=before,
        after=after,
        at=at,
    )
