"""Units of measure whose size is exact by definition (SI, and the international yard and pound of 1959)."""

from decimal import Decimal

# quantity → unit → how many of the quantity's base unit it is
UNITS: dict[str, dict[str, Decimal]] = {
    "length": {
        "millimetre": Decimal("0.001"),
        "centimetre": Decimal("0.01"),
        "metre": Decimal(1),
        "kilometre": Decimal(1000),
        "inch": Decimal("0.0254"),
        "foot": Decimal("0.3048"),
        "yard": Decimal("0.9144"),
        "mile": Decimal("1609.344"),
        "nautical_mile": Decimal(1852),
    },
    "mass": {
        "gram": Decimal("0.001"),
        "kilogram": Decimal(1),
        "tonne": Decimal(1000),
        "ounce": Decimal("0.028349523125"),
        "pound": Decimal("0.45359237"),
    },
    "time": {
        "second": Decimal(1),
        "minute": Decimal(60),
        "hour": Decimal(3600),
        "day": Decimal(86_400),
        "week": Decimal(604_800),
    },
}

QUANTITY_OF = {unit: quantity for quantity, units in UNITS.items() for unit in units}
DIGITS = 12


def convert(value: Decimal, source: str, target: str) -> Decimal:
    """Convert between two units of the same quantity, to 12 significant digits. Raises ValueError, KeyError."""
    quantity = QUANTITY_OF[source]
    if QUANTITY_OF[target] != quantity:
        raise ValueError(f"{source} is a unit of {quantity}, {target} of {QUANTITY_OF[target]}")
    units = UNITS[quantity]
    exact = value * units[source] / units[target]
    return exact if not exact else Decimal(f"{exact:.{DIGITS}g}")
