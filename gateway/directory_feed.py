"""The directory as Redis holds it: load it whole, and read what changed since.

Nothing here keeps state: `gateway.follower` holds the table and the position, and decides.
"""

from typing import cast

import msgspec
from redis import Redis

from gateway import names
from gateway.directory import Directory
from gateway.records import KINDS, Record

SCAN = 1000  # records per HSCAN step: ~1 ms of the server's time
READ = 1000  # log entries per read
_DECODE: dict[str, msgspec.json.Decoder[Record]] = {kind: msgspec.json.Decoder(shape) for kind, shape in KINDS.items()}

# Whoever has seen more than the server now holds knows that it lost acknowledged writes.
_FORGET = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


class Position(msgspec.Struct, frozen=True):
    """How far a reader has followed: in which epoch, up to which entry, and that entry's number."""

    epoch: str = ""  # "": the server has none
    version: str = "0-0"
    n: int = 0


class Entry(msgspec.Struct, frozen=True):
    """One entry of the log; `record` is None for what is no record: an announcement, an epoch."""

    version: str
    n: int
    kind: str
    id: str
    body: bytes
    record: Record | None


class Changes(msgspec.Struct, frozen=True):
    """What the server says at one instant: its epoch, how many entries its log ever had, the next ones."""

    epoch: str
    count: int
    entries: list[Entry]


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
    return Changes((epoch or b"").decode(), int(count or 0), [_entry(version, fields) for version, fields in rows])


def wait(client: Redis, *, after: str, timeout_s: float) -> bool:
    """Wait until the log holds an entry after `after`; returns whether it does."""
    return bool(client.xread({names.DIRECTORY_LOG: after}, count=1, block=max(1, int(timeout_s * 1000))))


def load(client: Redis) -> tuple[Directory, Position] | None:
    """Read the whole directory; None if the server holds none, or another one by the end.

    The position is from before the records were read: what changes meanwhile is applied once more.
    """
    position = _position(client)
    if not position.epoch:
        return None
    table = Directory()
    for kind, decoder in _DECODE.items():
        for _, record in client.hscan_iter(names.records_of(kind), count=SCAN):
            table.apply(decoder.decode(record))
    return (table, position) if _position(client).epoch == position.epoch else None


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
    kind = fields[b"kind"].decode()
    decoder = _DECODE.get(kind)
    body = fields[b"record"]
    return Entry(
        version=version.decode(),
        n=int(fields[b"n"]),
        kind=kind,
        id=fields[b"id"].decode(),
        body=body,
        record=decoder.decode(body) if decoder else None,
    )
