"""maximum: the lines it names (none: all) never cost more together; it only takes off, it never charges."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Self

from marketplace.pricing.fields import Fields
from marketplace.pricing.model import Meters, Model
from marketplace.pricing.words import Words, listed


@dataclass(frozen=True)
class Maximum(Model):
    kind: ClassVar[str] = "maximum"
    meters: ClassVar[Meters] = "none"

    amount: Decimal
    lines: tuple[str, ...]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        return cls(fields.amount("amount"), fields.names("of", required=False))

    def amounts(self) -> tuple[Decimal, ...]:
        return ()

    def of(self) -> tuple[str, ...]:
        return self.lines

    def sentence(self, words: Words) -> str:
        over = f" for {listed(self.lines)}" if self.lines else ""
        return f"At most {words.money(self.amount)} a {words.interval}{over}"
