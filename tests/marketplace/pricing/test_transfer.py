import pytest

from tests.marketplace.pricing.prices import refusals, sentence


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"meter": "bytes_out"}, "$0.05 per GB sent"),
        ({"meter": "bytes_in", "included": 100}, "100 GB included, then $0.05 per GB received"),
        ({"meter": "bytes_inter_region"}, "$0.05 per GB between regions"),
    ],
)
def test_said(more: dict[str, object], said: str) -> None:
    assert sentence({"kind": "transfer", "unit_amount": "0.05", **more}) == said


def test_it_is_counted_in_bytes() -> None:
    assert "counted in bytes" in refusals({"kind": "transfer", "meter": "calls", "unit_amount": "1"})["meter"]
