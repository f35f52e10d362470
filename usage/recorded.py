"""What the database holds for each counter: every statement here reads one state of the count."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from django.db import connection

from gateway.public import Holding, Meter, Stored
from usage.models import Producer
from usage.sums import SPENT

HOUR_MS = 3_600_000

_METERS = """
    jsonb_to_recordset(%(meters)s::jsonb) AS meter(
        counter text, organization uuid, per text, subject uuid, meter text, test boolean, periods uuid[])"""
_OF_METER = """
    used.organization = meter.organization AND used.test = meter.test
    AND CASE meter.per WHEN 'key' THEN used.key = meter.subject
                       WHEN 'subscription' THEN used.subscription = meter.subject ELSE true END
    AND (meter.periods = '{}' OR used.period_id = ANY(meter.periods))"""
_UNITS = "sum(CASE meter.meter WHEN 'admitted' THEN used.admitted ELSE used.spent END)"

# Added up per key first: a customer has few keys and many hours.
_STORED = f"""
    WITH used AS MATERIALIZED (
        SELECT organization, key, subscription, period_id, test, sum(admitted) AS admitted, sum(spent) AS spent
          FROM usage_hour WHERE organization = ANY(%(organizations)s::uuid[]) AND hour >= %(since)s
         GROUP BY 1, 2, 3, 4, 5)
    SELECT meter.counter, coalesce({_UNITS}, 0)::bigint, NULL FROM {_METERS} JOIN used ON {_OF_METER} GROUP BY 1
    UNION ALL
    SELECT boot_id, committed_seq, ahead::text FROM usage_producer"""  # noqa: S608 - its parts are this module's own

_SPENT_BY = f"""
    SELECT meter.counter, coalesce(sum(used.count) FILTER (WHERE used.spent), 0)::bigint
      FROM {_METERS}
      JOIN unnest(%(counters)s::text[], %(since)s::bigint[]) AS held(counter, seq) USING (counter)
      LEFT JOIN (SELECT *, {SPENT} AS spent FROM usage_event WHERE part = 0) AS used
           ON used.boot_id = %(boot)s AND used.ts >= %(start)s AND used.seq > held.seq AND {_OF_METER}
     GROUP BY 1"""  # noqa: S608


def stored(meters: Iterable[Meter]) -> Stored:
    """Add up what these counters' meters count, and say of every producer how far that goes: one statement,
    so one state of the count, whatever is being stored beside it."""
    meters = list(meters)
    starts = [_window_start_ms(meter.counter) for meter in meters]
    params: dict[str, Any] = {
        "meters": _json(meters),
        "organizations": sorted({meter.organization for meter in meters}),
        "since": datetime.fromtimestamp(min(starts, default=0) // HOUR_MS * HOUR_MS / 1000, UTC),
    }
    with connection.cursor() as cursor:
        cursor.execute(_STORED, params)
        rows = cursor.fetchall()
    ahead = {boot: json.loads(ranges) for boot, _, ranges in rows if ranges is not None}
    return Stored(
        units={counter: units for counter, units, ranges in rows if ranges is None},
        committed={boot: seq for boot, seq, ranges in rows if ranges is not None},
        ahead={boot: tuple((first, last) for first, last in ranges) for boot, ranges in ahead.items() if ranges},
    )


def spent_by(producer: Producer, held: Sequence[Holding], meters: Mapping[str, Meter]) -> dict[str, int]:
    """Count, per counter of the meter `billable`, what a worker used up of it in the counter's present life.

    Others are left out: of a meter `admitted` the calls in flight when it died had spent theirs, too.
    """
    known = [holding for holding in held if holding.counter in meters and meters[holding.counter].meter == "billable"]
    params: dict[str, Any] = {
        "meters": _json([meters[holding.counter] for holding in known]),
        "counters": [holding.counter for holding in known],
        "since": [holding.since for holding in known],
        "boot": producer.boot_id,
        "start": producer.started_at,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SPENT_BY, params)
        return dict(cursor.fetchall())


def _json(meters: Sequence[Meter]) -> str:
    return msgspec.json.encode(meters).decode()


def _window_start_ms(counter: str) -> int:
    """A counter's name ends with the start of its window; 0: it counts for ever."""
    return int(counter.rpartition(":")[2])
