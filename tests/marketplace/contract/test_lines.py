import json

import pytest

from marketplace.contract.errors import Fault
from marketplace.contract.lines import with_lines

YAML = """openapi: 3.1.0
paths:
  /a/b:
    get:
      tags: [x,
        y]
      parameters:
        - name: a
        - name: b
          in: query
"""


@pytest.mark.parametrize(
    ("pointer", "line"),
    [
        ("", 1),
        ("/openapi", 1),
        ("/paths/~1a~1b", 3),
        ("/paths/~1a~1b/get/tags/1", 6),
        ("/paths/~1a~1b/get/parameters/1", 9),
        ("/paths/~1a~1b/get/parameters/1/in", 10),
        ("/nowhere", 0),
    ],
)
def test_lines_of_yaml(pointer: str, line: int) -> None:
    assert with_lines([Fault("wrong", pointer)], YAML)[0].line == line


def test_lines_of_json() -> None:
    text = json.dumps({"a": {"b": [1, {"c": 2}]}}, indent=1)
    assert with_lines([Fault("wrong", "/a/b/1/c")], text)[0].line == 6


def test_a_known_line_stays_and_bad_text_has_none() -> None:
    assert with_lines([Fault("wrong", "/a", 7), Fault("wrong", "/a")], "a: [")[0].line == 7
