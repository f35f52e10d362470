from typing import Any

import jsonschema_rs
import pytest

from marketplace.contract.errors import BadContract
from marketplace.contract.refs import Document
from marketplace.contract.schemas import MOST, Schemas

Json = Any
ROOT: Json = {
    "components": {
        "schemas": {
            "Node": {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Node"}}},
            "Old": {"type": "string", "nullable": True, "enum": ["a"], "example": "a"},
            "Range": {
                "type": "integer",
                "minimum": 1,
                "exclusiveMinimum": True,
                "maximum": 9,
                "exclusiveMaximum": False,
            },
        }
    },
    "paths": {"/a b": {"get": {"x": {"type": "integer"}}}},
}


def compiled(schema: Json, *, old: bool = False, root: Json = ROOT) -> Json:
    return Schemas(Document(root), old=old).compiled(schema, at="/here")


def test_a_circle_stays_a_reference() -> None:
    schema = compiled({"$ref": "#/components/schemas/Node"})
    assert schema == {
        "$ref": "#/$defs/Node",
        "$defs": {"Node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}}},
    }
    check = jsonschema_rs.validator_for(schema)
    assert check.is_valid({"next": {"next": {}}})
    assert not check.is_valid({"next": {"next": 3}})


def test_any_place_of_the_document_can_be_referred_to() -> None:
    schema = compiled({"items": {"$ref": "#/paths/~1a%20b/get/x"}})
    check = jsonschema_rs.validator_for(schema)
    assert check.is_valid([1])
    assert not check.is_valid(["a"])


def test_what_only_looks_like_a_reference_stays() -> None:
    schema = {"properties": {"$ref": {"type": "string"}}, "enum": [{"$ref": "#/nowhere"}], "default": {"$ref": 1}}
    assert compiled(schema) == schema


def test_names_and_bases_of_the_document_are_left_out() -> None:
    assert compiled({"$id": "https://x.example/", "$anchor": "a", "x-y": 1, "$defs": {}, "type": "object"}) == {
        "type": "object"
    }


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Old", {"type": ["string", "null"], "enum": ["a", None], "examples": ["a"]}),
        ("Range", {"type": "integer", "exclusiveMinimum": 1, "maximum": 9}),
    ],
)
def test_the_old_dialect_is_said_in_the_new_one(name: str, expected: Json) -> None:
    assert compiled({"$ref": f"#/components/schemas/{name}"}, old=True)["$defs"][name] == expected


def test_words_beside_a_reference_count_in_the_new_edition_only() -> None:
    pointing = {"$ref": "#/components/schemas/Node", "description": "beside"}
    assert compiled(pointing)["description"] == "beside"
    assert "description" not in compiled(pointing, old=True)


def test_too_much_is_cut_and_says_so() -> None:
    many = {
        f"S{n}": {"description": "d" * 2000, "items": {"$ref": f"#/components/schemas/S{n + 1}"}} for n in range(100)
    }
    root = {"components": {"schemas": {**many, "S100": {}}}}
    schema = compiled({"$ref": "#/components/schemas/S0"}, root=root)
    assert len(str(schema)) < MOST + 4000
    assert any("$comment" in each for each in schema["$defs"].values())
    assert jsonschema_rs.validator_for(schema).is_valid([])


def test_a_reference_to_nothing_is_refused() -> None:
    with pytest.raises(BadContract):
        compiled({"allOf": [{"$ref": "#/components/schemas/Nobody"}]})
