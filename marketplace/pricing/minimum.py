"""minimum: a commitment; if the lines it names (none: all) stay below it, the difference is charged."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Self

from marketplace.pricing.fields import Fields
from marketplace.pricing.model import Meters, Model
from marketplace.pricing.words import Words, listed


@dataclass(frozen=True)
class Minimum(Model):
    kind: ClassVar[str] = "minimum"
    meters: ClassVar[Meters] = "none"

    amount: Decimal
    lines: tuple[str, ...]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        return cls(fields.amount("amount"), fields.names("of", required=False))

    def amounts(self) -> tuple[Decimal, ...]:
        return (self.amount,)

    def of(self) -> tuple[str, ...]:
        return self.lines

    def base(self) -> Decimal:
        return self.amount

    def sentence(self, words: Words) -> str:
        over = f" for {listed(self.lines)}" if self.lines else ""
        return f"At least {words.money(self.amount)} a {words.interval}{over}"
