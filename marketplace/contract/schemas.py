"""Schemas made self-contained: JSON Schema 2020-12 with everything they refer to under `$defs`.

A circle stays a circle of references, so nothing grows without end. Documents whose schemas all lead to each
other would still be repeated whole for each operation: beyond `MOST` characters of one schema, or `MOST_IN_ALL` of
the document, a definition is cut to "anything", and says so.
"""

import json
import re
from collections import deque
from typing import Any

from marketplace.contract.refs import Document

Json = Any

MOST = 48 * 1024
MOST_IN_ALL = 32 * 1024 * 1024
_MAPS = frozenset({"properties", "patternProperties", "dependentSchemas"})
_LISTS = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_ONE = frozenset(
    {
        *("items", "additionalProperties", "additionalItems", "not", "if", "then", "else", "contains"),
        *("propertyNames", "unevaluatedItems", "unevaluatedProperties"),
    }
)
# Names and bases of the document mean nothing outside it; its own definitions come along by reference.
_DROPPED = frozenset({"$id", "$anchor", "$dynamicAnchor", "$dynamicRef", "$schema", "$defs", "definitions"})
_CUT = {"$comment": "more than is shown here: any value"}


class Schemas:
    """Compiles schemas of one document. `old`: it is OpenAPI 3.0, whose schemas are not quite JSON Schema."""

    def __init__(self, document: Document, *, old: bool) -> None:
        self._document, self._old = document, old
        self._names: dict[str, str] = {}  # reference → name under $defs
        self._left = MOST_IN_ALL

    def compiled(self, schema: Json, *, at: str) -> Json:
        """The schema at `at`, self-contained. Raises BadContract for references that lead nowhere."""
        todo: deque[str] = deque()
        root = self._rewritten(schema, todo, at)
        defs: dict[str, Json] = {}
        left = min(MOST, self._left)
        while todo:
            ref = todo.popleft()
            name = self._name(ref)
            if name in defs:
                continue
            found: deque[str] = deque()
            defs[name] = self._rewritten(self._document.lookup(ref, at=at), found, ref[1:])
            left -= len(json.dumps(defs[name]))
            if left < 0:
                defs[name] = _CUT
            else:
                todo.extend(found)
        self._left -= min(MOST, self._left) - max(left, 0)
        return {**root, "$defs": defs} if defs else root

    def _rewritten(self, schema: Json, todo: deque[str], at: str) -> Json:
        if not isinstance(schema, dict):
            return schema if isinstance(schema, bool) else {}
        if isinstance(ref := schema.get("$ref"), str):
            self._document.lookup(ref, at=at)
            todo.append(ref)
            pointing = {"$ref": f"#/$defs/{self._name(ref)}"}
            beside = {} if self._old else {name: value for name, value in schema.items() if name != "$ref"}
            return {**self._keywords(beside, todo, at), **pointing}
        return self._keywords(_modern(schema) if self._old else schema, todo, at)

    def _keywords(self, schema: dict[str, Json], todo: deque[str], at: str) -> dict[str, Json]:
        found: dict[str, Json] = {}
        for name, value in schema.items():
            if name in _DROPPED or name.startswith("x-"):
                continue
            if name in _MAPS and isinstance(value, dict):
                found[name] = {key: self._rewritten(each, todo, at) for key, each in value.items()}
            elif name in _LISTS and isinstance(value, list):
                found[name] = [self._rewritten(each, todo, at) for each in value]
            elif name in _ONE:
                found[name] = self._rewritten(value, todo, at)
            else:
                found[name] = value
        return found

    def _name(self, ref: str) -> str:
        if ref not in self._names:
            plain = ref.removeprefix("#/components/schemas/") if ref.count("/") == 3 else ref[2:]
            name = re.sub(r"[^A-Za-z0-9_.-]", ".", plain)
            while name in self._names.values():
                name += "_"
            self._names[ref] = name
        return self._names[ref]


def _modern(schema: dict[str, Json]) -> dict[str, Json]:
    """OpenAPI 3.0's schema dialect in the words of JSON Schema 2020-12."""
    found = {name: value for name, value in schema.items() if name not in ("nullable", "example")}
    if schema.get("nullable") is True and isinstance(schema.get("type"), str):
        found["type"] = [schema["type"], "null"]
        if isinstance(schema.get("enum"), list) and None not in schema["enum"]:
            found["enum"] = [*schema["enum"], None]
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if isinstance(found.get(exclusive), bool) and found.pop(exclusive) and bound in found:
            found[exclusive] = found.pop(bound)
    if "example" in schema:
        found["examples"] = [schema["example"]]
    return found
