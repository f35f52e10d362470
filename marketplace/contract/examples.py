"""A value that a schema accepts, for a form that can be sent as it stands: the author's own example if there is one."""

import json
from typing import Any

Json = Any

DEEPEST = 6
MOST_PROPERTIES = 40
_FORMATS = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    "time": "12:00:00Z",
    "duration": "P1D",
    "email": "someone@example.com",
    "hostname": "example.com",
    "ipv4": "203.0.113.7",
    "ipv6": "2001:db8::7",
    "uri": "https://example.com/",
    "uri-reference": "/",
    "url": "https://example.com/",
    "uuid": "018f6b1e-7c3a-7d52-9d0e-0a1b2c3d4e5f",
    "byte": "dGVzdA==",
    "password": "password",
}


def example_of(schema: Json, defs: dict[str, Json] | None = None, *, depth: int = 0) -> Json:
    """A value for a self-contained schema: const, example, default, first of an enum, or one made up of its type."""
    if not isinstance(schema, dict):
        return None
    defs = schema.get("$defs", {}) if defs is None else defs
    for given in ("const", "example", "default"):
        if given in schema:
            return schema[given]
    for listed in ("examples", "enum"):
        if isinstance(schema.get(listed), list) and schema[listed]:
            return schema[listed][0]
    if depth >= DEEPEST:
        return None
    if isinstance(ref := schema.get("$ref"), str):
        return example_of(defs.get(ref.removeprefix("#/$defs/"), {}), defs, depth=depth + 1)
    if isinstance(parts := schema.get("allOf"), list) and parts:
        return _merged([*parts, {name: value for name, value in schema.items() if name != "allOf"}], defs, depth)
    for choice in ("oneOf", "anyOf"):
        if isinstance(schema.get(choice), list) and schema[choice]:
            return example_of(schema[choice][0], defs, depth=depth + 1)
    return _of_type(schema, defs, depth)


def as_text(value: Json) -> str:
    """A value as it is typed into one field of a form."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return ",".join(as_text(item) for item in value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def as_json(value: Json) -> str:
    """A value as the body of a request, readable."""
    return json.dumps(value, ensure_ascii=False, indent=2)


def _merged(parts: list[Json], defs: dict[str, Json], depth: int) -> Json:
    values = [example_of(part, defs, depth=depth + 1) for part in parts]
    objects = [value for value in values if isinstance(value, dict)]
    if objects:
        return {name: value for each in objects for name, value in each.items()}
    return next((value for value in values if value is not None), None)


def _of_type(schema: dict[str, Json], defs: dict[str, Json], depth: int) -> Json:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((name for name in kind if name != "null"), None)
    if kind == "object" or (kind is None and "properties" in schema):
        return _object(schema, defs, depth)
    if kind == "array" or (kind is None and "items" in schema):
        item = example_of(schema.get("items", {}), defs, depth=depth + 1)
        return [] if item is None else [item]
    if kind in ("integer", "number"):
        return _number(schema, whole=kind == "integer")
    if kind == "boolean":
        return True
    return _string(schema) if kind == "string" else None


def _object(schema: dict[str, Json], defs: dict[str, Json], depth: int) -> Json:
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        return {}
    required = schema.get("required") if isinstance(schema.get("required"), list) else []
    found: dict[str, Json] = {}
    for name, part in list(properties.items())[:MOST_PROPERTIES]:
        if isinstance(part, dict) and part.get("readOnly") is True:
            continue
        value = example_of(part, defs, depth=depth + 1)
        if value is not None or name in (required or ()):
            found[name] = value
    return found


def _number(schema: dict[str, Json], *, whole: bool) -> Json:
    low, high = schema.get("minimum", schema.get("exclusiveMinimum")), schema.get("maximum")
    value: Json = 1
    if isinstance(low, int | float) and not isinstance(low, bool) and low >= 1:
        value = low + 1 if "minimum" not in schema else low
    if isinstance(high, int | float) and not isinstance(high, bool) and value > high:
        value = high
    return int(value) if whole else value


def _string(schema: dict[str, Json]) -> str:
    text = _FORMATS.get(str(schema.get("format")), "string")
    least, most = schema.get("minLength"), schema.get("maxLength")
    if isinstance(least, int) and len(text) < least <= 200:
        text = text.ljust(least, "x")
    return text[:most] if isinstance(most, int) and 0 <= most < len(text) else text
