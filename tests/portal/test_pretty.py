"""JSON is laid out without a change: what is read back is what was sent."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.docs.pretty import DEEPEST, pretty_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None)
@given(VALUES)
def test_as_the_standard_library_would(value):
    assert pretty_json(json.dumps(value)) == json.dumps(value, indent=2)
    assert pretty_json(json.dumps(value, ensure_ascii=False)) == json.dumps(value, indent=2, ensure_ascii=False)


@pytest.mark.parametrize("number", ["1.10", "1e400", "-0", "0.1e-7", "123456789012345678901234567890"])
def test_numbers_stay_as_they_were_sent(number):
    assert pretty_json(f"[{number}]") == f"[\n  {number}\n]"


@pytest.mark.parametrize("text", ["", "nope", "{", "[1,]", "{'a':1}", "[" * 3000 + "]" * 3000])
def test_what_is_not_json_is_left(text):
    assert pretty_json(text) is None


def test_absurd_depth_is_left_before_it_costs():
    text = "[" * (DEEPEST + 2) + "]" * (DEEPEST + 2)
    assert pretty_json(text) is None


def test_it_stops_where_nobody_reads_on():
    text = json.dumps([[n] for n in range(100_000)])
    assert len(pretty_json(text, limit=1000) or "") < 1100
