"""included_overage: a pool of units is paid by the plan's base; units beyond it cost the same each."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Self

from marketplace.pricing.fields import Fields
from marketplace.pricing.model import Meters, Model
from marketplace.pricing.words import Words


@dataclass(frozen=True)
class IncludedOverage(Model):
    kind: ClassVar[str] = "included_overage"
    meters: ClassVar[Meters] = "any"

    included: int
    unit_amount: Decimal

    @classmethod
    def read(cls, fields: Fields) -> Self:
        return cls(fields.count("included"), fields.amount("unit_amount"))

    def amounts(self) -> tuple[Decimal, ...]:
        return (self.unit_amount,)

    def sentence(self, words: Words) -> str:
        return f"{words.many(self.included)} included, then {words.each(self.unit_amount)}"
