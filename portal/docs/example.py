"""An example reply: the document's own, else one that its schema allows."""

import json
from collections.abc import Mapping
from typing import Any

from marketplace.public import OperationView

DEEPEST = 6
BY_TYPE = {"string": "string", "integer": 1, "number": 1.5, "boolean": True, "null": None}
BY_FORMAT = {"date": "2026-01-31", "date-time": "2026-01-31T12:00:00Z", "uuid": "018f3a2e-7c1b-7000-8000-000000000000",
             "email": "ada@example.com", "uri": "https://example.com"}  # fmt: skip


def example_reply(operation: OperationView) -> str:
    """The body of a successful reply as indented JSON; "" when the document says nothing of one."""
    for response in operation.responses:
        if not response.status.startswith("2"):
            continue
        for content in response.content:
            if content.type.partition(";")[0].strip().endswith("json"):
                return json.dumps(example_of(content.schema), indent=2, ensure_ascii=False)
    return ""


def example_of(schema: Any) -> Any:
    """A value the schema allows, from its examples and defaults where it has them."""
    root = schema if isinstance(schema, Mapping) else {}
    return _value(root, root, 0)


def _value(schema: Any, root: Mapping[str, Any], depth: int) -> Any:
    if not isinstance(schema, Mapping) or depth > DEEPEST:
        return None
    if "$ref" in schema:
        return _value(_pointed(root, str(schema["$ref"])), root, depth + 1)
    given, value = _given(schema)
    if given:
        return value
    for word in ("allOf", "oneOf", "anyOf"):
        if isinstance(schema.get(word), list) and schema[word]:
            return _merged(schema[word], root, depth) if word == "allOf" else _value(schema[word][0], root, depth + 1)
    return _by_type(schema, root, depth)


def _given(schema: Mapping[str, Any]) -> tuple[bool, Any]:
    if "example" in schema:
        return True, schema["example"]
    for word in ("examples", "enum"):
        if isinstance(schema.get(word), list) and schema[word]:
            return True, schema[word][0]
    for word in ("const", "default"):
        if word in schema:
            return True, schema[word]
    return False, None


def _merged(parts: list[Any], root: Mapping[str, Any], depth: int) -> Any:
    values = [_value(part, root, depth + 1) for part in parts]
    objects = [value for value in values if isinstance(value, dict)]
    return {key: value for part in objects for key, value in part.items()} if objects else values[0]


def _by_type(schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> Any:
    kind = schema.get("type")
    kind = next((part for part in kind if part != "null"), "null") if isinstance(kind, list) else kind
    if kind == "object" or "properties" in schema:
        properties = schema.get("properties")
        items = properties.items() if isinstance(properties, Mapping) else ()
        return {str(name): _value(value, root, depth + 1) for name, value in items}
    if kind == "array":
        return [_value(schema.get("items"), root, depth + 1)]
    if kind == "string":
        return BY_FORMAT.get(str(schema.get("format")), "string")
    return BY_TYPE.get(str(kind))


def _pointed(root: Mapping[str, Any], ref: str) -> Any:
    found: Any = root
    for part in ref.removeprefix("#/").split("/"):
        found = found.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(found, Mapping) else None
    return found
