"""A plan version's prices, read from JSON and checked as a whole; and the hash that says whether two lists are one.

A price is one flat object: {"kind", "meter", "name", "filters", …the kind's own fields}.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from math import prod

from kit.errors import FieldError, ProblemError
from kit.money import MINOR_DIGITS
from marketplace.pricing.fields import DIMENSION, DIMENSION_RULE, Fields
from marketplace.pricing.meters import METERS
from marketplace.pricing.model import Model
from marketplace.pricing.registry import MODELS
from marketplace.pricing.words import Words

MOST_PRICES = 50
MOST_COMBINATIONS = 500  # of filtered dimensions: the rollup keeps a row for each and hour


@dataclass(frozen=True)
class Price:
    """One valid price. `filters`: it prices only usage whose dimensions have one of these values."""

    name: str
    meter: str  # "" where the kind has none
    filters: tuple[tuple[str, tuple[str, ...]], ...]
    model: Model

    def sentence(self, *, currency: str, interval: str) -> str:
        said = self.model.sentence(Words(currency, interval, self.meter))
        only = "; ".join(f"{dimension.replace('_', ' ')} {' or '.join(values)}" for dimension, values in self.filters)
        return f"{said} (only {only})" if only else said


def read_prices(raws: Sequence[object], *, currency: str) -> tuple[Price, ...]:
    """Read a version's prices. Raises ProblemError invalid, naming each wrong field as "prices.2.tiers.0.up_to"."""
    errors: list[FieldError] = []
    if currency not in MINOR_DIGITS:
        errors.append(FieldError("currency", f"Unknown currency {currency[:10]!r}: use an ISO 4217 code."))
    if len(raws) > MOST_PRICES:
        errors.append(FieldError("prices", f"At most {MOST_PRICES} prices."))
        raws = ()
    found = [_read(raw, f"prices.{index}", errors) for index, raw in enumerate(raws)]
    prices = [price for price in found if price is not None]
    if not errors:
        _check_names(prices, errors)
        _check_combinations(prices, errors)
    if errors:
        raise ProblemError("invalid", errors=errors)
    return tuple(prices)


def free(prices: Sequence[Price]) -> bool:
    """Whether nothing in them can ever charge."""
    return not any(amount for price in prices for amount in price.model.amounts())


def price_hash(
    prices: Sequence[Price], *, currency: str, interval: str, rounding: str, rules: Mapping[str, str]
) -> str:
    """SHA-256 of all that decides an amount: equal for two versions that charge alike whatever the usage.

    `rules` are the version's other money rules (billability, late policy). "0.50" and "0.5" are equal.
    """
    told = {
        "currency": currency,
        "interval": interval,
        "rounding": rounding,
        "rules": dict(rules),
        "prices": [
            {"name": price.name, "kind": price.model.kind, "meter": price.meter, "filters": price.filters}
            | {"fields": asdict(price.model)}  # type: ignore[call-overload]  # every model is a frozen dataclass
            for price in prices
        ],
    }
    text = json.dumps(told, sort_keys=True, separators=(",", ":"), default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()


def _read(raw: object, path: str, errors: list[FieldError]) -> Price | None:
    if not isinstance(raw, Mapping):
        errors.append(FieldError(path, "A price is an object."))
        return None
    fields = Fields(raw, path=path, errors=errors)
    kind = fields.take("kind")
    model = MODELS.get(kind) if isinstance(kind, str) else None
    if model is None:
        fields.refuse("kind", f"Unknown kind of price: one of {', '.join(MODELS)}.")
        return None
    name = fields.text("name", required=False) or kind
    meter = _meter(fields, model)
    filters = _filters(fields)
    price = Price(str(name), meter, filters, model.read(fields))
    fields.done()
    return price


def _meter(fields: Fields, model: type[Model]) -> str:
    value = fields.take("meter")
    if model.meters == "none":
        if value not in (None, ""):
            fields.refuse("meter", f"A {model.kind} price has no meter.")
        return ""
    meter = METERS.get(value) if isinstance(value, str) else None
    if meter is None:
        fields.refuse("meter", f"Unknown meter: one of {', '.join(METERS)}.")
        return ""
    if (model.meters == "bytes" and not meter.bytes) or (model.meters == "money" and meter.name != "money"):
        fields.refuse("meter", f"A {model.kind} price is counted in {model.meters}.")
    return meter.name


def _filters(fields: Fields) -> tuple[tuple[str, tuple[str, ...]], ...]:
    value = fields.take("filters")
    if value in (None, {}):
        return ()
    if not isinstance(value, Mapping):
        fields.refuse("filters", "An object: {dimension: [value, …]}.")
        return ()
    inner = Fields({str(name): values for name, values in value.items()}, f"{fields.path}.filters", fields.errors)
    for name in inner.raw:
        if not DIMENSION.fullmatch(name):
            inner.refuse(name[:40], DIMENSION_RULE)
    return tuple((name, tuple(sorted(inner.names(name)))) for name in sorted(inner.raw))


def _check_names(prices: Sequence[Price], errors: list[FieldError]) -> None:
    """Each name once; a line may be computed of lines that are not computed themselves, so there is no circle."""
    plain = {price.name for price in prices if not price.model.of()}
    seen: set[str] = set()
    for index, price in enumerate(prices):
        if price.name in seen:
            errors.append(FieldError(f"prices.{index}.name", f"Two prices are named {price.name!r}."))
        seen.add(price.name)
        for name in price.model.of():
            if name not in plain:
                errors.append(FieldError(f"prices.{index}.of", f"No usage or fixed price is named {name!r}."))


def _check_combinations(prices: Sequence[Price], errors: list[FieldError]) -> None:
    values: dict[str, set[str]] = {}
    for price in prices:
        for dimension, chosen in price.filters:
            values.setdefault(dimension, set()).update(chosen)
    if prod(len(chosen) + 1 for chosen in values.values()) > MOST_COMBINATIONS:
        errors.append(FieldError("prices", f"Together the filters make more than {MOST_COMBINATIONS} combinations."))


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return format(value.normalize(), "f") if value else "0"
    raise TypeError(f"no canonical form for {type(value).__name__}")
