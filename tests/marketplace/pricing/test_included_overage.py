import pytest

from tests.marketplace.pricing.prices import refusals, sentence


@pytest.mark.parametrize(
    ("included", "said"),
    [(10_000, "10,000 calls included, then $0.01 per call"), (1, "1 call included, then $0.01 per call")],
)
def test_said(included: int, said: str) -> None:
    assert sentence({"kind": "included_overage", "meter": "calls", "included": included, "unit_amount": "0.01"}) == said


def test_refused() -> None:
    assert set(refusals({"kind": "included_overage", "meter": "calls"})) == {"included", "unit_amount"}
