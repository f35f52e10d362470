"""One file, one line, one twin per kind of price; and what is registered is what the file says."""

from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest

from marketplace.pricing.registry import MODELS

SOURCES = Path(__file__).parents[3] / "marketplace" / "pricing"


@pytest.mark.parametrize("kind", MODELS)
def test_a_kind_is_a_file_a_line_and_a_twin(kind: str) -> None:
    model = MODELS[kind]
    assert (model.kind, model.__module__) == (kind, f"marketplace.pricing.{kind}")
    assert (SOURCES / f"{kind}.py").read_text().startswith(f'"""{kind}: ')
    assert Path(__file__).with_name(f"test_{kind}.py").exists()
    assert is_dataclass(model) and fields(model)


def test_no_file_is_forgotten() -> None:
    kinds = {path.stem for path in SOURCES.glob("*.py") if path.read_text().startswith(f'"""{path.stem}: ')}
    assert kinds == set(MODELS)
