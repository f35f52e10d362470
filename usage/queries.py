"""What was used, and how far the count is complete.

Reports are exact to the instant: whole hours come from the rollup, the rest of a stretch from the events.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection

from kit.ids import at_ms
from usage.latency import percentile
from usage.models import UsageEvent
from usage.producers import as_of
from usage.slices import steps
from usage.used import Scope, grouped, stepped
from usage.values import CallRow, GroupBy, Mode, Step, UsagePoint, UsageReport, UsageRow

__all__ = ["as_of", "last_used", "recent_calls", "usage_report", "usage_series"]

# The rollup names the hour; only that hour's events are looked through for the instant.
LAST_USED = """
    SELECT used.key, latest.ts
    FROM (SELECT key, max(hour) AS hour FROM usage_hour
          WHERE organization = %(org)s AND key = ANY(%(keys)s) GROUP BY key) AS used
    CROSS JOIN LATERAL (SELECT ts FROM usage_event AS event
                        WHERE event.organization = %(org)s AND event.key = used.key AND event.ts >= used.hour
                        ORDER BY ts DESC LIMIT 1) AS latest
"""

LAST_MS = 253_402_300_799_999  # an id can carry a later instant than a datetime: year 10889


def usage_report(
    org: UUID,
    *,
    start: datetime,
    end: datetime,
    key: UUID | None = None,
    subscription: UUID | None = None,
    mode: Mode | None = None,
    group_by: GroupBy | None = None,
    zone: str = "UTC",
    count_ids: bool = False,
) -> UsageReport:
    """Add up [start, end), by groups if asked; days are those of `zone` (IANA). `count_ids` reads every event.

    Another organization's key or subscription has no usage here, like one that does not exist.
    Test calls count, but are never billable; `mode` picks live or test calls only.
    """
    scope = Scope(org, start, end, key, subscription, mode)
    complete = as_of()  # asked first: what is counted meanwhile only makes the figures fresher
    marks = steps(start, end, step=group_by, zone=zone) if group_by == "day" or group_by == "hour" else []
    found = grouped(scope, by=group_by, marks=marks, count_ids=count_ids)
    return UsageReport(
        start=start,
        end=end,
        calls=sum(row.calls for row in found.rows),
        billable=sum(row.billable for row in found.rows),
        units=_added(found.rows),
        distinct_event_ids=found.distinct,
        rows=tuple(_labelled(row, group_by, marks, zone) for row in found.rows) if group_by else (),
        as_of=complete,
    )


def usage_series(
    org: UUID,
    *,
    start: datetime,
    end: datetime,
    step: Step,
    zone: str = "UTC",
    key: UUID | None = None,
    subscription: UUID | None = None,
    mode: Mode | None = None,
) -> tuple[UsagePoint, ...]:
    """Give every hour, or every day of `zone`, that [start, end) touches, in order; empty ones with zeros."""
    marks = steps(start, end, step=step, zone=zone)
    found = stepped(Scope(org, start, end, key, subscription, mode), marks=marks)
    points = []
    for number, at in enumerate(marks, 1):
        calls, billable, refused, failed, *latency = found.get(number, (0, 0, 0, 0))
        p50, p95 = percentile(latency, 0.5), percentile(latency, 0.95)
        points.append(UsagePoint(at, int(calls), int(billable), int(refused), int(failed), p50, p95))
    return tuple(points)


def recent_calls(
    org: UUID, *, limit: int = 50, before: UUID | None = None, key: UUID | None = None
) -> tuple[CallRow, ...]:
    """The request log, newest first; `before` an event's id, to page on. Raises ValueError if it is not a UUIDv7."""
    rows = UsageEvent.objects.filter(organization=org).order_by("-ts", "-event_id")
    if key:
        rows = rows.filter(key=key)
    if before:
        # ids of one instant sort by themselves; ts beside it picks the partitions
        ms = min(at_ms(before), LAST_MS)
        rows = rows.filter(ts__lte=datetime.fromtimestamp(ms / 1000, UTC), event_id__lt=before)
    return tuple(_call(row) for row in rows[:limit])


def last_used(org: UUID, *, keys: Collection[UUID]) -> dict[UUID, datetime]:
    """When each key last made a call, whatever its answer; a key that made none is left out."""
    if not keys:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(LAST_USED, {"org": org, "keys": list(keys)})
        return dict(cursor.fetchall())


def _added(rows: Sequence[UsageRow]) -> dict[str, int]:
    units: Counter[str] = Counter()
    for row in rows:
        units.update(row.units)
    return dict(units)


def _labelled(row: UsageRow, group_by: GroupBy | None, marks: Sequence[datetime], zone: str) -> UsageRow:
    """Name a group as the caller knows it; the database knows steps by number and status classes by digit."""
    if row.group is None or group_by not in ("day", "hour", "status"):
        return row
    if group_by == "status":
        return replace(row, group=f"{row.group}xx")
    return replace(row, group=marks[int(row.group) - 1].astimezone(ZoneInfo(zone)).isoformat())


def _call(row: UsageEvent) -> CallRow:
    names = (field.name for field in fields(CallRow) if field.name != "at")
    return CallRow(at=row.ts, **{name: getattr(row, name) for name in names})
