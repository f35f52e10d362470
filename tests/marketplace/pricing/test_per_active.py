import pytest

from tests.marketplace.pricing.prices import refusals, sentence


@pytest.mark.parametrize(
    ("more", "said"),
    [({"included": 5}, "$50.00 per active api beyond 5"), ({"dimension": "end_user"}, "$50.00 per active end user")],
)
def test_said(more: dict[str, object], said: str) -> None:
    assert sentence({"kind": "per_active", "dimension": "api", "unit_amount": "50", **more}) == said


@pytest.mark.parametrize("dimension", [None, "", "Api", "a b", "x" * 41, 3])
def test_refused(dimension: object) -> None:
    assert "dimension" in refusals({"kind": "per_active", "dimension": dimension, "unit_amount": "50"})
