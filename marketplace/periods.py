"""Billing periods: which half-open stretch of time an instant belongs to. Pure; all instants aware UTC.

Boundaries are local midnight of the anchor day in the subscription's IANA zone.
A day that the month lacks is clamped from the original anchor: 31 January → 28 February → 31 March. A day with a
clock change has 23 or 25 hours; a midnight that it skips is the instant at which the clock would have shown it,
and one that it repeats is the first of the two.

The first period starts at the chain's exact start, so it is the only one that may begin off midnight.
"""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

_NAMESPACE = UUID("6c1f1d0e-5d0b-5c39-9c0a-9d6f0f3b7a51")


@dataclass(frozen=True)
class Period:
    """[start_at, end_at), and the id that usage, counters and rated periods share."""

    id: UUID
    start_at: datetime
    end_at: datetime


@dataclass(frozen=True, kw_only=True)
class Chain:
    """All periods of one subscription from `start_at` on. `anchor_month` counts for yearly ones only.

    Any boundary of a chain may stand in for its start: the later periods are the same.
    """

    subscription_id: UUID
    start_at: datetime
    zone: str
    anchor_day: int
    anchor_month: int = 1
    interval: Literal["month", "year"] = "month"

    def __post_init__(self) -> None:
        _aware(self.start_at)
        if not 1 <= self.anchor_day <= 31 or not 1 <= self.anchor_month <= 12:
            raise ValueError(f"no day {self.anchor_day} of month {self.anchor_month} to anchor at")


def period_id(subscription_id: UUID, start_at: datetime) -> UUID:
    """The id of the subscription's period that starts then: the same wherever it is derived (UUIDv5, RFC 9562 §5.5)."""
    return uuid5(_NAMESPACE, f"{subscription_id}:{to_ms(start_at)}")


def period_at(chain: Chain, at: datetime) -> Period:
    """The period that holds `at`. Raises ValueError before the chain's start."""
    if _aware(at) < chain.start_at:
        raise ValueError(f"{at:%Y-%m-%dT%H:%M:%S.%fZ} lies before the first period")
    start = chain.start_at
    for boundary in _boundaries(chain, at):
        if boundary > at:
            return Period(period_id(chain.subscription_id, start), start, boundary)
        start = max(start, boundary)
    raise AssertionError("boundaries never end")


def periods_from(chain: Chain, at: datetime, *, count: int = 4) -> tuple[Period, ...]:
    """The period that holds `at`, and its successors: `count` in all, each starting where the last one ends."""
    found = [period_at(chain, at)]
    while len(found) < count:
        found.append(period_at(chain, found[-1].end_at))
    return tuple(found)


def to_ms(at: datetime) -> int:
    """Unix milliseconds of an instant: the unit of the gateway. Exact, rounded down."""
    since = _aware(at) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000


def whole_ms(at: datetime) -> datetime:
    """Cut an instant to the millisecond, so that its `to_ms` is the same instant."""
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def _boundaries(chain: Chain, around: datetime) -> Iterator[datetime]:
    """Boundaries in order, from one that is not after `around` on."""
    local = around.astimezone(ZoneInfo(chain.zone))
    step = 12 if chain.interval == "year" else 1
    month = local.year * 12 + (chain.anchor_month - 1 if step == 12 else local.month - 1) - step
    while True:
        yield _midnight(*divmod(month, 12), chain)
        month += step


def _midnight(year: int, month0: int, chain: Chain) -> datetime:
    day = min(chain.anchor_day, monthrange(year, month0 + 1)[1])
    return datetime(year, month0 + 1, day, tzinfo=ZoneInfo(chain.zone)).astimezone(UTC)


def _aware(at: datetime) -> datetime:
    if at.utcoffset() is None:
        raise ValueError("an instant without a zone is not an instant")
    return at
