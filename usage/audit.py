"""The invariant of counting: both rollups add up to the events, for every organization and hour."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from usage.sums import BILLED, HOUR, SUMS

_SUMS = ("events", "calls", "bytes_in", "bytes_out")


@dataclass(frozen=True)
class Drift:
    """An hour of one organization where a rollup and the events differ; tuples of events, calls, billable calls,
    bytes in and out. `billed_events` is what the live events of a subscription add up to."""

    organization: UUID
    hour: datetime
    events: tuple[int, ...]
    usage_hour: tuple[int, ...]
    billed_events: tuple[int, ...]
    usage_bill: tuple[int, ...]


def drift(*, start: datetime, end: datetime) -> list[Drift]:
    """Compare the rollups with the events in [start, end), both whole hours. Empty is the only good answer."""
    with connection.cursor() as cursor:
        cursor.execute(_DRIFT, {"start": start, "end": end})
        rows = cursor.fetchall()
    width = len(_SUMS) + 1
    return [
        Drift(org, hour, *(tuple(int(value) for value in sums[n : n + width]) for n in range(0, 4 * width, width)))
        for org, hour, *sums in rows
    ]


def _sums(source: str, billable: str, *, added: bool = False) -> str:
    columns = {name: f"sum({name})" if added else SUMS[name] for name in _SUMS}
    listed = ", ".join(f"{sql} AS {name}" for name, sql in columns.items())
    hour = "hour" if added else HOUR
    return f"SELECT organization, {hour} AS hour, {listed}, {billable} AS billable FROM {source} GROUP BY 1, 2"  # noqa: S608


_BILLABLE = "sum(count) FILTER (WHERE part = 0 AND billable)"
_IN_EVENTS = "usage_event WHERE ts >= %(start)s AND ts < %(end)s"
_IN_ROLLUP = "WHERE hour >= %(start)s AND hour < %(end)s"
_VALUES = ", ".join(f"coalesce({{0}}.{name}, 0)" for name in ("events", "calls", "billable", "bytes_in", "bytes_out"))
_TABLES = ("raw", "hours", "live", "bills")
_DRIFT = f"""
    WITH raw AS ({_sums(_IN_EVENTS, _BILLABLE)}),
         hours AS ({_sums(f"usage_hour {_IN_ROLLUP}", "sum(billable)", added=True)}),
         live AS ({_sums(f"{_IN_EVENTS} AND {BILLED}", _BILLABLE)}),
         bills AS ({_sums(f"usage_bill {_IN_ROLLUP}", "sum(calls) FILTER (WHERE billable)", added=True)})
    SELECT organization, hour, {", ".join(_VALUES.format(table) for table in _TABLES)}
      FROM raw FULL JOIN hours USING (organization, hour)
               FULL JOIN live USING (organization, hour) FULL JOIN bills USING (organization, hour)
     WHERE ({_VALUES.format("raw")}) <> ({_VALUES.format("hours")})
        OR ({_VALUES.format("live")}) <> ({_VALUES.format("bills")})
     ORDER BY organization, hour"""  # noqa: S608 - its parts are this module's own
