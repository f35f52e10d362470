from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.pricing.fields import Fields, Tier


def amount(value: object) -> tuple[Decimal, list[str]]:
    fields = Fields({"a": value})
    return fields.amount("a"), [error.message for error in fields.errors]


@pytest.mark.parametrize("text", ["0", "0.005", "12345678", "99999999.999999999999", "007", 5, 0])
def test_amounts_are_taken_exactly(text: str | int) -> None:
    assert amount(text) == (Decimal(text), [])


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "Required"),
        (0.005, "rounded before it arrives"),
        (float("nan"), "rounded"),
        (True, "as text"),
        (Decimal("1"), "as text"),
        ([1], "as text"),
        ("", "Not an amount"),
        ("-1", "negative"),
        ("-0.5", "negative"),
        ("NaN", "Not an amount"),
        ("Infinity", "Not an amount"),
        ("1e3", "Not an amount"),
        ("1,5", "Not an amount"),
        (" 1", "Not an amount"),
        ("1_000", "Not an amount"),
        ("٣", "Not an amount"),
        ("1\n", "Not an amount"),
        ("0.0000000000001", "12 decimals"),
        ("123456789", "8 digits"),
        (10**30, "8 digits"),
        (-3, "negative"),
    ],
)
def test_amounts_are_refused_with_the_reason(value: object, reason: str) -> None:
    _, messages = amount(value)
    assert len(messages) == 1
    assert reason in messages[0]


@given(st.one_of(st.text(), st.floats(), st.integers(), st.none(), st.booleans(), st.lists(st.integers())))
def test_whatever_is_sent_is_read_or_refused(value: object) -> None:
    found, messages = amount(value)
    assert messages or (found.is_finite() and 0 <= found < 10**8 and -found.as_tuple().exponent <= 12)  # type: ignore[operator]


@given(st.lists(st.integers(1, 10**6), max_size=8), st.booleans())
def test_tiers_are_taken_exactly_when_they_tile(bounds: list[int], closed: bool) -> None:
    raw = [{"up_to": bound, "unit_amount": "1"} for bound in bounds]
    raw += [{"up_to": None, "unit_amount": "1"}] if closed else []  # type: ignore[list-item]
    fields = Fields({"tiers": raw})
    tiers = fields.tiers()
    tile = closed and bounds == sorted(set(bounds))
    assert tile == (not fields.errors)
    if tile:
        assert [tier.up_to for tier in tiers] == [*bounds, None]


def test_a_place_is_named_from_the_top() -> None:
    fields = Fields({"tiers": [{"up_to": None, "unit_amount": "x"}]}, path="prices.3")
    assert fields.tiers() == (Tier(None, Decimal(0)),)
    assert [error.field for error in fields.errors] == ["prices.3.tiers.0.unit_amount"]


def test_what_nobody_asked_for_is_refused() -> None:
    fields = Fields({"amount": "1", "amuont": "2"})
    fields.amount("amount")
    fields.done()
    assert [(error.field, error.message) for error in fields.errors] == [("amuont", "Unknown field.")]
