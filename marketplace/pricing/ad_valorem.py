"""ad_valorem: a share of a metered amount of money, and a fixed amount for each call that carries one."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Self

from marketplace.pricing.fields import Fields
from marketplace.pricing.model import Meters, Model
from marketplace.pricing.words import Words


@dataclass(frozen=True)
class AdValorem(Model):
    kind: ClassVar[str] = "ad_valorem"
    meters: ClassVar[Meters] = "money"

    percent: Decimal
    fixed: Decimal

    @classmethod
    def read(cls, fields: Fields) -> Self:
        return cls(fields.amount("percent"), fields.amount("fixed", default=Decimal(0)))

    def amounts(self) -> tuple[Decimal, ...]:
        return (self.percent, self.fixed)

    def sentence(self, words: Words) -> str:
        share = f"{self.percent.normalize():f} % of the amount moved"
        return f"{share} plus {words.money(self.fixed)} each time" if self.fixed else share
