"""One batch of journal lines becomes one transaction: events, both rollups, what is set aside, and how far we are.

Owns: every write to the tables of usage.
Does not own: the stream (usage.consumer), the shape of a line (usage.lines).
Idempotent because an event is counted by the statement that inserts it, and its id inserts only once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from operator import attrgetter

import msgspec
from django.db import DataError, IntegrityError, connection, transaction

from gateway.public import Line
from kit.failpoints import reach
from usage import partitions, producers, sums
from usage.lines import Entry, misplaced
from usage.models import DeadLetter

LOCK = 0x7467_0001  # advisory: one aggregator at a time

_PLAIN = (
    "event_id",
    "seq",
    "bytes_in",
    "bytes_out",
    "latency_ms",
    "upstream_ms",
    "count",
    "part",
    "status",
    "billable",
    "accepted",
    "cached",
    "test",
    "console",
    "organization",
    "key",
    "gateway",
    "worker",
    "version",
    "operation",
    "method",
    "problem",
    "client_request_id",
    "end_user",
)
_OPTIONAL = ("project", "subscription", "plan_version", "period_id", "api", "call_id")
_plain, _optional = attrgetter(*_PLAIN), attrgetter(*_OPTIONAL)
_COLUMNS = (*_PLAIN, "boot_id", *_OPTIONAL, "units", "dimensions")


@dataclass(frozen=True)
class Stored:
    """What a batch came to; `repeated` events were counted before."""

    fresh: int = 0
    repeated: int = 0
    quarantined: int = 0
    dead: int = 0

    def __add__(self, other: "Stored") -> "Stored":
        return Stored(
            self.fresh + other.fresh,
            self.repeated + other.repeated,
            self.quarantined + other.quarantined,
            self.dead + other.dead,
        )


class Busy(Exception):
    """Another process is storing a batch right now; it will come to these lines, too."""


def store(entries: Sequence[Entry], *, at: datetime) -> Stored:
    """Store a batch. Raises Busy, and django.db.OperationalError when the database cannot take it now.

    A batch that the database finds fault with is halved until the line at fault stands alone and becomes a
    dead letter: one poisoned line never stops the stream.
    """
    try:
        return _store(entries, at=at)
    except (DataError, IntegrityError) as error:
        if len(entries) == 1:
            alone = entries[0]
            buried = Entry(alone.boot, alone.file, alone.raw, seq=alone.seq, fault=f"{type(error).__name__}: {error}")
            return _store([buried], at=at)
    middle = len(entries) // 2
    return store(entries[:middle], at=at) + store(entries[middle:], at=at)


def _store(entries: Sequence[Entry], *, at: datetime) -> Stored:
    now_ms = int(at.timestamp() * 1000)
    reasons = [misplaced(entry.event, now_ms=now_ms) if entry.event else "" for entry in entries]
    counted = [entry.event for entry, reason in zip(entries, reasons, strict=True) if entry.event and not reason]
    aside = [(entry, reason) for entry, reason in zip(entries, reasons, strict=True) if reason]
    partitions.ensure(_days(counted))
    with transaction.atomic(durable=True):
        _take_lock()
        fresh = _count(counted, at=at) if counted else 0
        quarantined = _quarantine(aside, at=at) if aside else 0
        dead = _bury([entry for entry in entries if entry.fault], at=at)
        producers.advance(entries, at=at)
        reach("usage.before_commit")
    reach("usage.after_commit")
    return Stored(fresh, len(counted) - fresh, quarantined, dead)


def _days(lines: Sequence[Line]) -> list[datetime]:
    return [datetime.fromtimestamp(day * 86_400, UTC) for day in {line.ts // 86_400_000 for line in lines}]


def _take_lock() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            raise Busy


def _count(lines: Sequence[Line], *, at: datetime) -> int:
    """Insert what is new and add exactly that to both rollups; answer how many events were new."""
    with connection.cursor() as cursor:
        cursor.execute(_stage_sql())
        with (
            connection.wrap_database_errors,
            cursor.copy(f"COPY usage_stage (ts_ms, {', '.join(_COLUMNS)}) FROM STDIN") as copy,
        ):
            for line in lines:
                copy.write_row(_row(line))
        reach("usage.after_copy")
        cursor.execute(_count_sql(), {"at": at})
        return cursor.fetchone()[0]


def _row(line: Line) -> tuple[object, ...]:
    return (
        line.ts,
        *_plain(line),
        line.boot,
        *(value or None for value in _optional(line)),
        _json(line.units),
        _json(line.dimensions),
    )


def _json(value: dict[str, str] | dict[str, int]) -> str:
    return msgspec.json.encode(value).decode() if value else "{}"


@cache
def _stage_sql() -> str:
    return f"""
        CREATE TEMP TABLE IF NOT EXISTS usage_stage ON COMMIT DELETE ROWS
        AS SELECT 0::bigint AS ts_ms, {", ".join(_COLUMNS)} FROM usage_event WITH NO DATA"""  # noqa: S608


@cache
def _count_sql() -> str:
    """One statement: what the INSERT returns is what the rollups add, so neither can run ahead of the other."""
    columns = ", ".join(_COLUMNS)
    bill = sums.rollup("usage_bill", key=sums.BILL_KEY, sums=sums.SUMS, source=f"fresh WHERE {sums.BILLED}")
    hour = sums.rollup("usage_hour", key=sums.HOUR_KEY, sums=sums.HOUR_SUMS, source="fresh")
    return f"""
        WITH fresh AS (
            INSERT INTO usage_event (ts, received_at, {columns})
            SELECT to_timestamp(ts_ms::float8 / 1000), %(at)s, {columns} FROM usage_stage AS staged
             WHERE NOT EXISTS (SELECT FROM usage_quarantine AS held WHERE held.event_id = staged.event_id)
            ON CONFLICT DO NOTHING RETURNING {sums.READ}),
        bill AS ({bill}),
        hour AS ({hour})
        SELECT count(*) FROM fresh"""  # noqa: S608 - the names are this module's own


def _quarantine(aside: Sequence[tuple[Entry, str]], *, at: datetime) -> int:
    """Set events aside for an admin; answer how many. One that was counted in time stays counted."""
    rows = [
        (line.event_id, line.ts, line.organization, line.boot, line.seq, reason, entry.raw, at)
        for entry, reason in aside
        if (line := entry.event)
    ]
    with connection.cursor() as cursor:
        cursor.executemany(_QUARANTINE, rows)
        return cursor.rowcount


_QUARANTINE = """
    INSERT INTO usage_quarantine (event_id, ts, organization, boot_id, seq, reason, raw, received_at)
    SELECT id, instant, organization, boot, seq, reason, raw, received
      FROM (SELECT %s::uuid AS id, to_timestamp(%s::float8 / 1000) AS instant, %s::uuid AS organization,
                   %s::text AS boot, %s::bigint AS seq, %s::text AS reason, %s::bytea AS raw,
                   %s::timestamptz AS received) AS aside
     WHERE NOT EXISTS (SELECT FROM usage_event AS event WHERE event.event_id = aside.id AND event.ts = aside.instant)
    ON CONFLICT DO NOTHING"""


def _bury(faulty: Sequence[Entry], *, at: datetime) -> int:
    """Keep unreadable lines as dead letters; answer how many were new."""
    letters = [
        DeadLetter(
            digest=entry.digest,
            boot_id=entry.boot,
            file=entry.file,
            seq=entry.seq,
            reason=entry.fault,
            raw=entry.raw,
            received_at=at,
        )
        for entry in faulty
    ]
    before = DeadLetter.objects.filter(digest__in=[letter.digest for letter in letters]).count() if letters else 0
    DeadLetter.objects.bulk_create(letters, ignore_conflicts=True)
    return len({letter.digest for letter in letters}) - before
