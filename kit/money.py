"""Money: an exact Decimal with its ISO 4217 currency. Pure; nothing is rounded but by `quantized`.

MoneyError    the amount or currency cannot be taken; its text says why, for the person who sent it
"""

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, localcontext

from babel.numbers import format_currency

# ISO 4217: decimals of the minor unit. The common case, two, is the list of codes.
_TWO = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC "
    "CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR "
    "JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD "
    "NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN "
    "SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD YER ZAR ZMW"
)
_ZERO = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_THREE = "BHD IQD JOD KWD LYD OMR TND"

MINOR_DIGITS: dict[str, int] = {
    code: digits for digits, codes in ((2, _TWO), (0, _ZERO), (3, _THREE)) for code in codes.split()
}


_EXACT = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,12})?", re.ASCII)
_DIGITS = 60  # of the arithmetic context: products of two amounts stay exact


class MoneyError(ValueError):
    """An amount or currency that cannot be taken; its text says why."""


def parse_decimal(value: object, *, negative: bool = False) -> Decimal:
    """Read an exact number: Decimal, int or text such as "0.005". Raises MoneyError.

    A float is refused, for it is not what was typed; so are NaN, infinity, exponents, separators, more than 18
    digits before or 12 after the point, and anything below zero unless `negative`.
    """
    text = _plain(value)
    if not _EXACT.fullmatch(text):
        raise MoneyError('An amount is digits with a point, at most 18 before and 12 after it, such as "12.50".')
    number = Decimal(text)
    if number < 0 and not negative:
        raise MoneyError("An amount must not be below zero.")
    return number or abs(number)  # there is no minus zero


def _plain(value: object) -> str:
    if isinstance(value, float):
        raise MoneyError('Send the amount as text, such as "0.005": a floating point number is not exact.')
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise MoneyError("An amount must be a finite number.")
        return f"{value:f}" if abs(value.adjusted()) < 40 else str(value)  # 1E+999999 would fill the memory
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if abs(value) < 10**18 else "too long"  # so would turning a long int into text
    if isinstance(value, str):
        return value
    raise MoneyError('An amount is text, such as "12.50".')


def minor_digits(currency: str) -> int:
    """How many decimals a currency's coins have: USD 2, JPY 0, KWD 3. Raises MoneyError."""
    if currency not in MINOR_DIGITS:
        raise MoneyError(f"{currency[:8]!r} is not a currency code (ISO 4217) known here.")
    return MINOR_DIGITS[currency]


@dataclass(frozen=True, order=False)
class Money:
    """An amount in a currency; it may be finer than the coins, as unit prices are."""

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        if not isinstance(self.amount, Decimal) or not self.amount.is_finite():
            raise MoneyError("An amount must be a finite Decimal.")
        minor_digits(self.currency)

    @classmethod
    def parse(cls, value: object, currency: str, *, negative: bool = False) -> "Money":
        """Read an amount as `parse_decimal` does. Raises MoneyError."""
        return cls(parse_decimal(value, negative=negative), currency)

    @classmethod
    def of_minor(cls, units: int, currency: str) -> "Money":
        """So many of the smallest coins: `of_minor(237, "USD")` is $2.37."""
        return cls(Decimal(units).scaleb(-minor_digits(currency)), currency)

    def quantized(self) -> "Money":
        """Round half-even to the currency's coins."""
        with localcontext(prec=_DIGITS):
            step = Decimal(1).scaleb(-minor_digits(self.currency))
            return Money(self.amount.quantize(step, rounding=ROUND_HALF_EVEN), self.currency)

    @property
    def minor(self) -> int:
        """The amount in the smallest coins. Raises MoneyError if it is finer than these."""
        coins = self.quantized().amount
        if coins != self.amount:
            raise MoneyError(f"{self} is finer than the coins of {self.currency}: round it first.")
        return int(coins.scaleb(minor_digits(self.currency)))

    def __add__(self, other: "Money") -> "Money":
        with localcontext(prec=_DIGITS):
            return Money(self.amount + self._same(other).amount, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return self + -other

    def __neg__(self) -> "Money":
        return Money(self.amount.copy_negate() if self.amount else self.amount, self.currency)

    def __mul__(self, factor: Decimal | int) -> "Money":
        if isinstance(factor, bool) or not isinstance(factor, Decimal | int):
            raise MoneyError("Money is multiplied by an int or a Decimal.")
        with localcontext(prec=_DIGITS):
            return Money(self.amount * factor, self.currency)

    __rmul__ = __mul__

    def __lt__(self, other: "Money") -> bool:
        return self.amount < self._same(other).amount

    def __le__(self, other: "Money") -> bool:
        return self.amount <= self._same(other).amount

    def __str__(self) -> str:
        return show(self.amount, self.currency)

    def _same(self, other: "Money") -> "Money":
        if other.currency != self.currency:
            raise MoneyError(f"{self.currency} and {other.currency} do not mix.")
        return other


def show(amount: Decimal, currency: str) -> str:
    """An exact amount as text: "$29.00", "$0.005", "¥1,200", "SEK 12.00". Nothing is rounded."""
    text = format_currency(amount, currency, locale="en_US", decimal_quantization=False)
    return re.sub(rf"^(-?){currency}\s*", rf"\g<1>{currency} ", text)
