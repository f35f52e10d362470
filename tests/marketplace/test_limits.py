from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.errors import ProblemError
from marketplace.limits import limits_hash, read_limits

QUOTA = {"kind": "quota", "name": "period", "amount": 10_000}
BUCKET = {"kind": "bucket", "name": "burst", "amount": 20, "refill": 10, "refill_ms": 1000}


@pytest.mark.parametrize(
    ("raw", "id", "said"),
    [
        (QUOTA, "quota:billable:period", "10,000 calls a month; calls beyond it are refused (429)"),
        ({**QUOTA, "hard": False}, "quota:billable:period", "10,000 calls a month; calls beyond it go through"),
        (
            {**QUOTA, "refusal": "overage_not_allowed"},
            "quota:billable:period",
            "10,000 calls a month; calls beyond it are refused (402)",
        ),
        (
            {**QUOTA, "meter": "admitted", "window": "ever", "amount": 1},
            "quota:admitted:ever",
            "1 call in all, failed ones included; calls beyond it are refused (429)",
        ),
        (
            {**QUOTA, "per": "key"},
            "quota:billable:period:key:pro",
            "10,000 calls a month per key; calls beyond it are refused (429)",
        ),
        (BUCKET, "bucket:second", "10 calls a second, up to 20 at once; faster calls are refused (429)"),
        (
            {**BUCKET, "amount": 10, "refill_ms": 60_000},
            "bucket:minute",
            "10 calls a minute; faster calls are refused (429)",
        ),
        (
            {**BUCKET, "refill_ms": 250, "hard": False},
            "bucket:250ms",
            "10 calls every 250 ms, up to 20 at once; not enforced",
        ),
        (
            {**BUCKET, "per": "organization"},
            "bucket:second:organization:pro",
            "10 calls a second per organization, up to 20 at once; faster calls are refused (429)",
        ),
    ],
)
def test_read_named_and_said(raw: dict[str, Any], id: str, said: str) -> None:
    (limit,) = read_limits([raw], plan="pro")
    assert (limit.id("pro"), limit.sentence("month")) == (id, said)


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        ("x", "limits.0"),
        ({**QUOTA, "kind": "cap"}, "limits.0.kind"),
        ({**QUOTA, "name": "Per Month"}, "limits.0.name"),
        ({**QUOTA, "name": ""}, "limits.0.name"),
        ({**QUOTA, "amount": -1}, "limits.0.amount"),
        ({**QUOTA, "amount": 1.5}, "limits.0.amount"),
        ({**QUOTA, "amount": "10"}, "limits.0.amount"),
        ({**QUOTA, "amount": 2**53}, "limits.0.amount"),
        ({**QUOTA, "amount": True}, "limits.0.amount"),
        ({**QUOTA, "meter": "bytes"}, "limits.0.meter"),
        ({**QUOTA, "window": "day"}, "limits.0.window"),
        ({**QUOTA, "per": "user"}, "limits.0.per"),
        ({**QUOTA, "hard": "yes"}, "limits.0.hard"),
        ({**QUOTA, "refusal": "rate_limited"}, "limits.0.refusal"),
        ({**QUOTA, "refill": 3}, "limits.0.refill"),
        ({**BUCKET, "amount": 0}, "limits.0.amount"),
        ({**BUCKET, "refill": 0}, "limits.0.refill"),
        ({**BUCKET, "refill_ms": 0}, "limits.0.refill_ms"),
        ({**BUCKET, "refill_ms": 86_400_001}, "limits.0.refill_ms"),
    ],
)
def test_refused_with_the_field(raw: object, field: str) -> None:
    with pytest.raises(ProblemError) as caught:
        read_limits([raw], plan="pro")
    assert field in [error.field for error in caught.value.errors]


def test_two_limits_never_share_a_name_or_a_counter() -> None:
    for other in ({**BUCKET, "name": "period"}, {**QUOTA, "name": "more", "amount": 5}):
        with pytest.raises(ProblemError):
            read_limits([QUOTA, other], plan="pro")
    assert len(read_limits([QUOTA, BUCKET, {**BUCKET, "name": "day", "refill_ms": 86_400_000}], plan="pro")) == 3
    with pytest.raises(ProblemError):
        read_limits([{**QUOTA, "name": f"n{n}"} for n in range(21)], plan="pro")


def test_the_hash_says_whether_limits_differ() -> None:
    one, other = read_limits([QUOTA, BUCKET], plan="pro"), read_limits([BUCKET, QUOTA], plan="pro")
    assert limits_hash(one) == limits_hash(other)
    assert limits_hash(one) != limits_hash(read_limits([{**QUOTA, "amount": 10_001}, BUCKET], plan="pro"))


values = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["quota", "bucket", "period", "key", ""])
)


@given(st.lists(st.dictionaries(st.sampled_from([*QUOTA, *BUCKET, "per", "hard", "x"]), values), max_size=3))
def test_whatever_is_sent_is_read_or_refused(raws: list[dict[str, Any]]) -> None:
    try:
        limits = read_limits(raws, plan="p")
    except ProblemError as refusal:
        assert refusal.errors
    else:
        assert all(0 <= limit.amount < 2**53 and limit.sentence("month") for limit in limits)
