"""package: units are sold in blocks; a block begun is a block paid."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Self

from marketplace.pricing.fields import Fields
from marketplace.pricing.model import Meters, Model
from marketplace.pricing.words import Words


@dataclass(frozen=True)
class Package(Model):
    kind: ClassVar[str] = "package"
    meters: ClassVar[Meters] = "any"

    size: int
    amount: Decimal

    @classmethod
    def read(cls, fields: Fields) -> Self:
        return cls(fields.count("size", least=1), fields.amount("amount"))

    def amounts(self) -> tuple[Decimal, ...]:
        return (self.amount,)

    def sentence(self, words: Words) -> str:
        return f"{words.money(self.amount)} per block of {words.many(self.size)}"
