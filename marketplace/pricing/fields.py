"""Read the fields of a price as they come from JSON, and say of each wrong one what is wrong with it.

Amounts are decimals written as text: at most 8 digits before and 12 behind the point (Stripe's ceiling, and
NUMERIC(20,12)). A JSON number with a point has already been rounded to binary, so it is refused.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from kit.errors import FieldError

MOST_TIERS = 100
MOST_COUNT = 2**53 - 1  # Redis scripts and JSON readers count in doubles
DIMENSION = re.compile(r"[a-z][a-z0-9_]{0,39}")
DIMENSION_RULE = "Lower-case letters, digits and underscores, starting with a letter."
_AMOUNT = re.compile(r"[0-9]{1,8}(\.[0-9]{1,12})?")


@dataclass(frozen=True)
class Tier:
    """Units up to `up_to` (included; None: all the rest) cost `unit_amount` each, and `flat_amount` once."""

    up_to: int | None
    unit_amount: Decimal
    flat_amount: Decimal = Decimal(0)


@dataclass
class Fields:
    """One JSON object being read. Errors collect; a wrong value reads as zero, so that the reading can go on."""

    raw: Mapping[str, object]
    path: str = ""
    errors: list[FieldError] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def refuse(self, name: str, message: str) -> None:
        self.errors.append(FieldError(".".join(part for part in (self.path, name) if part), message))

    def take(self, name: str) -> object:
        self.seen.add(name)
        return self.raw.get(name)

    def amount(self, name: str, *, default: Decimal | None = None) -> Decimal:
        """A decimal ≥ 0, written as text."""
        value = self.take(name)
        if value is None and default is not None:
            return default
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            self.refuse(name, _why_no_amount(value))
            return Decimal(0)
        if not _AMOUNT.fullmatch(value):
            self.refuse(name, _why_bad_amount(value))
            return Decimal(0)
        return Decimal(value)

    def count(self, name: str, *, least: int = 0, default: int | None = None) -> int:
        """A whole number of units."""
        value = self.take(name)
        if value is None and default is not None:
            return default
        if not isinstance(value, int) or isinstance(value, bool):
            self.refuse(name, "Required: a whole number." if value is None else "Write a whole number.")
            return 0
        if not least <= value <= MOST_COUNT:
            self.refuse(name, f"Must be at least {least:,}." if value < least else f"Must be at most {MOST_COUNT:,}.")
            return 0
        return value

    def text(self, name: str, *, most: int = 80, required: bool = True) -> str:
        value = self.take(name)
        if value is None and not required:
            return ""
        if not isinstance(value, str) or not value.strip():
            self.refuse(name, "Required: some text.")
            return ""
        if len(value) > most or "\x00" in value:
            self.refuse(name, f"At most {most} characters.")
        return value.strip()

    def dimension(self, name: str) -> str:
        value = self.text(name, most=40)
        if value and not DIMENSION.fullmatch(value):
            self.refuse(name, DIMENSION_RULE)
        return value

    def names(self, name: str, *, required: bool = True) -> tuple[str, ...]:
        """A list of names, each once."""
        value = self.take(name)
        if value is None and not required:
            return ()
        if not isinstance(value, list) or not value or not all(isinstance(item, str) and item for item in value):
            self.refuse(name, "Required: a list of names.")
            return ()
        if len(set(value)) < len(value):
            self.refuse(name, "Each name once.")
        return tuple(value)

    def tiers(self, name: str = "tiers") -> tuple[Tier, ...]:
        """Tiers from zero upwards without gap or overlap; the last one has `up_to` null and takes all the rest."""
        value = self.take(name)
        if not isinstance(value, list) or not value:
            self.refuse(name, "Required: a list of tiers.")
            return ()
        if len(value) > MOST_TIERS:
            self.refuse(name, f"At most {MOST_TIERS} tiers.")
            return ()
        before, found = len(self.errors), []
        for index, raw in enumerate(value):
            found.append(self._tier(raw, f"{name}.{index}"))
        if len(self.errors) == before:
            self._check_chain(found, name)
        return tuple(found)

    def done(self) -> None:
        """Refuse what nobody asked for: a misspelt field would silently cost money."""
        for name in self.raw:
            if name not in self.seen:
                self.refuse(str(name), "Unknown field.")

    def _tier(self, raw: object, name: str) -> Tier:
        if not isinstance(raw, Mapping):
            self.refuse(name, "A tier is an object with up_to and unit_amount.")
            return Tier(None, Decimal(0))
        tier = Fields(raw, path=".".join(part for part in (self.path, name) if part), errors=self.errors)
        if "up_to" not in raw:
            tier.refuse("up_to", "Required: the tier's last unit, or null for all the rest.")
        up_to = None if tier.take("up_to") is None else tier.count("up_to", least=1)
        found = Tier(up_to, tier.amount("unit_amount"), tier.amount("flat_amount", default=Decimal(0)))
        tier.done()
        return found

    def _check_chain(self, tiers: Sequence[Tier], name: str) -> None:
        reached = 0
        for index, tier in enumerate(tiers):
            last = index == len(tiers) - 1
            if tier.up_to is None and not last:
                self.refuse(f"{name}.{index}.up_to", "Overlap: this tier has no end, but another follows it.")
                return
            if tier.up_to is not None and tier.up_to <= reached:
                self.refuse(f"{name}.{index}.up_to", f"Overlap: the tier before already reaches {reached:,}.")
                return
            if tier.up_to is not None and last:
                self.refuse(
                    f"{name}.{index}.up_to", f"Gap: no tier covers units beyond {tier.up_to:,}; end with up_to null."
                )
            reached = tier.up_to or reached


def amounts_of(tiers: Iterable[Tier]) -> tuple[Decimal, ...]:
    return tuple(amount for tier in tiers for amount in (tier.unit_amount, tier.flat_amount))


def _why_no_amount(value: object) -> str:
    if value is None:
        return "Required: an amount, as text."
    if isinstance(value, float):
        return 'Write amounts as text ("0.005"): a JSON number is rounded before it arrives.'
    return 'Write the amount as text, for example "0.005".'


def _why_bad_amount(value: str) -> str:
    if value.startswith("-"):
        return "Must not be negative."
    whole, _, decimals = value.partition(".")
    if re.fullmatch(r"[0-9]+", whole) and re.fullmatch(r"[0-9]*", decimals):
        if len(decimals) > 12:
            return "At most 12 decimals."
        if len(whole) > 8:
            return "At most 8 digits before the point."
    return 'Not an amount: write digits and one point, for example "0.005".'
