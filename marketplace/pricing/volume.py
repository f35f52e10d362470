"""volume: all units cost the price of the tier that the period's total reaches."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Self

from marketplace.pricing.fields import Fields, Tier, amounts_of
from marketplace.pricing.model import Meters, Model
from marketplace.pricing.words import Words


@dataclass(frozen=True)
class Volume(Model):
    kind: ClassVar[str] = "volume"
    meters: ClassVar[Meters] = "any"

    tiers: tuple[Tier, ...]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        return cls(fields.tiers())

    def amounts(self) -> tuple[Decimal, ...]:
        return amounts_of(self.tiers)

    def sentence(self, words: Words) -> str:
        if len(self.tiers) == 1:
            return words.tier(self.tiers[0])
        parts = [f"{words.tier(tier)} if the total is at most {tier.up_to:,}" for tier in self.tiers[:-1]]
        return f"All units: {', '.join(parts)}, else {words.tier(self.tiers[-1])}"
