"""Model fields and bases that every app shares."""

from collections.abc import Sequence
from typing import ClassVar
from uuid import UUID

from django.db import models

from kit.ids import uuid7


def new_id() -> UUID:
    """Mint a primary key; named so that migrations can import it."""
    return uuid7()


class Row(models.Model):
    """A row with a UUIDv7 primary key and the instant it was made."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    created_at = models.DateTimeField(auto_now_add=True, editable=False)

    class Meta:
        abstract = True
        ordering: ClassVar[Sequence[str]] = ("id",)


class Published(Row):
    """A row the gateway learns of. `rev` grows with every change (`kit.django.outbox.touch`)."""

    rev = models.BigIntegerField(default=1, editable=False)

    class Meta(Row.Meta):
        abstract = True
