"""one_off: one amount, once, in the first period."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Self

from marketplace.pricing.fields import Fields
from marketplace.pricing.model import Meters, Model
from marketplace.pricing.words import Words


@dataclass(frozen=True)
class OneOff(Model):
    kind: ClassVar[str] = "one_off"
    meters: ClassVar[Meters] = "none"

    amount: Decimal

    @classmethod
    def read(cls, fields: Fields) -> Self:
        return cls(fields.amount("amount"))

    def amounts(self) -> tuple[Decimal, ...]:
        return (self.amount,)

    def sentence(self, words: Words) -> str:
        return f"{words.money(self.amount)} once"
