"""per_unit: every unit costs the same, from the first on."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Self

from marketplace.pricing.fields import Fields
from marketplace.pricing.model import Meters, Model
from marketplace.pricing.words import Words


@dataclass(frozen=True)
class PerUnit(Model):
    kind: ClassVar[str] = "per_unit"
    meters: ClassVar[Meters] = "any"

    unit_amount: Decimal

    @classmethod
    def read(cls, fields: Fields) -> Self:
        return cls(fields.amount("unit_amount"))

    def amounts(self) -> tuple[Decimal, ...]:
        return (self.unit_amount,)

    def sentence(self, words: Words) -> str:
        return words.each(self.unit_amount)
