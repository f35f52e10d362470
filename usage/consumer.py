"""From the usage stream into PostgreSQL: read a batch, store it in one transaction, then let the others forget it.

Whatever dies between two of these steps leaves the batch pending, and storing it again changes nothing:
docs/decisions/0020-usage-is-stored-before-it-is-forgotten.md.
"""

from datetime import datetime
from typing import Any, cast

from redis import Redis
from redis.exceptions import ResponseError

from gateway.public import COMMITTED, USAGE_GROUP, USAGE_STREAM
from kit.failpoints import reach
from usage import producers
from usage.intake import Stored, store
from usage.lines import read_message

BATCH_BYTES = 8 << 20  # about 10,000 events: one transaction, and a bound of what it takes in memory
CONSUMER = "aggregator"  # one name for all: what a dead process was working on is pending for the next
_PENDING, _NEW = b"0", b">"

Message = tuple[bytes, dict[bytes, bytes]]


def consume(stream: Redis, *, at: datetime) -> Stored | None:
    """Take in one batch of the stream; None when there is nothing to take in.

    Raises usage.intake.Busy while another process stores; redis.RedisError and django.db.OperationalError
    when a store is away: then nothing is lost, and it is tried again by whoever comes next.
    """
    messages = _read(stream)
    if not messages:
        return None
    entries = [entry for _, fields in messages for entry in (read_message(fields) if fields else ())]
    stored = store(entries, at=at)
    publish_committed(stream, at=at)
    reach("usage.after_publish")
    _forget(stream, [number for number, _ in messages])
    return stored


def publish_committed(stream: Redis, *, at: datetime) -> None:
    """Tell the gateway how much of each journal is safe to delete. Says the same as often as it is called."""
    if seqs := producers.committed(at=at):
        stream.hset(COMMITTED, mapping={boot: str(seq) for boot, seq in seqs.items()})


def _read(stream: Redis) -> list[Message]:
    """Read what was read before and never finished, then what is new, up to BATCH_BYTES."""
    batch: list[Message] = []
    size, after = 0, _PENDING
    while size < BATCH_BYTES:
        if found := _next(stream, after):
            batch += found
            size += sum(len(fields.get(b"lines", b"")) for _, fields in found)
            after = after if after == _NEW else found[-1][0]
        elif after != _NEW:
            after = _NEW
        else:
            break
    return batch


def _next(stream: Redis, after: bytes) -> list[Message]:
    try:
        found: Any = stream.xreadgroup(USAGE_GROUP, CONSUMER, {USAGE_STREAM: after}, count=8)
    except ResponseError as error:
        if not str(error).startswith("NOGROUP"):
            raise
        stream.xgroup_create(USAGE_STREAM, USAGE_GROUP, id="0", mkstream=True)
        return _next(stream, after)
    return cast("list[Message]", found[0][1]) if found else []


def _forget(stream: Redis, numbers: list[bytes]) -> None:
    """Acknowledge and delete as one: what is acknowledged only would stay in the stream for ever."""
    with stream.pipeline(transaction=True) as pipe:
        pipe.xack(USAGE_STREAM, USAGE_GROUP, *numbers)
        pipe.xdel(USAGE_STREAM, *numbers)
        pipe.execute()
    reach("usage.after_forget")
