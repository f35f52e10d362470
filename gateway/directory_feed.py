"""The directory as Redis holds it: load it whole, and read what changed since.

Nothing here keeps state: `gateway.follower` holds the table and the position, and decides.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import cast

import msgspec
from redis import Redis

from gateway import names
from gateway.directory import Directory
from gateway.directory_copy import Changes, Entry, Position
from gateway.records import KINDS, Record

log = logging.getLogger(__name__)
SCAN = 1000  # records per HSCAN step: ~1 ms of the server's time
READ = 1000  # log entries per read
_DECODE: dict[str, msgspec.json.Decoder[Record]] = {kind: msgspec.json.Decoder(shape) for kind, shape in KINDS.items()}

# Whoever has seen more than the server now holds knows that it lost acknowledged writes.
_FORGET = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


def at(version: str) -> tuple[int, int]:
    """Order log entry ids: "1700000000000-3" → (1700000000000, 3)."""
    ms, _, rest = version.partition("-")
    return int(ms), int(rest or 0)


def changes(client: Redis, *, after: str) -> Changes:
    """Read up to READ entries after an entry id, and the epoch, as of one instant."""
    with client.pipeline(transaction=True) as pipe:
        pipe.get(names.DIRECTORY_EPOCH)
        pipe.get(names.DIRECTORY_COUNT)
        pipe.xrange(names.DIRECTORY_LOG, min=f"({after}", max="+", count=READ)
        epoch, count, rows = pipe.execute()
    entries = [_entry(version, fields) for version, fields in rows]
    return Changes((epoch or b"").decode(), int(count or 0), entries, more=len(entries) == READ)


def wait(client: Redis, *, after: str, timeout_s: float) -> bool:
    """Wait until the log holds an entry after `after`; returns whether it does."""
    return bool(client.xread({names.DIRECTORY_LOG: after}, count=1, block=max(1, int(timeout_s * 1000))))


def load(client: Redis, *, meanwhile: Callable[[], None] = lambda: None) -> tuple[Directory, Position] | None:
    """Read the whole directory; None if the server holds none, or another one by the end.

    The position is from before the records were read: what changes during it is applied once more.
    `meanwhile` runs between two pages, so that a copy in use is not left alone for long.
    """
    position = _position(client)
    if not position.epoch:
        return None
    table = Directory()
    for kind in KINDS:
        for page in _pages(client, names.records_of(kind)):
            for body in page:
                if (record := _record(kind, body)) is not None:
                    table.apply(record)
            meanwhile()
    return (table, position) if _position(client).epoch == position.epoch else None


def _pages(client: Redis, name: str) -> Iterator[Iterable[bytes]]:
    cursor = 0
    while True:
        cursor, page = cast("tuple[int, dict[bytes, bytes]]", client.hscan(name, cursor=cursor, count=SCAN))
        yield page.values()
        if cursor == 0:
            return


def key_published(client: Redis, digests: tuple[str, ...]) -> bool:
    """Ask the server's index whether any of the digests is a key's."""
    return any(client.hmget(names.DIRECTORY_DIGEST, digests))


def forget_epoch(client: Redis, epoch: str) -> None:
    """Declare the server's directory incomplete, so that its publisher fills it again (`directory_present`)."""
    client.eval(_FORGET, 1, names.DIRECTORY_EPOCH, epoch)


def _position(client: Redis) -> Position:
    asked = (names.DIRECTORY_EPOCH, names.DIRECTORY_VERSION, names.DIRECTORY_COUNT)
    epoch, version, n = cast("list[bytes | None]", client.mget(asked))
    return Position((epoch or b"").decode(), (version or b"0-0").decode(), int(n or 0))


def _entry(version: bytes, fields: dict[bytes, bytes]) -> Entry:
    kind, body = fields[b"kind"].decode(), fields[b"record"]
    return Entry(
        version=version.decode(),
        n=int(fields[b"n"]),
        kind=kind,
        id=fields[b"id"].decode(),
        body=body,
        record=_record(kind, body) if kind in KINDS else None,
    )


def _record(kind: str, body: bytes) -> Record | None:
    """Decode a record; one that cannot be read (written by another version) must not hold up the rest."""
    try:
        return _DECODE[kind].decode(body)
    except msgspec.DecodeError:
        log.exception("the directory holds a %s that this version cannot read", kind)
        return None
