"""Which operation a request means: the target is refused or passed (never rewritten), then looked up in a trie.

Segments are compared decoded; what is forwarded is the raw path, byte for byte, without the API's prefix.
Order of a place in the trie: literal, then literal with parameters inside, then parameter, then `{rest*}`;
a dead end turns back, so `/a/{x}/c` is found beside `/a/b/d`.
"""

import re
from collections.abc import Iterator
from urllib.parse import unquote

from msgspec import Struct

from gateway.call import Call, Refusal
from gateway.records import Api, Operation, Version

REFUSED_METHODS = frozenset({"TRACE", "CONNECT"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

_METHOD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}", re.ASCII)
_VISIBLE = re.compile(r"[\x21-\x7e]*")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_PARAMETER = re.compile(r"\{[^{}]*\}")


# --- the target: refuse or pass ---


def normal(call: Call) -> None:
    """Pass a target that every server reads alike; raise Refusal for one that two could read differently."""
    if call.method in REFUSED_METHODS or not _METHOD.fullmatch(call.method):
        raise Refusal("method_not_allowed")
    path = call.path
    if not path.startswith("/") or not _VISIBLE.fullmatch(path) or not _VISIBLE.fullmatch(call.query):
        raise Refusal("bad_target")
    if "#" in path or "#" in call.query or "\\" in path:
        raise Refusal("bad_target")
    if path.startswith("//") or forwarded(path).startswith("//"):  # a network path: `//host/…`
        raise Refusal("bad_target")
    if "%" in path or "./" in path + "/" or ".;" in path:
        _refuse_ambiguous(path)


def _refuse_ambiguous(path: str) -> None:
    """Look at each segment as it is, decoded, and decoded twice: a server behind us may do any of these."""
    for raw in path.split("/")[1:]:
        once = _decoded(raw)
        twice = _decoded(once)
        if _BAD_ESCAPE.search(raw) or _CONTROL.search(once):
            raise Refusal("bad_target")
        for text in (raw, once, twice):
            if "/" in text or "\\" in text or text.partition(";")[0] in (".", ".."):
                raise Refusal("bad_target")


def _decoded(segment: str) -> str:
    return unquote(segment, errors="surrogateescape") if "%" in segment else segment


# --- the table ---


class Op(Struct, frozen=True):
    """What a call asks for: an operation, or the refusal that stands in its place until its turn comes.

    `id` names the operation within one published state of its API: terms are compiled and kept under it.
    """

    id: str
    api: Api
    version: Version | None = None
    operation: Operation | None = None
    refusal: str = ""  # "operation_unknown" | "method_not_allowed"
    allow: str = ""  # of a method_not_allowed

    @property
    def name(self) -> str:
        """The declared operationId, as scopes and usage events name it; "" for what is not declared."""
        return self.operation.operation_id if self.operation else ""


class Routes:
    """The compiled table of one published state of an API."""

    def __init__(self, api: Api) -> None:
        self.api = api
        longest_first = sorted(api.versions, key=lambda version: -len(version.base_path))
        self._versions = [
            (_segments(version.base_path), version, _trie(api, version), _undeclared(api, version))
            for version in longest_first
        ]
        self._unknown = Op("", api, refusal="operation_unknown")

    def find(self, method: str, path: str) -> Op:
        """Return the Op for a raw path without the API's prefix, "/v1/countries/DE" or ""; never fails."""
        segments = [_decoded(segment) for segment in (path or "/").split("/")[1:]]
        for base, version, trie, undeclared in self._versions:
            if segments[: len(base)] == base:
                places = list(trie.places(segments, len(base)))
                return _chosen(places, method) or undeclared or _missing(self.api, version, places)
        return self._unknown


def slug_of(path: str) -> str:
    """Return the first segment of a raw path: the API's name."""
    return path[1:].partition("/")[0]


def forwarded(path: str) -> str:
    """Return what the upstream is asked for: the raw path without the API's prefix."""
    return path[1 + len(slug_of(path)) :] or "/"


class _Node:
    """One place in the trie: the operations that end here, and the ways on."""

    __slots__ = ("here", "literal", "mixed", "parameter", "tail")

    def __init__(self) -> None:
        self.literal: dict[str, _Node] = {}
        self.mixed: dict[tuple[str, ...], _Node] = {}  # "{name}.json" → ("", ".json")
        self.parameter: _Node | None = None
        self.here: dict[str, Op] = {}
        self.tail: dict[str, Op] = {}

    def child(self, template: str) -> "_Node":
        """Return the node for one segment of a path template, made if need be."""
        pieces = tuple(_decoded(piece) for piece in _PARAMETER.split(template))
        if len(pieces) == 1:
            return self.literal.setdefault(pieces[0], _Node())
        if pieces == ("", ""):
            self.parameter = self.parameter or _Node()
            return self.parameter
        return self.mixed.setdefault(pieces, _Node())

    def places(self, segments: list[str], at: int) -> Iterator[dict[str, Op]]:
        """Yield every set of operations (by method) that the path may mean, the most literal first."""
        if at == len(segments):
            if self.here:
                yield self.here
        else:
            segment = segments[at]
            if segment in self.literal:
                yield from self.literal[segment].places(segments, at + 1)
            for pieces, node in self.mixed.items():
                if _fits(pieces, segment):
                    yield from node.places(segments, at + 1)
            if self.parameter and segment:
                yield from self.parameter.places(segments, at + 1)
            if self.tail:
                yield self.tail


def _trie(api: Api, version: Version) -> _Node:
    root = _Node()
    for operation in version.operations:
        node, ops = root, None
        for template in operation.path.split("/")[1:]:
            if template.endswith("*}"):
                ops = node.tail
                break
            node = node.child(template)
        (node.here if ops is None else ops)[operation.method] = Op(operation.id, api, version, operation)
    return root


def _missing(api: Api, version: Version, places: list[dict[str, Op]]) -> Op:
    methods = {method for ops in places for method in ops}
    if not methods:
        return Op("", api, version, refusal="operation_unknown")
    methods |= {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())
    return Op("", api, version, refusal="method_not_allowed", allow=", ".join(sorted(methods)))


def _undeclared(api: Api, version: Version) -> Op | None:
    return Op(f"{version.id}:undeclared", api, version) if api.pass_undeclared else None


def _segments(base_path: str) -> list[str]:
    return base_path.rstrip("/").split("/")[1:]


def _chosen(places: list[dict[str, Op]], method: str) -> Op | None:
    """HEAD rides on GET, and OPTIONS on whatever its path declares (RFC 9110 §9.3.2, §9.3.7)."""
    for ops in places:
        op = ops.get(method) or ops.get("*") or (ops.get("GET") if method == "HEAD" else None)
        if op or method == "OPTIONS":
            return op or next(iter(ops.values()))
    return None


def _fits(pieces: tuple[str, ...], segment: str) -> bool:
    """Whether `segment` is the literal pieces with at least one character in each gap."""
    first, *middle, last = pieces
    if not segment.startswith(first):
        return False
    at = len(first)
    for piece in middle:
        at = segment.find(piece, at + 1)
        if at < 0:
            return False
        at += len(piece)
    return segment.endswith(last) and at < len(segment) - len(last)
