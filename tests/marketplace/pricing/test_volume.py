from tests.marketplace.pricing.prices import refusals, sentence

TIERS = [{"up_to": 1000, "unit_amount": "0.01"}, {"up_to": None, "unit_amount": "0.005"}]


def test_said() -> None:
    assert sentence({"kind": "volume", "meter": "calls", "tiers": TIERS}) == (
        "All units: $0.01 per call if the total is at most 1,000, else $0.005 per call"
    )
    assert sentence({"kind": "volume", "meter": "calls", "tiers": TIERS[1:]}) == "$0.005 per call"


def test_refused() -> None:
    assert "Gap" in refusals({"kind": "volume", "meter": "calls", "tiers": TIERS[:1]})["tiers.0.up_to"]
