"""References inside one document (`#/components/…`): followed, never fetched."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from marketplace.contract.errors import BadContract, Fault

Json = Any


class Document:
    """A parsed document whose references can be asked for."""

    def __init__(self, root: Mapping[str, Json]) -> None:
        self.root = root

    def lookup(self, ref: str, *, at: str) -> Json:
        """The value that `ref` names. Raises BadContract: outside the document, or nothing there."""
        if not ref.startswith("#/"):
            raise BadContract([Fault(f"{ref[:100]!r}: only references inside the document (#/…) are followed.", at)])
        value: Json = self.root
        for raw in ref[2:].split("/"):
            part = unquote(raw).replace("~1", "/").replace("~0", "~")
            if isinstance(value, Mapping) and part in value:
                value = value[part]
            elif isinstance(value, list) and part.isascii() and part.isdigit() and int(part[:9]) < len(value):
                value = value[int(part[:9])]
            else:
                raise BadContract([Fault(f"{ref[:100]!r} names nothing in this document.", at)])
        return value

    def followed(self, node: Json, *, at: str) -> Mapping[str, Json]:
        """`node`, or what its reference leads to at last. Raises BadContract: a circle, or not an object."""
        seen: set[str] = set()
        while isinstance(node, Mapping) and isinstance(node.get("$ref"), str):
            ref = node["$ref"]
            if ref in seen:
                raise BadContract([Fault(f"{ref[:100]!r} refers to itself.", at)])
            seen.add(ref)
            node = self.lookup(ref, at=at)
        if not isinstance(node, Mapping):
            raise BadContract([Fault("Expected an object.", at)])
        return node
