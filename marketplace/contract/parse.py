"""Text to JSON values: JSON, or the part of YAML that means JSON. Bounded before it is built.

YAML is read from its events, so nothing is constructed that the limits do not allow: an alias costs as much
as what it repeats, tags that name types of a language are refused, and nothing recurses.
"""

import json
import math
import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from marketplace.contract.errors import BadContract, Fault

Json = Any  # what `json.loads` answers

MOST_BYTES = 5 * 1024 * 1024
MOST_DEPTH = 100
MOST_SIZE = 16 * 1024 * 1024  # NODE per value, and its characters; aliases counted as what they repeat
NODE = 16

_NULL = re.compile(r"(~|null|Null|NULL)?")
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]{1,100}|0x[0-9a-fA-F]{1,80}|0o[0-7]{1,100}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,5})?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_UNSENDABLE = re.compile("[\x00\ud800-\udfff]")  # PostgreSQL takes neither NUL nor half a character
_MERGE = "\x00merge"  # no key of a document can be this
_TAG = "tag:yaml.org,2002:"
_SCALAR_TAGS = {f"{_TAG}{name}" for name in ("null", "bool", "int", "float")}


def decoded(source: str | bytes) -> str:
    """The document's text. Raises BadContract: too large, or not UTF-8."""
    if len(source) > MOST_BYTES:
        raise BadContract([Fault(f"The document is larger than {MOST_BYTES // 1024 // 1024} MB.")])
    if isinstance(source, str):
        return source
    try:
        return source.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = source.count(b"\n", 0, error.start) + 1
        raise BadContract([Fault("The document is not UTF-8 text.", line=line)]) from error


def parsed(text: str) -> Json:
    """Read JSON (if it starts like an object) or YAML. Raises BadContract with the line."""
    return _json(text) if text.lstrip("\ufeff \t\r\n").startswith("{") else _yaml(text)


# --- JSON ---


