"""What the twins of the price models share: reading one price, and the reasons for which it is refused."""

from collections.abc import Mapping
from typing import Any

import pytest

from kit.errors import ProblemError
from marketplace.pricing.price import Price, read_prices


def read(raw: Mapping[str, Any], *beside: Mapping[str, Any]) -> Price:
    """The price, standing behind those it is computed from."""
    return read_prices([*beside, raw], currency="USD")[-1]


def sentence(raw: Mapping[str, Any], *beside: Mapping[str, Any], interval: str = "month") -> str:
    return read(raw, *beside).sentence(currency="USD", interval=interval)


def refusals(raw: object, *beside: Mapping[str, Any]) -> dict[str, str]:
    """Field (below the price) → reason; fails if it is not refused."""
    with pytest.raises(ProblemError) as caught:
        read_prices([*beside, raw], currency="USD")
    assert caught.value.code == "invalid"
    prefix = f"prices.{len(beside)}."
    return {error.field.removeprefix(prefix): error.message for error in caught.value.errors}
