"""A JSON Schema as a tree that a person reads: names, types, rules, and what lies below."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

DEEPEST = 8
WIDEST = 400  # nodes of one page; beyond that a hint stands instead


@dataclass(frozen=True)
class Node:
    """One property; `children` are those of an object, of an array's items, or the variants of a choice."""

    name: str
    type: str  # "string · date", "array of object"
    required: bool = False
    description: str = ""
    rules: tuple[str, ...] = ()  # "1 – 100", "one of: a, b"
    deprecated: bool = False
    children: tuple["Node", ...] = ()


@dataclass
class _Budget:
    left: int = WIDEST
    seen: list[int] = field(default_factory=list)


def schema_tree(schema: Any, *, name: str = "") -> Node:
    """Read a self-contained schema (`$ref` only into its own `$defs`); cuts at eight levels and at loops."""
    root = schema if isinstance(schema, dict) else {}
    return _node(name, root, root, False, 0, _Budget())


def _node(name: str, schema: Any, root: Mapping[str, Any], required: bool, depth: int, budget: _Budget) -> Node:
    target = _resolved(schema, root)
    budget.left -= 1
    children: tuple[Node, ...] = ()
    if id(target) in budget.seen:
        return Node(name, f"{_type(target, root)} (as above)", required, _text(target, "description"))
    if depth < DEEPEST and budget.left > 0:
        budget.seen.append(id(target))
        children = _children(target, root, depth, budget)
        budget.seen.pop()
    return Node(
        name,
        _type(target, root),
        required,
        _text(target, "description") or _text(target, "title"),
        _rules(target),
        bool(target.get("deprecated")),
        children,
    )


def _resolved(schema: Any, root: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow `#/$defs/…`; what cannot be followed is any value."""
    for _ in range(10):
        if not isinstance(schema, Mapping):
            return {}
        ref = schema.get("$ref")
        if not isinstance(ref, str) or not ref.startswith("#/"):
            return schema
        schema = _pointed(root, ref)
    return {}


def _pointed(root: Mapping[str, Any], ref: str) -> Any:
    found: Any = root
    for part in ref[2:].split("/"):
        found = found.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(found, Mapping) else None
    return found


def _children(schema: Mapping[str, Any], root: Mapping[str, Any], depth: int, budget: _Budget) -> tuple[Node, ...]:
    out: list[Node] = []
    names = _list(schema, "required")
    properties = schema.get("properties")
    if isinstance(properties, Mapping):
        for key, value in properties.items():
            if budget.left <= 0:
                break
            out.append(_node(str(key), value, root, key in names, depth + 1, budget))
    items = schema.get("items")
    if isinstance(items, Mapping):
        item = _resolved(items, root)
        if id(item) not in budget.seen:
            budget.seen.append(id(item))
            out += _children(item, root, depth, budget)
            budget.seen.pop()
    extra = schema.get("additionalProperties")
    if isinstance(extra, Mapping) and extra:
        out.append(_node("any other name", extra, root, False, depth + 1, budget))
    for word, label in (("oneOf", "either"), ("anyOf", "any of"), ("allOf", "all of")):
        for at, variant in enumerate(_list(schema, word), 1):
            if isinstance(variant, Mapping) and variant.get("type") != "null" and budget.left > 0:
                out.append(
                    _node(
                        _text(_resolved(variant, root), "title") or f"{label} {at}",
                        variant,
                        root,
                        False,
                        depth + 1,
                        budget,
                    )
                )
    return tuple(out)


def _type(schema: Mapping[str, Any], root: Mapping[str, Any]) -> str:
    kind = schema.get("type")
    names = [str(part) for part in kind] if isinstance(kind, list) else [str(kind)] if kind else []
    if "array" in names:
        inner = _resolved(schema.get("items"), root)
        names[names.index("array")] = f"array of {_type(inner, root) if inner.get('type') != 'array' else 'arrays'}"
    shown = " or ".join(names) or ("object" if "properties" in schema else "any")
    return f"{shown} · {schema['format']}" if isinstance(schema.get("format"), str) else shown


def _rules(schema: Mapping[str, Any]) -> tuple[str, ...]:
    """The constraints a sender must know, as short sentences."""
    out = []
    values = _list(schema, "enum")
    if values:
        out.append("one of: " + ", ".join(str(value) for value in values[:12]) + (" …" if len(values) > 12 else ""))
    if "const" in schema:
        out.append(f"always {schema['const']}")
    for low, high, unit in (
        ("minimum", "maximum", ""),
        ("minLength", "maxLength", " characters"),
        ("minItems", "maxItems", " items"),
    ):
        out += _range(schema.get(low), schema.get(high), unit)
    if isinstance(schema.get("pattern"), str):
        out.append(f"matches {schema['pattern']}")
    if "default" in schema:
        out.append(f"default {schema['default']}")
    return tuple(out)


def _range(low: Any, high: Any, unit: str) -> list[str]:
    if low is None and high is None:
        return []
    if high is None:
        return [f"at least {low}{unit}"]
    return [f"at most {high}{unit}" if low is None else f"{low} to {high}{unit}"]


def _text(schema: Mapping[str, Any], name: str) -> str:
    value = schema.get(name)
    return value if isinstance(value, str) else ""


def _list(schema: Mapping[str, Any], name: str) -> list[Any]:
    value = schema.get(name)
    return value if isinstance(value, list) else []
