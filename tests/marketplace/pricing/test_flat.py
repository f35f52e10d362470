import pytest

from tests.marketplace.pricing.prices import read, refusals, sentence


@pytest.mark.parametrize(("amount", "said"), [("29", "$29.00 a month"), ("0.5", "$0.50 a month"), (0, "$0.00 a month")])
def test_said(amount: str, said: str) -> None:
    assert sentence({"kind": "flat", "amount": amount}) == said


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({}, "amount"),
        ({"amount": 1.5}, "amount"),
        ({"amount": "1", "meter": "calls"}, "meter"),
        ({"amount": "1", "x": 1}, "x"),
    ],
)
def test_refused(more: dict[str, object], field: str) -> None:
    assert field in refusals({"kind": "flat", **more})


def test_only_zero_is_free() -> None:
    assert not any(read({"kind": "flat", "amount": "0.00"}).model.amounts())
    assert any(read({"kind": "flat", "amount": "0.01"}).model.amounts())
