from tests.marketplace.pricing.prices import read, refusals, sentence

BASE = {"kind": "flat", "name": "Base", "amount": "20"}


def test_said() -> None:
    assert sentence({"kind": "minimum", "amount": "500"}, BASE) == "At least $500.00 a month"
    assert (
        sentence({"kind": "minimum", "amount": "500", "of": ["Base"]}, BASE, interval="year")
        == "At least $500.00 a year for Base"
    )


def test_refused() -> None:
    assert "named 'Nobody'" in refusals({"kind": "minimum", "amount": "1", "of": ["Nobody"]}, BASE)["of"]
    assert "amount" in refusals({"kind": "minimum", "of": ["Base"]}, BASE)


def test_a_commitment_charges_whatever_the_usage() -> None:
    assert read({"kind": "minimum", "amount": "500"}).model.base() == 500
