"""Owns: the audit log's lines. Does not own: the change a line tells of, nor its transaction.
Idempotent: no; it is written in the transaction of a change that is."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from accounts.models import AuditEvent
from accounts.values import Actor


def record(
    *,
    actor: Actor,
    action: str,
    target_kind: str,
    target_id: UUID | None,
    target_label: str,
    organization_id: UUID | None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    at: datetime,
) -> None:
    """Write down what was done ("key.created"), in the transaction of the change; `before` and `after` hold what
    changed, never a secret. Raises TransactionManagementError outside a transaction."""
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("record() belongs into the transaction of the change")
    AuditEvent.objects.create(
        at=at,
        organization_id=organization_id,
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_label=actor.label[:254],
        ip=actor.ip,
        action=action,
        target_kind=target_kind,
        target_id=target_id,
        target_label=target_label[:254],
        before=dict(before or {}),
        after=dict(after or {}),
    )
