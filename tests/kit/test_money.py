"""Money: what is taken, how it is rounded once, how it is shown."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.money import MINOR_DIGITS, Money, MoneyError, minor_digits, parse_decimal, show

EXACT = st.decimals(min_value=0, max_value=10**12, places=6)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("0", "0"), ("12.50", "12.50"), ("0.000000000001", "1E-12"), ("007", "7"), (5, "5"), (Decimal("1E+3"), "1000"),
        (Decimal("-0"), "0"), ("999999999999999999.999999999999", "999999999999999999.999999999999"),
    ],
)  # fmt: skip
def test_taken(text, amount):
    assert parse_decimal(text) == Decimal(amount)
    assert not parse_decimal(text).is_signed()


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (1.5, "not exact"), (float("nan"), "not exact"), (float("inf"), "not exact"),
        (Decimal("NaN"), "finite"), (Decimal("Infinity"), "finite"), (Decimal("sNaN"), "finite"),
        ("NaN", "digits"), ("inf", "digits"), ("1e3", "digits"), ("1_000", "digits"), ("1,000", "digits"),
        (" 1", "digits"), ("1\n", "digits"), ("", "digits"), (".5", "digits"), ("5.", "digits"), ("+1", "digits"),
        ("٣", "digits"), ("0x10", "digits"), ("1" * 19, "digits"), ("0." + "1" * 13, "digits"),
        pytest.param("1" * 10**6, "digits", id="a million"),
        (10**18, "digits"), pytest.param(10**5000, "digits", id="endless"),
        (Decimal("1E+999999"), "digits"), (Decimal("1E-999999"), "digits"),
        ("-1", "below zero"), (-1, "below zero"), (True, "is text"), (None, "is text"), ([], "is text"),
        (b"1", "is text"),
    ],
)  # fmt: skip
def test_refused_with_the_reason(value, reason):
    with pytest.raises(MoneyError, match=reason):
        parse_decimal(value)


def test_below_zero_where_it_makes_sense():
    assert parse_decimal("-1.50", negative=True) == Decimal("-1.50")


@pytest.mark.parametrize(
    ("currency", "digits"), [("USD", 2), ("EUR", 2), ("JPY", 0), ("KRW", 0), ("KWD", 3), ("TND", 3)]
)
def test_minor_units(currency, digits):
    assert minor_digits(currency) == digits


@pytest.mark.parametrize("code", ["usd", "XXX", "", "US", "DOLLARS", "USD "])
def test_unknown_currencies_are_refused(code):
    with pytest.raises(MoneyError, match="ISO 4217"):
        Money(Decimal(1), code)


@pytest.mark.parametrize(
    ("amount", "currency", "rounded"),
    [
        ("2.365", "USD", "2.36"), ("2.375", "USD", "2.38"), ("2.3651", "USD", "2.37"), ("-2.365", "USD", "-2.36"),
        ("0.5", "JPY", "0"), ("1.5", "JPY", "2"), ("1.00050", "KWD", "1.000"), ("1.00150", "KWD", "1.002"),
        ("7", "USD", "7.00"),
    ],
)  # fmt: skip
def test_rounded_half_to_even_at_the_coin(amount, currency, rounded):
    assert str(Money(Decimal(amount), currency).quantized().amount) == rounded


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("2.37", "USD", "$2.37"), ("29", "USD", "$29.00"), ("0.005", "USD", "$0.005"),
        ("0.0000005", "USD", "$0.0000005"),
        ("1200", "JPY", "¥1,200"), ("1234567.8", "EUR", "€1,234,567.80"), ("-3", "USD", "-$3.00"),
        ("1.2345", "KWD", "KWD 1.2345"), ("-12", "SEK", "-SEK 12.00"),
    ],
)  # fmt: skip
def test_shown(amount, currency, text):
    assert show(Decimal(amount), currency) == text
    assert str(Money(Decimal(amount), currency)) == text


def test_coins():
    assert Money.of_minor(237, "USD") == Money(Decimal("2.37"), "USD")
    assert Money(Decimal("2.37"), "USD").minor == 237
    assert Money(Decimal("1200"), "JPY").minor == 1200
    with pytest.raises(MoneyError, match="finer"):
        _ = Money(Decimal("0.005"), "USD").minor


def test_currencies_do_not_mix():
    for mix in (lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a < b, lambda a, b: a <= b):
        with pytest.raises(MoneyError, match="do not mix"):
            mix(Money(Decimal(1), "USD"), Money(Decimal(1), "EUR"))


@pytest.mark.parametrize("factor", [1.5, True, "2"])
def test_multiplied_by_exact_numbers_only(factor):
    with pytest.raises(MoneyError, match="multiplied"):
        Money(Decimal(1), "USD") * factor


@given(EXACT, EXACT, EXACT)
def test_sums_are_exact_in_any_order(one, two, three):
    a, b, c = (Money(each, "USD") for each in (one, two, three))
    assert (a + b) + c == a + (b + c) == (c + b) + a
    assert (a + b) - b == a
    assert 3 * a == a + a + a
    assert (a - b <= Money(Decimal(0), "USD")) == (a <= b)


@given(EXACT, st.sampled_from(sorted(MINOR_DIGITS)))
def test_coins_and_amounts_agree(amount, currency):
    rounded = Money(amount, currency).quantized()
    assert Money.of_minor(rounded.minor, currency) == rounded
    assert rounded.quantized() == rounded


@pytest.mark.parametrize("amount", [1, 1.0, "1", Decimal("NaN")])
def test_money_is_made_of_finite_decimals(amount):
    with pytest.raises(MoneyError, match="finite Decimal"):
        Money(amount, "USD")
