import pytest

from tests.marketplace.pricing.prices import read, refusals, sentence


@pytest.mark.parametrize(
    ("meter", "said"),
    [
        ("calls", "$0.005 per call"),
        ("tokens_out", "$0.005 per output token"),
        ("compute_ms", "$0.005 per millisecond of compute"),
    ],
)
def test_said(meter: str, said: str) -> None:
    assert sentence({"kind": "per_unit", "meter": meter, "unit_amount": "0.005"}) == said


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"unit_amount": "1"}, "meter"),
        ({"unit_amount": "1", "meter": "visits"}, "meter"),
        ({"meter": "calls"}, "unit_amount"),
        ({"meter": "calls", "unit_amount": "-1"}, "unit_amount"),
    ],
)
def test_refused(more: dict[str, object], field: str) -> None:
    assert field in refusals({"kind": "per_unit", **more})


def test_a_base_is_none() -> None:
    assert read({"kind": "per_unit", "meter": "calls", "unit_amount": "1"}).model.base() == 0
