"""Monthly partitions of `usage_event`: made ahead by a task, and by the consumer when an event needs one.

A partition is built aside and attached, because ATTACH lets readers and writers of the parent go on, while
CREATE … PARTITION OF would shut them out.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from django.db import connection, transaction

AHEAD = 3  # months beyond the current one
BEHIND = 2  # late events reach back 35 days
LOCK = 0x7467_0002  # advisory: one maker at a time


def ensure(days: Iterable[datetime]) -> list[str]:
    """Make the partitions that hold these instants, each in its own transaction; answer the names made.

    Raises django.db.OperationalError when another transaction holds `usage_event` for more than two seconds.
    """
    missing = _missing({_month(day) for day in days})
    return [name for month in missing if (name := _make(month))]


def ensure_around(at: datetime) -> list[str]:
    """Make the partitions from BEHIND months before `at` to AHEAD months after."""
    return ensure(_shift(_month(at), by) for by in range(-BEHIND, AHEAD + 1))


def _month(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _shift(month: datetime, by: int) -> datetime:
    year, month0 = divmod(month.year * 12 + month.month - 1 + by, 12)
    return month.replace(year=year, month=month0 + 1)


def _name(month: datetime) -> str:
    return f"usage_event_{month:%Y_%m}"


def _missing(months: set[datetime]) -> list[datetime]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relid::regclass::text FROM pg_partition_tree('usage_event') WHERE level = 1")
        there = {name for (name,) in cursor.fetchall()}
    return sorted(month for month in months if _name(month) not in there)


def _make(month: datetime) -> str | None:
    """Build and attach one partition; None when another maker was first."""
    name, end = _name(month), _shift(month, 1)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '2s'")
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [name])
        if cursor.fetchone()[0]:
            return None
        cursor.execute(f"CREATE TABLE {name} (LIKE usage_event INCLUDING ALL)")
        span = f"FROM ('{month:%Y-%m-%d}+00') TO ('{end:%Y-%m-%d}+00')"
        cursor.execute(f"ALTER TABLE usage_event ATTACH PARTITION {name} FOR VALUES {span}")
    return name
