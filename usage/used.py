"""The SQL behind reports: one relation `used` of whole hours and edges, added up by groups or by steps."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from usage.latency import STEPS
from usage.slices import slices
from usage.sums import HOUR_SUMS
from usage.values import GroupBy, Mode, UsageRow

IDS_MAX = 5_000_000  # more events than this are not counted one by one while somebody waits

_GROUPS = {
    None: "NULL::text",
    "key": "key::text",
    "subscription": "subscription::text",
    "project": "project::text",
    "api": "api::text",
    "operation": "operation",
    "status": "status_class::text",
    "day": "width_bucket(at, %(marks)s::timestamptz[])::text",
    "hour": "width_bucket(at, %(marks)s::timestamptz[])::text",
}
_BY_TIME = "width_bucket(at, %(marks)s::timestamptz[])"
_DIMENSIONS = "key, subscription, project, api, operation"
_SUMS = ("events", "calls", "billable", "units", "latency")


@dataclass(frozen=True)
class Scope:
    """Which usage: one organization's in [start, end), of one key or subscription, of live or of test calls."""

    org: UUID
    start: datetime
    end: datetime
    key: UUID | None = None
    subscription: UUID | None = None
    mode: Mode | None = None


@dataclass(frozen=True)
class Found:
    """Groups as the database names them, and how many events there are; None: not counted."""

    rows: tuple[UsageRow, ...]
    distinct: int | None


def grouped(scope: Scope, *, by: GroupBy | None, marks: Sequence[datetime], count_ids: bool) -> Found:
    """Add up by groups: by time in its order, else the busiest first. One statement, so one state of the count."""
    most = IDS_MAX if count_ids else -1
    order = "min(at)" if by in ("day", "hour") else "2 DESC, 1"
    rows = _fetch(
        scope,
        marks,
        f"""
        SELECT {_GROUPS[by]}, sum(calls)::bigint, sum(billable)::bigint, usage_units_sum(units),
               CASE WHEN (SELECT sum(events) FROM used) <= {most} THEN (
                    SELECT count(*) FROM usage_event WHERE {_where(scope)} AND ts >= %(start)s AND ts < %(end)s) END
          FROM used GROUP BY 1 ORDER BY {order}""",  # noqa: S608 - its parts are this module's own
    )
    found = tuple(UsageRow(group, calls, billable, json.loads(units)) for group, calls, billable, units, _ in rows)
    return Found(found, rows[0][4] if rows else 0 if count_ids else None)


def stepped(scope: Scope, *, marks: Sequence[datetime]) -> dict[int, tuple[int, ...]]:
    """Add up by steps, counted from 1: calls, billable, refused, failed, then the latency histogram."""
    latency = ", ".join(f"sum(latency[{step}])::bigint" for step in range(1, STEPS + 1))
    rows = _fetch(
        scope,
        marks,
        f"""
        SELECT {_BY_TIME}, sum(calls)::bigint, sum(billable)::bigint,
               coalesce(sum(calls) FILTER (WHERE status_class = 4), 0)::bigint,
               coalesce(sum(calls) FILTER (WHERE status_class = 5), 0)::bigint, {latency}
          FROM used GROUP BY 1""",  # noqa: S608
    )
    return {number: tuple(sums) for number, *sums in rows}


def _fetch(scope: Scope, marks: Sequence[datetime], select: str) -> list[tuple[Any, ...]]:
    parts = slices(scope.start, scope.end, at=marks)
    params: dict[str, Any] = {
        "org": scope.org,
        "start": scope.start,
        "end": scope.end,
        "key": scope.key,
        "subscription": scope.subscription,
        "test": scope.mode == "test",
        "marks": list(marks),
        "first": parts.first,
        "last": parts.last,
        "cut": list(parts.cut),
        "lows": [low for low, _ in parts.edges],
        "highs": [high for _, high in parts.edges],
    }
    with connection.cursor() as cursor:
        cursor.execute(_used(scope) + select, params)
        return cursor.fetchall()


def _used(scope: Scope) -> str:
    sums = ", ".join(HOUR_SUMS[name] for name in _SUMS)
    return f"""
        WITH used AS (
            SELECT hour AS at, {_DIMENSIONS}, status_class, {", ".join(_SUMS)} FROM usage_hour
             WHERE {_where(scope)} AND hour >= %(first)s AND hour < %(last)s AND hour <> ALL(%(cut)s::timestamptz[])
            UNION ALL
            SELECT low, {_DIMENSIONS}, (status / 100)::smallint, {sums}
              FROM unnest(%(lows)s::timestamptz[], %(highs)s::timestamptz[]) AS edge(low, high)
              JOIN usage_event ON ts >= low AND ts < high AND {_where(scope)}
             GROUP BY 1, 2, 3, 4, 5, 6, 7)"""  # noqa: S608


def _where(scope: Scope) -> str:
    where = "organization = %(org)s"
    if scope.key:
        where += " AND key = %(key)s"
    if scope.subscription:
        where += " AND subscription = %(subscription)s"
    if scope.mode:
        where += " AND test = %(test)s"
    return where
