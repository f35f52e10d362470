"""What an API costs, in the few words that fit on its card."""

from collections.abc import Sequence
from decimal import Decimal

from kit import money
from marketplace.pricing.price import Price, free

Offer = tuple[Sequence[Price], str, str]  # prices, currency, interval


def teaser(offers: Sequence[Offer]) -> str:
    """Say the cheapest way in: "Free plan, paid plans from $29.00 a month"; "" without an offer."""
    said = ["Free plan"] if any(free(prices) for prices, _, _ in offers) else []
    paid = [offer for offer in offers if not free(offer[0])]
    bases = sorted((_base(prices), currency, interval) for prices, currency, interval in paid)
    if bases and bases[0][0] == 0:
        said.append("pay as you go")
    elif bases:
        amount, currency, interval = bases[0]
        said.append(f"paid plans from {money.show(amount, currency)} a {interval}")
    text = ", ".join(said)
    return text[:1].upper() + text[1:]


def _base(prices: Sequence[Price]) -> Decimal:
    return sum((price.model.base() for price in prices), Decimal(0))
