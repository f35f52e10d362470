"""flat: the same amount for every period."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Self

from marketplace.pricing.fields import Fields
from marketplace.pricing.model import Meters, Model
from marketplace.pricing.words import Words


@dataclass(frozen=True)
class Flat(Model):
    kind: ClassVar[str] = "flat"
    meters: ClassVar[Meters] = "none"

    amount: Decimal

    @classmethod
    def read(cls, fields: Fields) -> Self:
        return cls(fields.amount("amount"))

    def amounts(self) -> tuple[Decimal, ...]:
        return (self.amount,)

    def base(self) -> Decimal:
        return self.amount

    def sentence(self, words: Words) -> str:
        return f"{words.money(self.amount)} a {words.interval}"
