from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.contract.examples import as_text, example_of

Json = Any


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"const": 3}, 3),
        ({"default": "d", "examples": ["e"]}, "d"),
        ({"examples": ["e"], "enum": ["n"]}, "e"),
        ({"enum": ["n", "m"]}, "n"),
        ({"type": "string"}, "string"),
        ({"type": "string", "format": "date"}, "2026-01-31"),
        ({"type": "string", "minLength": 8}, "stringxx"),
        ({"type": "string", "maxLength": 2}, "st"),
        ({"type": ["null", "integer"]}, 1),
        ({"type": "integer", "minimum": 10}, 10),
        ({"type": "integer", "exclusiveMinimum": 10}, 11),
        ({"type": "number", "maximum": 0}, 0),
        ({"type": "boolean"}, True),
        ({"type": "array", "items": {"type": "integer"}}, [1]),
        (
            {"type": "object", "properties": {"a": {"type": "string"}, "id": {"type": "string", "readOnly": True}}},
            {"a": "string"},
        ),
        ({"allOf": [{"properties": {"a": {"const": 1}}}, {"properties": {"b": {"const": 2}}}]}, {"a": 1, "b": 2}),
        ({"oneOf": [{"const": 1}, {"const": 2}]}, 1),
        ({"$ref": "#/$defs/A", "$defs": {"A": {"const": "a"}}}, "a"),
        ({}, None),
        (True, None),
    ],
)
def test_the_nearest_value(schema: Json, expected: Json) -> None:
    assert example_of(schema) == expected


def test_a_circle_ends() -> None:
    schema = {
        "$ref": "#/$defs/N",
        "$defs": {"N": {"type": "object", "properties": {"n": {"$ref": "#/$defs/N"}}, "required": ["n"]}},
    }
    assert example_of(schema)["n"] is not None


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), ("a", "a"), (3, "3"), (True, "true"), ([1, "b"], "1,b"), ({"a": 1}, '{"a":1}'), (1.5, "1.5")],
)
def test_as_it_is_typed(value: Json, text: str) -> None:
    assert as_text(value) == text


plain = st.one_of(
    st.just({"type": "string"}),
    st.just({"type": "boolean"}),
    st.builds(lambda low: {"type": "integer", "minimum": low}, st.integers(-50, 50)),
    st.builds(lambda least: {"type": "string", "minLength": least}, st.integers(0, 30)),
    st.builds(lambda values: {"enum": values}, st.lists(st.integers(), min_size=1)),
)
nested = st.recursive(
    plain,
    lambda inner: (
        st.builds(lambda items: {"type": "array", "items": items}, inner)
        | st.builds(
            lambda props: {"type": "object", "properties": props, "required": list(props)},
            st.dictionaries(st.sampled_from("abc"), inner),
        )
    ),
    max_leaves=5,
)


@given(nested)
def test_a_made_up_value_fits_its_schema(schema: Json) -> None:
    depth = str(schema).count("'type': 'array'") + str(schema).count("'type': 'object'")
    if depth < 6:  # beyond that it is cut
        assert jsonschema_rs.validator_for(schema).is_valid(example_of(schema))
