"""transfer: bytes by the gigabyte (10⁹), after an included pool of whole gigabytes."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Self

from marketplace.pricing.fields import Fields
from marketplace.pricing.meters import METERS
from marketplace.pricing.model import Meters, Model
from marketplace.pricing.words import Words


@dataclass(frozen=True)
class Transfer(Model):
    kind: ClassVar[str] = "transfer"
    meters: ClassVar[Meters] = "bytes"

    included: int  # gigabytes
    unit_amount: Decimal  # per gigabyte

    @classmethod
    def read(cls, fields: Fields) -> Self:
        return cls(fields.count("included", default=0), fields.amount("unit_amount"))

    def amounts(self) -> tuple[Decimal, ...]:
        return (self.unit_amount,)

    def sentence(self, words: Words) -> str:
        moved = METERS[words.meter].many.removeprefix("bytes ")
        price = f"{words.money(self.unit_amount)} per GB {moved}"
        return f"{self.included:,} GB included, then {price}" if self.included else price
