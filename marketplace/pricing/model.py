"""What every kind of price answers. Its instances are frozen: a price that was read is a valid one."""

from decimal import Decimal
from typing import ClassVar, Literal, Protocol, Self

from marketplace.pricing.fields import Fields
from marketplace.pricing.words import Words

Meters = Literal["none", "any", "bytes", "money"]


class Model(Protocol):
    """A kind of price. `meters`: what it may be counted in; `of`: names of the lines it is computed from."""

    kind: ClassVar[str]
    meters: ClassVar[Meters]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read the kind's own fields; what is wrong collects in `fields.errors`."""

    def amounts(self) -> tuple[Decimal, ...]:
        """Everything in it that can charge: all zero, and the price is free."""

    def of(self) -> tuple[str, ...]:
        """The lines that it is computed from."""

    def sentence(self, words: Words) -> str:
        """The price as a customer reads it, without a full stop."""
