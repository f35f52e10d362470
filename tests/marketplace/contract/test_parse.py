import json
import time

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from marketplace.contract.errors import BadContract
from marketplace.contract.parse import decoded, parsed

BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "\n".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
REFUSED = {
    "bomb": (BOMB, "too much"),
    "deep json": ('{"a":' + "[" * 100_000, "deeper"),
    "deep yaml": ("a: " + "[" * 100_000, "deeper"),
    "wide json": ('{"a":[' + "1," * 1_200_000 + "1]}", "too much"),
    "nan": ('{"a": NaN}', "NaN"),
    "infinite": ('{"a": 1e999}', "too large"),
    "yaml infinite": ("a: .inf", "not a JSON value"),
    "yaml 1e999": ("a: 1e999", "too large"),
    "twice": ('{"a": 1, "a": 2}', "stands twice"),
    "yaml twice": ("a: 1\na: 2", "stands twice"),
    "nul": ('{"a": "\\u0000"}', "NUL"),
    "surrogate": ('{"a": "\\ud800"}', "surrogate"),
    "digits": ('{"a": ' + "9" * 5000 + "}", "Not JSON"),
    "object tag": ("a: !!python/object/apply:os.system [x]", "not allowed"),
    "binary tag": ("a: !!binary aGk=", "not allowed"),
    "own tag": ("a: !thing {}", "not allowed"),
    "circle": ("a: &a [*a]", "names nothing"),
    "unknown alias": ("a: *b", "undefined alias|names nothing"),
    "list key": ("? [a]\n: 1", "plain text"),
    "alias key": ("x: &x a\n*x : 1", "plain text"),
    "two documents": ("a: 1\n---\nb: 2", "one document"),
    "nothing": ("", "found none"),
    "bad merge": ("a: {<<: 3}", "merges mappings"),
    "cut json": ('{"a":\n\n', "line 3"),
    "cut yaml": ("a: [1,\n2", "Not YAML"),
    "tab": ("a:\n\t- b", "Not YAML"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refuses_with_the_reason_and_at_once(name: str) -> None:
    text, reason = REFUSED[name]
    started = time.monotonic()
    with pytest.raises(BadContract) as caught:
        parsed(text)
    assert time.monotonic() - started < 5
    assert any(part in str(caught.value.faults[0]) for part in reason.split("|")), caught.value.faults


@pytest.mark.parametrize(
    ("source", "reason"), [(b"x" * 20_000_000, "larger than 5 MB"), ("x" * 6_000_000, "larger"), (b"a\n\xff", "line 2")]
)
def test_refuses_what_is_too_large_or_no_text(source: str | bytes, reason: str) -> None:
    with pytest.raises(BadContract, match=None) as caught:
        decoded(source)
    assert reason in str(caught.value.faults[0])


def test_reads_yaml_as_json_means_it() -> None:
    text = """
openapi: 3.1.0
on: yes
200: {a: 0x1F, b: 0o17, c: -5, d: 1.5e3, e: ~, f: "7", g: 2020-01-01, h: !!str 9, i: True}
base: &base {x: 1, y: 2}
merged: {<<: *base, y: 3}
both: {<<: [*base, {z: 4}]}
again: *base
block: |
  two
  lines
"""
    assert parsed(text) == {
        "openapi": "3.1.0",
        "on": "yes",
        "200": {"a": 31, "b": 15, "c": -5, "d": 1500.0, "e": None, "f": "7", "g": "2020-01-01", "h": "9", "i": True},
        "base": {"x": 1, "y": 2},
        "merged": {"y": 3, "x": 1},
        "both": {"x": 1, "y": 2, "z": 4},
        "again": {"x": 1, "y": 2},
        "block": "two\nlines\n",
    }


def test_a_byte_order_mark_does_not_matter() -> None:
    assert parsed(decoded('\ufeff{"a": 1}'.encode())) == {"a": 1} == parsed('\ufeff{"a": 1}')


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs", "Nd"]), max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcü 1", max_size=4), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text("ab<", max_size=3), values, max_size=4))
def test_json_reads_back_as_it_was(value: dict[str, object]) -> None:
    assert parsed(json.dumps(value)) == value


@given(st.dictionaries(st.text("ab~1", max_size=3), values, max_size=4))
def test_yaml_reads_back_as_it_was(value: dict[str, object]) -> None:
    assert parsed("---\n" + yaml.safe_dump(value)) == value


@given(st.text(max_size=60) | st.text("{}[]:,&*!?|>-'\"%@`# \n\tab<", max_size=60))
def test_whatever_is_sent_is_read_or_refused(text: str) -> None:
    try:
        parsed(text)
    except BadContract as bad:
        assert bad.faults
