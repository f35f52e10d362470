"""Which usage a counter counts: the other side of the claims that spend from it."""

import pytest
from msgspec.structs import replace

from gateway.admission import claims
from gateway.call import UsageEvent
from gateway.meters import Meter, counts, meters_of
from gateway.records import Grant, Key, Limit, Organization, Period, PlanVersion, Subscription

AT = 1_500
PERIODS = (Period("p1", 0, 1_000), Period("p2", 1_000, 90_000), Period("p3", 90_000, 180_000))
QUOTA = Limit(id="quota:billable:period", kind="quota", name="period", amount=10)
LIMITS = (
    QUOTA,
    Limit(id="quota:admitted:ever", kind="quota", name="ever", amount=9, meter="admitted", window="ever", per="key"),
    Limit(id="bucket:second", kind="bucket", name="burst", amount=5, refill=5, refill_ms=1000),
)
FREE_CALLS = Limit(id="quota:billable:ever", kind="quota", name="free", amount=100, window="ever", per="organization")
ORGANIZATION = Organization("org", 1, limits=(FREE_CALLS,))
VERSIONS = {"v": PlanVersion("v", 1, 3, "free", LIMITS)}
SUBSCRIPTION = Subscription("sub", 1, "org", "project", ("api",), "v", PERIODS)
LIVE = Key("live", 1, (), "org", "project", "live")
TEST = replace(LIVE, id="test", kind="test")
EVENT = UsageEvent(
    event_id="e",
    ts=AT,
    organization="org",
    project="project",
    key="live",
    subscription="sub",
    plan_version="v",
    period_id="p2",
    api="api",
    version="v1",
    operation="op",
    method="GET",
    status=200,
    problem="",
    billable=True,
    accepted=True,
    test=False,
)


def found(*, at_ms: int = AT, subscriptions: tuple[Subscription, ...] = (SUBSCRIPTION,)) -> dict[str, Meter]:
    known = meters_of(ORGANIZATION, subscriptions=subscriptions, plan_versions=VERSIONS, keys=[LIVE, TEST], at_ms=at_ms)
    return {meter.counter: meter for meter in known}


@pytest.mark.parametrize("key", [LIVE, TEST], ids=["live", "test"])
def test_every_quota_that_a_call_claims_from_is_metered(key: Key) -> None:
    grant = Grant(key, ORGANIZATION, SUBSCRIPTION, VERSIONS["v"])
    claimed = [claim for claim in claims(grant, PERIODS[1]) if claim.kind == "quota"]
    metered = found()
    assert claimed
    assert {claim.counter: (claim.meter, claim.window_end_ms) for claim in claimed} == {
        claim.counter: (metered[claim.counter].meter, metered[claim.counter].end_ms) for claim in claimed
    }


@pytest.mark.parametrize(
    ("at_ms", "periods"),
    [(1_500, {"p1", "p2"}), (2_999, {"p1", "p2"}), (3_000, {"p2"}), (30_000, {"p2", "p3"}), (95_000, {"p3"})],
)
def test_the_period_that_just_ended_counts_and_the_next_is_prepared(at_ms: int, periods: set[str]) -> None:
    assert {name for meter in found(at_ms=at_ms).values() for name in meter.periods} == periods


def test_what_is_not_active_has_no_counters() -> None:
    assert found(subscriptions=(replace(SUBSCRIPTION, state="cancelled"),)) == {}


def test_subscriptions_may_share_a_counter_of_their_organization() -> None:
    shared = replace(QUOTA, per="organization")
    versions = {"v": replace(VERSIONS["v"], limits=(shared,))}
    other = replace(SUBSCRIPTION, id="other", periods=(Period("q2", 1_000, 80_000),))
    (meter, _) = meters_of(
        Organization("org", 1),
        subscriptions=[SUBSCRIPTION, other],
        plan_versions=versions,
        keys=[],
        at_ms=5_000,
    )
    assert (meter.periods, meter.end_ms) == (frozenset({"p2", "q2"}), 90_000)


@pytest.mark.parametrize(
    ("event", "counted"),
    [
        (EVENT, "billable admitted"),
        (replace(EVENT, billable=False, status=500), "admitted"),
        (replace(EVENT, billable=False, accepted=False, problem="upstream_unreachable", status=502), "admitted"),
        (replace(EVENT, billable=False, accepted=False, problem="quota_exceeded", status=429), ""),
        (replace(EVENT, part=1), ""),
        (replace(EVENT, subscription="another", key="another"), ""),
        (replace(EVENT, period_id="p1"), "admitted"),
    ],
    ids=["billable", "upstream-500", "unreachable", "refused", "later-part", "another-subject", "another-period"],
)
def test_what_counts(event: UsageEvent, counted: str) -> None:
    metered = found(at_ms=5_000)
    billable, admitted = (
        metered["tg:c:{org}:sub:quota:billable:period:1000"],
        metered["tg:c:{org}:live:quota:admitted:ever:0"],
    )
    names = ("billable" if counts(billable, event) else "", "admitted" if counts(admitted, event) else "")
    assert " ".join(filter(None, names)) == counted


@pytest.mark.parametrize(
    ("event", "counted"),
    [
        (EVENT, True),
        (replace(EVENT, status=404), True),
        (replace(EVENT, status=429), False),
        (replace(EVENT, status=503), False),
        (replace(EVENT, method="OPTIONS"), False),
        (replace(EVENT, accepted=False, problem="upstream_timeout", status=504), False),
    ],
)
def test_a_test_call_uses_up_what_a_live_one_would(event: UsageEvent, counted: bool) -> None:
    meter = found()["tg:c:{org}:sub:test:quota:billable:period:1000"]
    assert counts(meter, replace(event, test=True, billable=False)) is counted
    assert not counts(meter, event)
