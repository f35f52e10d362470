"""Owns: moving stored key digests under the newest pepper, without knowing one key. Does not own: the peppers.
Idempotent: a digest already under the newest pepper is left alone; killed half-way, the next run goes on."""

from collections.abc import Sequence

from django.db import transaction

from kit.secrets import rewrapped
from marketplace.actions.telling import tell
from marketplace.models import ApiKey

BATCH = 200


def rewrap(*, peppers: Sequence[str]) -> int:
    """Wrap a batch of digests with the peppers they lack; answer how many. `peppers` are oldest first.

    Until `forget_previous`, a key is found under its old digest too: gateways take the new pepper one by one.
    """
    with transaction.atomic():
        behind = ApiKey.objects.filter(pepper_generation__lt=len(peppers)).order_by("id")
        rows = list(behind.select_for_update(skip_locked=True)[:BATCH])
        for row in rows:
            for pepper in peppers[row.pepper_generation :]:
                row.previous_digest, row.digest = row.digest, rewrapped(row.digest, pepper)
            row.pepper_generation = len(peppers)
            row.save(update_fields=["digest", "previous_digest", "pepper_generation"])
            tell(row, may_wait=True)
    return len(rows)


def forget_previous() -> int:
    """Drop a batch of previous digests, once every gateway has the newest pepper; answer how many."""
    with transaction.atomic():
        wrapped = ApiKey.objects.exclude(previous_digest=None).order_by("id")
        rows = list(wrapped.select_for_update(skip_locked=True)[:BATCH])
        for row in rows:
            row.previous_digest = None
            row.save(update_fields=["previous_digest"])
            tell(row, may_wait=True)
    return len(rows)
