"""The one definition of what is added up, in SQL: the consumer, the reports and the invariant share it.

Each expression reads rows of `usage_event`. A collapsed refusal counts `count` calls; the parts of a long stream
count once, in part 0, while their bytes and units add up.
"""

from gateway.public import LATE_PROBLEMS
from usage.latency import BOUNDS_MS

HOUR = "date_bin('1 hour', ts, '1970-01-01 00:00+00')"

# The gateway's own `admitted` and `used_up` (gateway.meters), in SQL. Test calls are never billable, yet their counters
# of the meter `billable` count as if they were.
_LATE = ", ".join(f"'{code}'" for code in sorted(LATE_PROBLEMS))
ADMITTED = f"(accepted OR problem IN ('', {_LATE}))"
SPENT = """(billable OR test AND accepted AND problem = '' AND method <> 'OPTIONS'
    AND status BETWEEN 200 AND 499 AND status <> 429)"""


def _step(low: int | None, high: int | None) -> str:
    bounds = [f"latency_ms > {low}"] if low is not None else []
    bounds += [f"latency_ms <= {high}"] if high is not None else []
    return f"count(*) FILTER (WHERE accepted AND part = 0 AND {' AND '.join(bounds)})"


_LATENCY = f"ARRAY[{', '.join(map(_step, (None, *BOUNDS_MS), (*BOUNDS_MS, None)))}]"

SUMS = {
    "events": "count(*)",
    "calls": "coalesce(sum(count) FILTER (WHERE part = 0), 0)",
    "admitted": f"coalesce(sum(count) FILTER (WHERE part = 0 AND {ADMITTED}), 0)",
    "bytes_in": "sum(bytes_in)",
    "bytes_out": "sum(bytes_out)",
    "cached_bytes": "coalesce(sum(bytes_out) FILTER (WHERE cached), 0)",
    "units": "coalesce(usage_units_sum(units) FILTER (WHERE units <> '{}'), '{}')",
}
"""What both rollups hold."""

HOUR_SUMS = SUMS | {
    "billable": "coalesce(sum(count) FILTER (WHERE part = 0 AND billable), 0)",
    "spent": f"coalesce(sum(count) FILTER (WHERE part = 0 AND {SPENT}), 0)",
    "accepted": "coalesce(sum(count) FILTER (WHERE part = 0 AND accepted), 0)",
    "latency_ms": "coalesce(sum(latency_ms) FILTER (WHERE part = 0 AND accepted), 0)",
    "upstream_ms": "coalesce(sum(upstream_ms) FILTER (WHERE part = 0 AND accepted), 0)",
    "latency": _LATENCY,
}
"""What usage_hour holds besides."""

READ = """organization, key, project, subscription, plan_version, period_id, api, operation, method, status, problem,
    ts, test, billable, accepted, cached, count, part, bytes_in, bytes_out, units, dimensions, latency_ms,
    upstream_ms"""
"""The columns of an event that any rollup reads."""

BILL_KEY = {
    "organization": "organization",
    "subscription": "subscription",
    "period_id": "period_id",
    "hour": HOUR,
    "billable": "billable",
    "dimensions": "dimensions",
    "plan_version": "plan_version",
}
BILLED = "NOT test AND period_id IS NOT NULL AND subscription IS NOT NULL"
"""Which events rating may ever see."""

HOUR_KEY = {
    "organization": "organization",
    "hour": HOUR,
    "key": "key",
    "operation": "operation",
    "status_class": "(status / 100)::smallint",
    "api": "api",
    "subscription": "subscription",
    "period_id": "period_id",
    "project": "project",
    "test": "test",
}


def rollup(table: str, *, key: dict[str, str], sums: dict[str, str], source: str) -> str:
    """Write the upsert that adds up `source` (a FROM … WHERE …) into a rollup.

    Rows are taken in key order, so that two writers can only wait for each other, never in a circle.
    """
    columns = key | sums
    by = ", ".join(map(str, range(1, len(key) + 1)))
    return f"""
        INSERT INTO {table} AS old ({", ".join(columns)})
        SELECT {", ".join(columns.values())} FROM {source} GROUP BY {by} ORDER BY {by}
        ON CONFLICT ({", ".join(key)}) DO UPDATE SET {", ".join(map(_added, sums))}"""  # noqa: S608


def _added(name: str) -> str:
    if name == "units":
        return "units = usage_units_add(old.units, excluded.units)"
    if name == "latency":
        steps = (f"old.latency[{n}] + excluded.latency[{n}]" for n in range(1, len(BOUNDS_MS) + 2))
        return f"latency = ARRAY[{', '.join(steps)}]"
    return f"{name} = old.{name} + excluded.{name}"