def _json(text: str) -> Json:
    try:
        value = json.loads(text.lstrip("\ufeff"), object_pairs_hook=_once, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise BadContract([Fault(f"Not JSON: {error.msg}.", line=error.lineno)]) from error
    except RecursionError as error:
        raise BadContract([Fault(f"Nested deeper than {MOST_DEPTH} levels.")]) from error
    except ValueError as error:  # NaN, a number of thousands of digits, a key twice
        raise BadContract([Fault(f"Not JSON: {error}.")]) from error
    _measure(value)
    return value


def _once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {twice[:60]!r} stands twice in one object")
    return found


def _no_constant(name: str) -> Json:
    raise ValueError(f"{name} is not a JSON value")


def _measure(value: Json) -> None:
    """Hold a value that is already built to the limits of `_Builder`."""
    builder = _Builder()
    todo = [(value, 1)]
    while todo:
        node, depth = todo.pop()
        builder.check_depth(depth, 0)
        if isinstance(node, dict):
            builder.spend(NODE, 0)
            todo.extend((child, depth + 1) for child in node.values())
            for name in node:
                builder.check_text(name, 0)
        elif isinstance(node, list):
            builder.spend(NODE, 0)
            todo.extend((child, depth + 1) for child in node)
        elif isinstance(node, str):
            builder.check_text(node, 0)
        else:
            builder.spend(NODE, 0)
            builder.check_number(node, 0)


# --- YAML ---


@dataclass
class _Open:
    """A mapping or sequence whose end has not come yet."""

    value: Json
    anchor: str | None
    size_before: int
    line: int
    key: str | None = None
    merges: list[Json] = field(default_factory=list)


@dataclass
class _Builder:
    """Builds values from events, on its own stack."""

    size: int = 0
    stack: list[_Open] = field(default_factory=list)
    anchors: dict[str, tuple[Json, int]] = field(default_factory=dict)
    root: list[Json] = field(default_factory=list)

    def spend(self, size: int, line: int) -> None:
        self.size += size
        if self.size > MOST_SIZE:
            raise BadContract([Fault("The document holds too much (aliases count as what they repeat).", line=line)])

    def check_depth(self, depth: int, line: int) -> None:
        if depth > MOST_DEPTH:
            raise BadContract([Fault(f"Nested deeper than {MOST_DEPTH} levels.", line=line)])

    def check_text(self, text: str, line: int) -> None:
        self.spend(NODE + len(text), line)
        if _UNSENDABLE.search(text):
            raise BadContract([Fault("Text holds a NUL or half a surrogate pair.", line=line)])

    def check_number(self, value: Json, line: int) -> None:
        if isinstance(value, float) and not math.isfinite(value):
            raise BadContract([Fault("A number is too large, or not a number.", line=line)])

    def feed(self, event: yaml.Event) -> None:
        line = event.start_mark.line + 1 if event.start_mark else 0
        if isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            _refuse_tag(event.tag, line)
            self.spend(NODE, line)
            self.check_depth(len(self.stack) + 1, line)
            value: Json = {} if isinstance(event, yaml.MappingStartEvent) else []
            self.stack.append(_Open(value, event.anchor, self.size - NODE, line))
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self._close()
        elif isinstance(event, yaml.ScalarEvent):
            self._scalar(event, line)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event.anchor or "", line)

    def _scalar(self, event: yaml.ScalarEvent, line: int) -> None:
        self.check_text(event.value, line)
        plain = event.implicit[0]  # neither quoted nor tagged
        if self._wants_key():
            self._key(event.value, line, merge=plain and event.value == "<<")
            return
        value: Json = event.value
        if plain or event.tag in _SCALAR_TAGS:
            value = _meant(event.value, line)
            self.check_number(value, line)
        elif event.tag not in (None, "!", f"{_TAG}str"):
            _refuse_tag(event.tag, line)
        if event.anchor:
            self.anchors[event.anchor] = (value, NODE + len(event.value))
        self._put(value, line)

    def _alias(self, anchor: str, line: int) -> None:
        if anchor not in self.anchors:
            raise BadContract([Fault(f"*{anchor[:60]} names nothing above it, or what it stands in.", line=line)])
        value, size = self.anchors[anchor]
        self.spend(size, line)
        if self._wants_key():
            raise BadContract([Fault("A key must be plain text.", line=line)])
        self._put(value, line)

    def _wants_key(self) -> bool:
        return bool(self.stack) and isinstance(self.stack[-1].value, dict) and self.stack[-1].key is None

    def _key(self, name: str, line: int, *, merge: bool) -> None:
        top = self.stack[-1]
        if name in top.value and not merge:
            raise BadContract([Fault(f"The key {name[:60]!r} stands twice in one mapping.", line=line)])
        top.key = _MERGE if merge else name

    def _put(self, value: Json, line: int) -> None:
        if not self.stack:
            self.root.append(value)
            return
        top = self.stack[-1]
        if isinstance(top.value, list):
            top.value.append(value)
            return
        if top.key == _MERGE:
            top.merges.append(value)
        else:
            top.value[top.key] = value
        top.key = None

    def _close(self) -> None:
        done = self.stack.pop()
        if self._wants_key():
            raise BadContract([Fault("A key must be plain text.", line=done.line)])
        for source in (one for merge in done.merges for one in (merge if isinstance(merge, list) else [merge])):
            if not isinstance(source, dict):
                raise BadContract([Fault("<< merges mappings only.", line=done.line)])
            done.value.update({name: value for name, value in source.items() if name not in done.value})
        if done.anchor:
            self.anchors[done.anchor] = (done.value, self.size - done.size_before)
        self._put(done.value, done.line)


def _yaml(text: str) -> Json:
    builder = _Builder()
    try:
        for event in yaml.parse(text, Loader=LOADER):
            builder.feed(event)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise BadContract([Fault(f"Not YAML: {error.problem or error.context}.", line=line)]) from error
    except yaml.YAMLError as error:
        raise BadContract([Fault("Not YAML: it holds characters that YAML does not allow.")]) from error
    if len(builder.root) != 1:
        raise BadContract(
            [Fault("Expected one document, found none." if not builder.root else "Expected one document.")]
        )
    return builder.root[0]


def _meant(text: str, line: int) -> Json:
    """What a plain scalar means in YAML's core schema: the JSON types, and text for the rest (dates too)."""
    if _NULL.fullmatch(text):
        return None
    if text in _BOOL:
        return _BOOL[text]
    if _INT.fullmatch(text):
        return int(text, 10) if text.lstrip("+-").isdigit() else int(text, 0)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _NOT_FINITE.fullmatch(text):
        raise BadContract([Fault(f"{text} is not a JSON value.", line=line)])
    return text


def _refuse_tag(tag: str | None, line: int) -> None:
    if tag not in (None, "!", f"{_TAG}map", f"{_TAG}seq"):
        raise BadContract([Fault(f"The tag {str(tag)[:60]} is not allowed.", line=line)])


LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml where the wheel brings it: 20 times faster
