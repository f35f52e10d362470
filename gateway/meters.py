"""Which usage each quota counter counts: what the counters are rebuilt from. Pure.

The counterpart of `admission.claims`: a claim names the counter that a call spends from, a meter says which recorded
calls had spent from it.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from gateway import names
from gateway.call import UsageEvent
from gateway.leases import GRACE_MS
from gateway.records import Key, Limit, Organization, Period, PlanVersion, Subscription

SOON_MS = 60_000  # a period that begins so soon is rebuilt with the present one
EVER = Period("", 0, 0)
# Refused by us after the limits had admitted the call.
LATE_PROBLEMS = frozenset(
    {
        "upstream_unreachable",
        "upstream_invalid",
        "upstream_forbidden",
        "upstream_timeout",
        "upstream_busy",
        "internal_error",
    }
)


class Meter(Struct, frozen=True):
    """One quota counter: it counts the calls with `meter`, by `subject`, live or test, in any of `periods`.

    `per` says what the subject is: "subscription", "key" or "organization". No periods: all calls ever.
    """

    counter: str
    organization: str
    per: str
    subject: str
    meter: str  # "billable" | "admitted"
    test: bool
    periods: frozenset[str] = frozenset()
    end_ms: int = 0  # when its window ends; 0: never


def meters_of(
    organization: Organization,
    *,
    subscriptions: Iterable[Subscription],
    plan_versions: dict[str, PlanVersion],
    keys: Sequence[Key],
    at_ms: int,
) -> list[Meter]:
    """List the quota counters that calls of one organization can spend from at `at_ms`, or soon after.

    Takes its published records; `plan_versions` by id. What is not active is left out.
    """
    found: dict[str, Meter] = {}
    for subscription in subscriptions:
        version = plan_versions.get(subscription.plan_version)
        if subscription.state != "active" or version is None:
            continue
        own = [key.id for key in keys if key.project == subscription.project]
        bound = [(limit, test) for limit in version.limits for test in (False, True)]
        bound += [(limit, False) for limit in organization.limits]
        for limit, test in bound:
            subjects = {"subscription": [subscription.id], "key": own, "organization": [organization.id]}[limit.per]
            for subject in subjects if limit.kind == "quota" else ():
                for period in _windows(limit, subscription, at_ms):
                    meter = _meter(organization, limit, subject, test, period)
                    known = found.get(meter.counter)
                    found[meter.counter] = meter if known is None else _joined(known, meter)
    return list(found.values())


def counts(meter: Meter, event: UsageEvent) -> bool:
    """Whether the counter counts this event."""
    if event.test != meter.test or event.part or (meter.periods and event.period_id not in meter.periods):
        return False
    if meter.subject != {"subscription": event.subscription, "key": event.key}.get(meter.per, event.organization):
        return False
    return admitted(event) if meter.meter == "admitted" else used_up(event)


def admitted(event: UsageEvent) -> bool:
    """Whether the call had passed the limits."""
    return event.accepted or event.problem == "" or event.problem in LATE_PROBLEMS


def used_up(event: UsageEvent) -> bool:
    """Whether the call used up units of the meter `billable`: it was billable, or would have been with a live key."""
    if not event.test:
        return event.billable
    answered = event.accepted and not event.problem and event.method != "OPTIONS"
    return answered and 200 <= event.status < 500 and event.status != 429


def _windows(limit: Limit, subscription: Subscription, at_ms: int) -> list[Period]:
    if limit.window != "period":
        return [EVER]
    return [
        period
        for period in subscription.periods
        if period.start_ms <= at_ms + SOON_MS and at_ms < period.end_ms + GRACE_MS
    ]


def _meter(organization: Organization, limit: Limit, subject: str, test: bool, period: Period) -> Meter:
    return Meter(
        counter=names.counter(
            organization.id, subject=subject, limit=limit.id, window_start_ms=period.start_ms, test=test
        ),
        organization=organization.id,
        per=limit.per,
        subject=subject,
        meter=limit.meter,
        test=test,
        periods=frozenset({period.id}) if period.id else frozenset(),
        end_ms=period.end_ms,
    )


def _joined(one: Meter, other: Meter) -> Meter:
    """Two subscriptions may share a counter of their key or organization."""
    end_ms = max(one.end_ms, other.end_ms)
    return Meter(
        one.counter, one.organization, one.per, one.subject, one.meter, one.test, one.periods | other.periods, end_ms
    )
