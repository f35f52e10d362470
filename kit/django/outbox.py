"""Tell the outside what a transaction changed: at least once, after its commit, never inside a transaction.

`emit` writes a row beside the change and has it delivered on commit. A process that dies in between, or a
handler that fails, leaves the row to `sweep`, which tries again each second, after ten tries every two, at last
every 30: so a delivery comes late by a small part of the time its receiver was away.

A handler is `f(key, payload)`, named per topic in settings.OUTBOX_HANDLERS. It may run twice and at the same time
as itself. All open rows of one (topic, key) are delivered as one, with the newest payload: so a handler
reads what it publishes from the database, and a topic whose every row counts gives each its own key.
Instants are the database's clock: sweepers of several hosts agree on what is due.
"""

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils.module_loading import import_string

from kit.django.fields import Published
from kit.django.models import Outbox

Handler = Callable[[str, dict[str, Any]], None]

BATCH = 100
KEEP_DONE = "1 day"

log = logging.getLogger(__name__)


class Undelivered(Exception):
    """The change is stored, but what it had to tell was not taken yet; the sweeper goes on trying.

    `entries` are the (topic, key) pairs still open.
    """

    def __init__(self, entries: Iterable[tuple[str, str]]) -> None:
        self.entries = tuple(entries)
        super().__init__(", ".join(f"{topic} {key}" for topic, key in self.entries))


@dataclass(frozen=True)
class _Entry:
    """The open rows of one (topic, key), claimed together."""

    topic: str
    key: str
    payload: dict[str, Any]
    ids: tuple[int, ...]
    first: bool  # none of them was tried before


def emit(topic: str, *, key: str, payload: Mapping[str, Any] | None = None, may_wait: bool = False) -> int:
    """Write an outbox row in the current transaction and deliver it on commit; answer the row's id.

    A delivery that fails makes the commit raise Undelivered (the change stays committed): who revokes must
    not say "done" before the gateway knows. `may_wait` says that nothing depends on it: then it is logged and
    left to the sweeper. After Undelivered, what else was registered on this commit is not run: its rows are swept.
    Raises TransactionManagementError outside a transaction.
    """
    if topic not in settings.OUTBOX_HANDLERS:
        raise ImproperlyConfigured(f"OUTBOX_HANDLERS names no handler for {topic!r}")
    connection.validate_no_broken_transaction()
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("emit() belongs into the transaction of the change")
    row = Outbox.objects.create(topic=topic, key=key, payload=dict(payload or {}), may_wait=may_wait)
    transaction.on_commit(partial(_deliver_if_possible if may_wait else deliver, (row.id,)))
    return row.id


def touch(instance: Published) -> int:
    """Give a published row its next `rev`, under the row's lock until the transaction ends; answer it."""
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("touch() belongs into the transaction of the change")
    type(instance)._base_manager.filter(pk=instance.pk).update(rev=F("rev") + 1)
    instance.refresh_from_db(fields=["rev"])
    return instance.rev


def deliver(ids: Iterable[int]) -> None:
    """Deliver these rows now, whatever their turn. Raises Undelivered; rows already done count as delivered."""
    failed = [entry for entry in _claim(_CLAIM_IDS, {"ids": list(ids)}) if not _deliver(entry)]
    if failed:
        raise Undelivered((entry.topic, entry.key) for entry in failed)


def sweep() -> int:
    """Deliver what is due, then drop rows done long ago; answer how many (topic, key) got through.

    Any number of sweepers may run at once: each row is claimed by one, and comes back after its back-off.
    """
    delivered = 0
    while entries := _claim(_CLAIM_DUE, {"batch": BATCH}):
        through = sum(_deliver(entry) for entry in entries)
        delivered += through
        if through < len(entries):  # a receiver is away: let the next sweep ask again
            break
    _prune()
    return delivered


def _deliver_if_possible(ids: tuple[int, ...]) -> None:
    try:
        deliver(ids)
    except Undelivered as error:
        log.warning("outbox: left to the sweeper: %s", error)


# A claim is a lease: a process that dies with it costs ten seconds, and nothing else.
_CLAIM = """
    update kit_outbox as row
       set attempts = row.attempts + 1,
           next_at = statement_timestamp() + interval '10 seconds'
      from ({which}) as claimed
     where row.id = claimed.id
 returning row.id, row.topic, row.key, row.payload, row.attempts
"""
_CLAIM_DUE = _CLAIM.format(
    which="""
    select id from kit_outbox where done_at is null and next_at <= statement_timestamp()
     order by next_at limit %(batch)s for update skip locked"""
)
_CLAIM_IDS = _CLAIM.format(
    which="""
    select id from kit_outbox where done_at is null and (topic, key) in (
        select topic, key from kit_outbox where id = any(%(ids)s) and done_at is null)
     order by id for update"""
)
_FAILED = """
    update kit_outbox
       set last_error = %(error)s,
           next_at = statement_timestamp() + least(30, greatest(1, attempts / 10)) * interval '1 second'
     where id = any(%(ids)s) and done_at is null
"""
_PRUNE = """
    delete from kit_outbox where id in (
        select id from kit_outbox where done_at < statement_timestamp() - %(keep)s::interval
         order by done_at limit %(batch)s for update skip locked)
"""


def _claim(sql: str, params: dict[str, Any]) -> list[_Entry]:
    """Claim rows in a transaction of its own: `durable` refuses to run inside another, where handlers must not."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute(sql, params)
        rows = sorted(cursor.fetchall())
    grouped: dict[tuple[str, str], list[tuple[int, str, int]]] = {}
    for row_id, topic, key, payload, attempts in rows:
        grouped.setdefault((topic, key), []).append((row_id, payload, attempts))
    return [
        _Entry(
            topic=topic,
            key=key,
            payload=json.loads(found[-1][1]),
            ids=tuple(row_id for row_id, _, _ in found),
            first=all(attempts == 1 for _, _, attempts in found),
        )
        for (topic, key), found in grouped.items()
    ]


def _deliver(entry: _Entry) -> bool:
    """Call the handler and note how it went. Only the claimed rows are done: a later one may say something newer."""
    try:
        handler: Handler = import_string(settings.OUTBOX_HANDLERS[entry.topic])
        handler(entry.key, entry.payload)
    except Exception as error:  # its row says so; the others go on
        trace = error if entry.first else None  # once: a receiver may be away for a thousand tries
        log.warning("outbox: %s %s not delivered: %s", entry.topic, entry.key, type(error).__name__, exc_info=trace)
        said = f"{type(error).__name__}: {error}"[:500].replace("\0", "")
        with connection.cursor() as cursor:
            cursor.execute(_FAILED, {"error": said, "ids": list(entry.ids)})
        return False
    Outbox.objects.filter(id__in=entry.ids, done_at=None).update(done_at=Now(), last_error="")
    return True


def _prune() -> None:
    with connection.cursor() as cursor:
        cursor.execute(_PRUNE, {"keep": KEEP_DONE, "batch": BATCH * 20})
