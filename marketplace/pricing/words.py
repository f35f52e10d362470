"""How prices are said: the few words that all kinds share."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from kit import money
from marketplace.pricing.fields import Tier
from marketplace.pricing.meters import METERS


@dataclass(frozen=True)
class Words:
    """The currency and interval of a plan version, and the meter of one price."""

    currency: str
    interval: str  # "month" | "year"
    meter: str = ""

    def money(self, amount: Decimal) -> str:
        return money.show(amount, self.currency)

    def one(self) -> str:
        return METERS[self.meter].one

    def many(self, count: int) -> str:
        """ "1 call", "10,000 calls"."""
        meter = METERS[self.meter]
        return f"{count:,} {meter.one if count == 1 else meter.many}"

    def each(self, amount: Decimal) -> str:
        return f"{self.money(amount)} per {self.one()}"

    def tier(self, tier: Tier) -> str:
        said = self.each(tier.unit_amount)
        return f"{said} plus {self.money(tier.flat_amount)}" if tier.flat_amount else said


def listed(names: Sequence[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)
