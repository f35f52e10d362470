"""Journal lines and stream messages as the gateway and its shipper write them."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import msgspec
from redis import Redis

from gateway.journal_files import Beat, Bye, Line
from gateway.names import USAGE_STREAM
from kit.ids import uuid7

NOW = datetime(2026, 3, 14, 12, 30, tzinfo=UTC)
ORG, KEY, SUBSCRIPTION, PERIOD = (str(uuid7(1_700_000_000_000 + n)) for n in range(4))
PROJECT, API, PLAN_VERSION = (str(uuid4()) for _ in range(3))
BOOT = "0195a000-boot"


def ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def line(seq: int = 1, *, at: datetime = NOW, boot: str = BOOT, **fields: object) -> Line:
    """One billable GET, unless `fields` say otherwise."""
    given = {
        "event_id": str(uuid7(ms(at))),
        "ts": ms(at),
        "organization": ORG,
        "project": PROJECT,
        "key": KEY,
        "subscription": SUBSCRIPTION,
        "plan_version": PLAN_VERSION,
        "period_id": PERIOD,
        "api": API,
        "version": "v1",
        "operation": "getCountry",
        "method": "GET",
        "status": 200,
        "problem": "",
        "billable": True,
        "accepted": True,
        "test": False,
        "bytes_in": 3,
        "bytes_out": 100,
        "latency_ms": 12,
        "upstream_ms": 9,
    }
    return Line(seq=seq, gateway="local", worker="1", boot=boot, **(given | fields))


def refused(seq: int = 1, *, count: int = 1, **fields: object) -> Line:
    """A 429 of ours."""
    return line(
        seq,
        **({"status": 429, "problem": "quota_exceeded", "billable": False, "accepted": False} | fields),
        count=count,
    )


def beat(seq: int, *, clock: datetime = NOW, boot: str = BOOT) -> Beat:
    return Beat(gateway="local", worker="1", boot=boot, seq=seq, clock=ms(clock))


def bye(seq: int, *, clock: datetime = NOW, boot: str = BOOT) -> Bye:
    return Bye(gateway="local", worker="1", boot=boot, seq=seq, clock=ms(clock))


def message(said: Iterable[Line | Beat | Bye | bytes], *, boot: str = BOOT, dead: bool = False) -> dict[bytes, bytes]:
    """Ship these lines as one message; bytes stand for a line that is not what it should be."""
    said = list(said)
    numbers = [one.seq for one in said if isinstance(one, Line)] or [1]
    texts = [one if isinstance(one, bytes) else msgspec.json.encode(one) for one in said]
    extent = len([one for one in said if isinstance(one, (Line, bytes))])
    return {
        b"boot": boot.encode(),
        b"file": f"{boot}-1.jsonl".encode(),
        b"offset": b"0",
        b"first_seq": str(min(numbers)).encode(),
        b"last_seq": str(min(numbers) + extent - 1).encode(),
        b"lines": b"".join(text + b"\n" for text in texts),
    } | ({b"dead": b"1"} if dead else {})


def ship(stream: Redis, said: Sequence[Line | Beat | Bye | bytes], **options: object) -> None:
    stream.xadd(USAGE_STREAM, message(said, **options))


def as_uuid(text: str) -> UUID:
    return UUID(text)


def ago(**delta: float) -> datetime:
    return NOW - timedelta(**delta)
