import pytest

from tests.marketplace.pricing.prices import refusals, sentence

BASE = {"kind": "flat", "name": "Base", "amount": "2000"}
USAGE = {"kind": "per_unit", "name": "Calls", "meter": "calls", "unit_amount": "0.01"}
SUPPORT = {"kind": "percentage", "name": "Support", "percent": "20", "of": ["Base"]}


def test_said() -> None:
    assert sentence(SUPPORT, BASE, USAGE) == "20 % of Base"
    assert sentence({**SUPPORT, "of": ["Base", "Calls"], "percent": "2.50"}, BASE, USAGE) == "2.5 % of Base and Calls"


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"of": ["Nobody"]}, "named 'Nobody'"),
        ({"of": ["Support"]}, "named 'Support'"),
        ({"of": []}, "Required"),
        ({"of": ["Base", "Base"]}, "once"),
        ({"of": "Base"}, "Required"),
    ],
)
def test_refused(more: dict[str, object], reason: str) -> None:
    assert reason in refusals({**SUPPORT, **more}, BASE)["of"]


def test_a_share_of_a_share_is_no_circle_waiting() -> None:
    more = {"kind": "percentage", "name": "More", "percent": "1", "of": ["Support"]}
    assert "of" in refusals(more, BASE, SUPPORT)
