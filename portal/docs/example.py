"""An example reply: the document's own, else one that its schema allows."""

import json
from collections.abc import Mapping
from typing import Any

from marketplace.public import OperationView

DEEPEST = 12
LOOP = object()
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
    """A value the schema allows, from its examples and defaults where it has them; loops end where they close."""
    root = schema if isinstance(schema, Mapping) else {}
    value = _value(root, root, ())
    return None if value is LOOP else value


def _value(schema: Any, root: Mapping[str, Any], refs: tuple[str, ...]) -> Any:
    if not isinstance(schema, Mapping) or len(refs) > DEEPEST:
        return None
    given, value = _given(schema)
    if given:
        return value
    if "$ref" in schema:
        ref = str(schema["$ref"])
        return LOOP if ref in refs else _value(_pointed(root, ref), root, (*refs, ref))
    if isinstance(schema.get("allOf"), list):
        return _merged(schema["allOf"], root, refs)
    for word in ("oneOf", "anyOf"):
        if isinstance(schema.get(word), list) and schema[word]:
            return _value(schema[word][0], root, (*refs, ""))
    return _by_type(schema, root, (*refs, ""))


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


def _merged(parts: list[Any], root: Mapping[str, Any], refs: tuple[str, ...]) -> Any:
    values = [_value(part, root, (*refs, "")) for part in parts]
    objects = [value for value in values if isinstance(value, dict)]
    return {key: value for part in objects for key, value in part.items()} if objects else next(iter(values), None)


def _by_type(schema: Mapping[str, Any], root: Mapping[str, Any], refs: tuple[str, ...]) -> Any:
    kind = schema.get("type")
    kind = next((part for part in kind if part != "null"), "null") if isinstance(kind, list) else kind
    if kind == "object" or "properties" in schema:
        properties = schema.get("properties")
        items = properties.items() if isinstance(properties, Mapping) else ()
        found = {str(name): _value(value, root, refs) for name, value in items}
        return {name: value for name, value in found.items() if value is not LOOP}
    if kind == "array":
        item = _value(schema.get("items"), root, refs)
        return [] if item is LOOP else [item]
    if kind == "string":
        return BY_FORMAT.get(str(schema.get("format")), "string")
    return BY_TYPE.get(str(kind))


def _pointed(root: Mapping[str, Any], ref: str) -> Any:
    found: Any = root
    for part in ref.removeprefix("#/").split("/"):
        found = found.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(found, Mapping) else None
    return found
