import pytest

from tests.marketplace.pricing.prices import refusals, sentence


@pytest.mark.parametrize(
    ("more", "said"),
    [({}, "1.5 % of the amount moved"), ({"fixed": "0.25"}, "1.5 % of the amount moved plus $0.25 each time")],
)
def test_said(more: dict[str, object], said: str) -> None:
    assert sentence({"kind": "ad_valorem", "meter": "money", "percent": "1.5", **more}) == said


def test_it_is_a_share_of_money() -> None:
    assert "counted in money" in refusals({"kind": "ad_valorem", "meter": "calls", "percent": "1"})["meter"]
