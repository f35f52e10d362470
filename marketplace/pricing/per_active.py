"""per_active: each different value of a dimension that was used at least once; some are included."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Self

from marketplace.pricing.fields import Fields
from marketplace.pricing.model import Meters, Model
from marketplace.pricing.words import Words


@dataclass(frozen=True)
class PerActive(Model):
    kind: ClassVar[str] = "per_active"
    meters: ClassVar[Meters] = "none"

    dimension: str
    included: int
    unit_amount: Decimal

    @classmethod
    def read(cls, fields: Fields) -> Self:
        return cls(fields.dimension("dimension"), fields.count("included", default=0), fields.amount("unit_amount"))

    def amounts(self) -> tuple[Decimal, ...]:
        return (self.unit_amount,)

    def sentence(self, words: Words) -> str:
        beyond = f" beyond {self.included:,}" if self.included else ""
        return f"{words.money(self.unit_amount)} per active {self.dimension.replace('_', ' ')}{beyond}"
