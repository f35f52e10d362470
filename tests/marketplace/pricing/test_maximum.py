from tests.marketplace.pricing.prices import read, refusals, sentence

BASE = {"kind": "flat", "name": "Base", "amount": "20"}


def test_said() -> None:
    assert sentence({"kind": "maximum", "amount": "500"}, BASE) == "At most $500.00 a month"
    assert (
        sentence({"kind": "maximum", "amount": "500", "of": ["Base"]}, BASE, interval="year")
        == "At most $500.00 a year for Base"
    )


def test_refused() -> None:
    assert "named 'Nobody'" in refusals({"kind": "maximum", "amount": "1", "of": ["Nobody"]}, BASE)["of"]
    assert "amount" in refusals({"kind": "maximum", "of": ["Base"]}, BASE)


def test_a_ceiling_never_charges() -> None:
    assert read({"kind": "maximum", "amount": "500"}).model.amounts() == ()
