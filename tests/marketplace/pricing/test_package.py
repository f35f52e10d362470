import pytest

from tests.marketplace.pricing.prices import refusals, sentence


def test_said() -> None:
    assert (
        sentence({"kind": "package", "meter": "calls", "size": 1000, "amount": "5"}) == "$5.00 per block of 1,000 calls"
    )


@pytest.mark.parametrize("size", [0, -1, 1.5, "1000", True, None, 2**53])
def test_a_block_is_a_whole_number_of_units(size: object) -> None:
    assert "size" in refusals({"kind": "package", "meter": "calls", "size": size, "amount": "5"})
