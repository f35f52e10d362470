"""percentage: a share of other lines, taken of them rounded and before any discount."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Self

from marketplace.pricing.fields import Fields
from marketplace.pricing.model import Meters, Model
from marketplace.pricing.words import Words, listed


@dataclass(frozen=True)
class Percentage(Model):
    kind: ClassVar[str] = "percentage"
    meters: ClassVar[Meters] = "none"

    percent: Decimal
    lines: tuple[str, ...]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        return cls(fields.amount("percent"), fields.names("of"))

    def amounts(self) -> tuple[Decimal, ...]:
        return (self.percent,)

    def of(self) -> tuple[str, ...]:
        return self.lines

    def sentence(self, words: Words) -> str:
        return f"{self.percent.normalize():f} % of {listed(self.lines)}"
