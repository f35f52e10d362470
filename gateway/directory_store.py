"""The directory as Redis holds it: how records come into force.

Per kind a hash id → JSON, an index digest → key id, and a log whose entries are numbered without
gaps. An *epoch* names the full publish that the server holds; a server without one is empty, or has
lost what it had acknowledged, and is filled again by `publish_all` (docs/decisions/0004-directory-log.md).
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TypeVar

import msgspec
from redis import Redis, RedisError

from gateway import names
from gateway.directory import record_id
from gateway.records import KINDS, Key, Record
from gateway.settings import GatewaySettings
from gateway.store import connect
from kit.ids import uuid7

Item = TypeVar("Item")

LOG_LENGTH = 100_000
BATCH = 200  # records per script: ~2 ms of the server's time
PUBLISH_TIMEOUT_S = 2.0  # a person waits for this, not a call
FILLING_S = 3600  # what a killed publisher left is forgotten after this
_SCRIPTS = Path(__file__).parent
_PUBLISH = (_SCRIPTS / "directory.lua").read_text()
_KIND_OF = {record_type: kind for kind, record_type in KINDS.items()}
_encode = msgspec.json.Encoder().encode


class NotPublished(Exception):
    """Redis did not confirm the change; it may be in force or not. Publishing again is always right."""


def _batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    source = iter(items)
    while batch := list(islice(source, size)):
        yield batch


def publish(settings: GatewaySettings, records: Iterable[Record]) -> None:
    """Bring changed records into force everywhere; return when Redis took them.

    An older or equal rev is ignored, so publishing again is harmless. Raises NotPublished.
    """
    client = connect(settings.redis_url, timeout_s=PUBLISH_TIMEOUT_S)
    try:
        _put(client, records, quiet=False)
    except RedisError as error:
        raise NotPublished(str(error)) from error


def publish_all(settings: GatewaySettings, records: Iterable[Record]) -> None:
    """Make the server hold exactly `records`, under a new epoch. Raises NotPublished.

    Give a generator that reads as it is consumed: what changes meanwhile is then either read by it or
    published by itself, and neither is dropped here. An older rev never replaces a newer one.
    """
    client = connect(settings.redis_url, timeout_s=PUBLISH_TIMEOUT_S)
    epoch, published = str(uuid7()), set[str]()
    try:
        client.hset(names.DIRECTORY_FILLING, epoch, 1)
        client.expire(names.DIRECTORY_FILLING, FILLING_S)
        before = _revs(client)
        _put(client, _named(records, published), quiet=True)
        _drop(client, {name: rev for name, rev in before.items() if name not in published})
        _note(client, kind="epoch", ident=epoch, body=b"", epoch=epoch, published=len(published))
    except RedisError as error:
        raise NotPublished(str(error)) from error


def announce(settings: GatewaySettings, *, kind: str, ident: str, body: bytes) -> str:
    """Tell every follower something that is no record; return the log entry's id. Raises NotPublished."""
    client = connect(settings.redis_url, timeout_s=PUBLISH_TIMEOUT_S)
    try:
        return _note(client, kind=kind, ident=ident, body=body)
    except RedisError as error:
        raise NotPublished(str(error)) from error


def directory_present(settings: GatewaySettings) -> bool:
    """Whether the server holds a whole directory; False asks for `publish_all`. Raises NotPublished."""
    client = connect(settings.redis_url, timeout_s=PUBLISH_TIMEOUT_S)
    try:
        return bool(client.exists(names.DIRECTORY_EPOCH))
    except RedisError as error:
        raise NotPublished(str(error)) from error


def _put(client: Redis, records: Iterable[Record], *, quiet: bool) -> None:
    script = client.register_script(_PUBLISH)
    keys = [
        names.DIRECTORY_REV,
        names.DIRECTORY_DIGEST,
        names.DIRECTORY_LOG,
        names.DIRECTORY_VERSION,
        names.DIRECTORY_COUNT,
    ]
    for batch in _batches(records, BATCH):
        args = [part for record in batch for part in _row(record)]
        script(keys=keys, args=["1" if quiet else "", LOG_LENGTH, *args])


def _row(record: Record) -> tuple[str, str, str, int, bytes, str]:
    kind = _KIND_OF[type(record)]
    digests = " ".join(record.digests) if isinstance(record, Key) else ""
    return kind, names.records_of(kind), record_id(record), record.rev, _encode(record), digests


def _revs(client: Redis) -> dict[str, str]:
    """Read "<kind>:<id>" → rev of everything the server holds."""
    return {name.decode(): rev.decode() for name, rev in client.hscan_iter(names.DIRECTORY_REV, count=1000)}


def _named(records: Iterable[Record], names_seen: set[str]) -> Iterator[Record]:
    """Pass records through, noting the name of each."""
    for record in records:
        names_seen.add(f"{_KIND_OF[type(record)]}:{record_id(record)}")
        yield record


def _drop(client: Redis, gone: dict[str, str]) -> None:
    script = client.register_script((_SCRIPTS / "directory_drop.lua").read_text())
    for batch in _batches(gone.items(), BATCH):
        args: list[str] = []
        for name, rev in batch:
            kind, _, ident = name.partition(":")
            args += (kind, names.records_of(kind), ident, rev)
        script(keys=[names.DIRECTORY_REV, names.DIRECTORY_DIGEST], args=args)


def _note(client: Redis, *, kind: str, ident: str, body: bytes, epoch: str = "", published: int = 0) -> str:
    script = client.register_script((_SCRIPTS / "directory_note.lua").read_text())
    keys = [
        names.DIRECTORY_LOG,
        names.DIRECTORY_VERSION,
        names.DIRECTORY_COUNT,
        names.DIRECTORY_EPOCH,
        names.DIRECTORY_FILLING,
        names.DIRECTORY_REV,
    ]
    version: bytes = script(keys=keys, args=[LOG_LENGTH, kind, ident, body, epoch, published])
    return version.decode()
