import pytest

from tests.marketplace.pricing.prices import read, refusals, sentence

TIERS = [
    {"up_to": 100_000, "unit_amount": "0.005"},
    {"up_to": 1_000_000, "unit_amount": "0.003", "flat_amount": "10"},
    {"up_to": None, "unit_amount": "0.0005"},
]


def graduated(tiers: object) -> dict[str, object]:
    return {"kind": "graduated", "meter": "calls", "tiers": tiers}


def test_said() -> None:
    assert sentence(graduated(TIERS)) == (
        "$0.005 per call up to 100,000, then $0.003 per call plus $10.00 up to 1,000,000, then $0.0005 per call"
    )
    assert sentence(graduated(TIERS[2:])) == "$0.0005 per call"


@pytest.mark.parametrize(
    ("tiers", "field", "reason"),
    [
        ([], "tiers", "Required"),
        ("x", "tiers", "Required"),
        ([3], "tiers.0", "object"),
        (TIERS[:2], "tiers.1.up_to", "Gap: no tier covers units beyond 1,000,000"),
        ([TIERS[1], TIERS[0], TIERS[2]], "tiers.1.up_to", "Overlap: the tier before already reaches 1,000,000"),
        ([TIERS[0], TIERS[0], TIERS[2]], "tiers.1.up_to", "Overlap"),
        ([TIERS[2], TIERS[2]], "tiers.0.up_to", "Overlap: this tier has no end"),
        ([{"unit_amount": "1"}], "tiers.0.up_to", "Required"),
        ([{"up_to": 0, "unit_amount": "1"}], "tiers.0.up_to", "at least 1"),
        ([{"up_to": 1.5, "unit_amount": "1"}], "tiers.0.up_to", "whole number"),
        ([{"up_to": None}], "tiers.0.unit_amount", "Required"),
        ([{"up_to": None, "unit_amount": 0.005}], "tiers.0.unit_amount", "as text"),
        ([{"up_to": None, "unit_amount": "1", "price": "1"}], "tiers.0.price", "Unknown"),
        ([{"up_to": n + 1, "unit_amount": "1"} for n in range(101)], "tiers", "At most 100"),
    ],
)
def test_refused(tiers: object, field: str, reason: str) -> None:
    assert reason in refusals(graduated(tiers))[field]


def test_free_only_if_every_tier_is() -> None:
    assert not any(read(graduated([{"up_to": None, "unit_amount": "0"}])).model.amounts())
    assert any(read(graduated([{"up_to": 5, "unit_amount": "0"}, {"up_to": None, "unit_amount": "1"}])).model.amounts())
