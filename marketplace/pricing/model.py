"""What every kind of price answers. Its instances are frozen: a price that was read is a valid one."""

from abc import ABC, abstractmethod
from decimal import Decimal
from typing import ClassVar, Literal, Self

from marketplace.pricing.fields import Fields
from marketplace.pricing.words import Words

Meters = Literal["none", "any", "bytes", "money"]


class Model(ABC):
    """A kind of price: a frozen dataclass of its own fields. `meters`: what it may be counted in."""

    kind: ClassVar[str]
    meters: ClassVar[Meters]

    @classmethod
    @abstractmethod
    def read(cls, fields: Fields) -> Self:
        """Read the kind's own fields; what is wrong collects in `fields.errors`."""

    @abstractmethod
    def amounts(self) -> tuple[Decimal, ...]:
        """Everything in it that can charge: all zero, and the price is free."""

    @abstractmethod
    def sentence(self, words: Words) -> str:
        """The price as a customer reads it, without a full stop."""

    def base(self) -> Decimal:
        """What it charges each period whatever the usage."""
        return Decimal(0)

    def of(self) -> tuple[str, ...]:
        """Names of the lines that it is computed from; none: it stands by itself."""
        return ()
