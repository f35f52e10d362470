"""What crosses to other apps: frozen values, never a model."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

GroupBy = Literal["key", "subscription", "project", "api", "operation", "status", "day", "hour"]
Step = Literal["hour", "day"]
Mode = Literal["live", "test"]


@dataclass(frozen=True)
class UsageRow:
    """One group of a report. `group` is an id, an operation's id, "4xx", or the local start of the day or hour
    in ISO 8601; None where the calls had none (a refused call may have no subscription)."""

    group: str | None
    calls: int
    billable: int
    units: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class UsageReport:
    """Usage of one organization in [start, end). `calls` counts collapsed refusals one by one, so it may exceed
    `distinct_event_ids`, which is counted from the events themselves, not from the rollup that `calls` comes from."""

    start: datetime
    end: datetime
    calls: int
    billable: int
    units: Mapping[str, int]
    distinct_event_ids: int | None  # None: not asked for, or too many to count while somebody waits
    rows: tuple[UsageRow, ...]  # empty without group_by
    as_of: datetime | None  # every call before this instant is in; None: no gateway has ever reported


@dataclass(frozen=True)
class UsagePoint:
    """One step of a series: [at, next point's at). Percentiles are of calls that reached the upstream."""

    at: datetime
    calls: int = 0
    billable: int = 0
    refused: int = 0  # answered 4xx, 429 included
    failed: int = 0  # answered 5xx
    p50_ms: float | None = None
    p95_ms: float | None = None


@dataclass(frozen=True)
class CallRow:
    """One line of the request log."""

    event_id: UUID
    at: datetime
    key: UUID
    project: UUID | None
    subscription: UUID | None
    api: UUID | None
    operation: str
    method: str
    status: int
    problem: str
    billable: bool
    test: bool
    console: bool
    count: int
    bytes_in: int
    bytes_out: int
    latency_ms: int
    upstream_ms: int
    client_request_id: str
