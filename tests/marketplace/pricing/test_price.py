import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.errors import ProblemError
from marketplace.pricing.price import MOST_PRICES, free, price_hash, read_prices
from marketplace.pricing.teaser import teaser
from tests.marketplace.pricing.prices import refusals, sentence

CALLS = {"kind": "per_unit", "name": "Calls", "meter": "calls", "unit_amount": "0.01"}
BASE = {"kind": "flat", "name": "Base", "amount": "29"}


def hashed(
    *raws: dict[str, Any],
    currency: str = "USD",
    interval: str = "month",
    rounding: str = "half_even",
    rule: str = "bill",
) -> str:
    prices = read_prices(raws, currency=currency)
    return price_hash(prices, currency=currency, interval=interval, rounding=rounding, rules={"late": rule})


def test_the_same_money_has_the_same_hash() -> None:
    assert hashed(BASE, CALLS) == hashed({**BASE, "amount": "29.000"}, {**CALLS, "unit_amount": "0.010"})
    assert hashed(CALLS) == hashed({**CALLS, "filters": {}})


@pytest.mark.parametrize(
    "changed",
    [
        hashed(CALLS),
        hashed(CALLS, BASE),
        hashed(BASE, {**CALLS, "unit_amount": "0.02"}),
        hashed(BASE, {**CALLS, "meter": "bytes_in"}),
        hashed(BASE, {**CALLS, "name": "Requests"}),
        hashed(BASE, {**CALLS, "filters": {"region": ["eu"]}}),
        hashed(BASE, CALLS, currency="EUR"),
        hashed(BASE, CALLS, interval="year"),
        hashed(BASE, CALLS, rounding="half_up"),
        hashed(BASE, CALLS, rule="waive"),
    ],
)
def test_other_money_has_another_hash(changed: str) -> None:
    assert changed != hashed(BASE, CALLS)


def test_free_is_what_can_never_charge() -> None:
    assert free(())
    assert free(read_prices([{**BASE, "amount": "0"}, {**CALLS, "unit_amount": "0.000"}], currency="USD"))
    assert not free(read_prices([BASE], currency="USD"))


@pytest.mark.parametrize(
    ("raw", "field", "reason"),
    [
        (3, "prices.1", "object"),
        ({"kind": "barter"}, "kind", "one of flat, "),
        ({"kind": ["flat"]}, "kind", "Unknown kind"),
        ({**CALLS}, "name", "Two prices are named 'Calls'"),
        ({**CALLS, "name": 3}, "name", "text"),
        ({**CALLS, "name": "x" * 81}, "name", "80"),
        ({**CALLS, "name": "b", "filters": []}, "filters", "object"),
        ({**CALLS, "name": "b", "filters": {"Region": ["eu"]}}, "filters.Region", "Lower-case"),
        ({**CALLS, "name": "b", "filters": {"region": "eu"}}, "filters.region", "list"),
        ({**CALLS, "name": "b", "filters": {"region": []}}, "filters.region", "list"),
        ({**CALLS, "name": "b", "color": "red"}, "color", "Unknown field"),
    ],
)
def test_refused_with_field_and_reason(raw: object, field: str, reason: str) -> None:
    assert reason in refusals(raw, CALLS)[field]


def test_the_version_as_a_whole_is_checked() -> None:
    with pytest.raises(ProblemError) as caught:
        read_prices([], currency="XXX")
    assert [error.field for error in caught.value.errors] == ["currency"]
    with pytest.raises(ProblemError, match="invalid"):
        read_prices([{**BASE, "name": f"b{n}"} for n in range(MOST_PRICES + 1)], currency="USD")
    wide = {name: [f"v{n}" for n in range(10)] for name in ("a", "b", "c")}
    with pytest.raises(ProblemError) as caught:
        read_prices([{**CALLS, "filters": wide}], currency="USD")
    assert "combinations" in caught.value.errors[0].message


def test_a_price_for_some_usage_says_which() -> None:
    assert sentence({**CALLS, "filters": {"region": ["eu", "us"], "access": ["write"]}}) == (
        "$0.01 per call (only access write; region eu or us)"
    )


@pytest.mark.parametrize(
    ("offers", "said"),
    [
        ([], ""),
        ([()], "Free plan"),
        ([(), (BASE, CALLS), ({**BASE, "amount": "9.5"},)], "Free plan, paid plans from $9.50 a month"),
        ([(CALLS,)], "Pay as you go"),
    ],
)
def test_the_cheapest_way_in(offers: list[tuple[dict[str, Any], ...]], said: str) -> None:
    assert teaser([(read_prices(raws, currency="USD"), "USD", "month") for raws in offers]) == said


words = st.sampled_from(
    ["kind", "name", "meter", "filters", "amount", "unit_amount", "tiers", "up_to", "of", "percent", "size", "included"]
)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["flat", "graduated", "percentage", "calls", "1.5", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=4),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(words, values, max_size=6), max_size=3))
def test_whatever_is_sent_is_read_or_refused(raws: list[dict[str, Any]]) -> None:
    try:
        prices = read_prices(raws, currency="USD")
    except ProblemError as refusal:
        assert refusal.errors
    else:
        assert all(price.sentence(currency="USD", interval="month") for price in prices)
        assert json.dumps(price_hash(prices, currency="USD", interval="month", rounding="half_even", rules={}))
