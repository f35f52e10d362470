"""From a checked document to operations that stand alone: no reference left to look up."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from marketplace.contract import examples, paths
from marketplace.contract.check import Edition, check_schema
from marketplace.contract.errors import BadContract, Fault, pointer
from marketplace.contract.refs import Document
from marketplace.contract.schemas import Schemas

Json = Any

METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
ANY_METHOD = "x-any-method"  # an operation for whatever method no other declares
MOST_OPERATIONS = 2000
_IGNORED_HEADERS = frozenset({"accept", "content-type", "authorization"})  # OpenAPI 3.1 §4.8.12
_STYLES = {"path": "simple", "query": "form", "header": "simple", "cookie": "form"}


@dataclass(frozen=True, kw_only=True)
class Operation:
    """The columns of the model of the same name, as plain JSON."""

    operation_id: str
    method: str
    path: str
    tag: str
    summary: str
    description: str
    deprecated: bool
    parameters: list[dict[str, Json]]
    request_body: dict[str, Json] | None
    responses: list[dict[str, Json]]
    example: dict[str, Json]


@dataclass
class Compiler:
    """Compiles one document; faults collect so that an author sees them all at once."""

    root: Mapping[str, Json]
    edition: Edition
    base_path: str
    faults: list[Fault] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.document = Document(self.root)
        self.schemas = Schemas(self.document, old=self.edition == "3.0")
        written = [str(path) for path in self.root.get("paths") or ()]
        below = all(f"{path}/".startswith(f"{self.base_path}/") for path in written)
        self.prefix = self.base_path if below else ""  # the paths as written carry the base already

    def operations(self) -> tuple[Operation, ...]:
        """Raises BadContract with all faults."""
        found: list[Operation] = []
        shapes: dict[tuple[str, str], str] = {}
        for path, item, at in self._items():
            for method in (*METHODS, ANY_METHOD):
                if not isinstance(item.get(method), Mapping):
                    continue
                if (other := shapes.setdefault((method, paths.shape(path)), path)) != path:
                    self.faults.append(Fault(f"Means the same calls as {other}.", at))
                if (operation := self._operation(path, method, item, f"{at}/{method}")) is not None:
                    found.append(operation)
        if len(found) > MOST_OPERATIONS:
            self.faults.append(Fault(f"More than {MOST_OPERATIONS:,} operations.", "/paths"))
        if self.faults:
            raise BadContract(self.faults)
        return tuple(found)

    def _items(self) -> Iterator[tuple[str, Mapping[str, Json], str]]:
        for raw, node in (self.root.get("paths") or {}).items():
            at = pointer(("paths", raw))
            if raw.startswith("x-"):
                continue
            path = raw.removeprefix(self.prefix) or "/"
            if why := paths.why_bad(path):
                self.faults.append(Fault(why, at))
                continue
            try:
                yield path, self.document.followed(node, at=at), at
            except BadContract as bad:
                self.faults.extend(bad.faults)

    def _operation(self, path: str, method: str, item: Mapping[str, Json], at: str) -> Operation | None:
        raw = item[method]
        try:
            parameters = self._parameters(path, item, raw, at)
            body = self._body(raw, at)
            responses = self._responses(raw, at)
        except BadContract as bad:
            self.faults.extend(bad.faults)
            return None
        return Operation(
            operation_id=self._operation_id(raw, method, path),
            method="*" if method == ANY_METHOD else method.upper(),
            path=path,
            tag=_line(next(iter(raw.get("tags") or ()), ""), 80),
            summary=_line(raw.get("summary") or item.get("summary") or "", 300),
            description=str(raw.get("description") or item.get("description") or "")[:20_000],
            deprecated=raw.get("deprecated") is True,
            parameters=[_stored(each) for each in parameters],
            request_body=body and _stored(body),
            responses=responses,
            example=_example(parameters, body),
        )

    def _operation_id(self, raw: Mapping[str, Json], method: str, path: str) -> str:
        """The author's, fit for a URL and a scope; else one made of method and path. Each once."""
        said = raw.get("operationId") or f"{'any' if method == ANY_METHOD else method} {path}"
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", str(said)).strip("-.")[:110] or "operation"
        number, unique = 1, name
        while unique in self.taken:
            number += 1
            unique = f"{name}-{number}"
        self.taken.add(unique)
        return unique

    # --- parameters ---

    def _parameters(
        self, path: str, item: Mapping[str, Json], raw: Mapping[str, Json], at: str
    ) -> list[dict[str, Json]]:
        found: dict[tuple[str, str], dict[str, Json]] = {}
        above = at.rpartition("/")[0]
        for place, nodes in ((above, item.get("parameters")), (at, raw.get("parameters"))):
            for index, node in enumerate(nodes or ()):
                here = f"{place}/parameters/{index}"
                parameter = self._parameter(self.document.followed(node, at=here), here)
                if not (parameter["in"] == "header" and parameter["name"].lower() in _IGNORED_HEADERS):
                    found[parameter["in"], parameter["name"]] = parameter
        declared = {name for where, name in found if where == "path"}
        for name in set(paths.parameters(path)) - declared:
            raise BadContract([Fault(f"The path parameter {{{name}}} is not declared.", at)])
        for name in declared - set(paths.parameters(path)):
            raise BadContract([Fault(f"The path holds no {{{name}}}.", at)])
        return list(found.values())

    def _parameter(self, node: Mapping[str, Json], at: str) -> dict[str, Json]:
        content = node.get("content")
        media: Mapping[str, Json] = (
            next(iter(content.values()), {}) if isinstance(content, Mapping) and content else node
        )
        schema = self._schema(media.get("schema", {}), f"{at}/schema")
        where = str(node.get("in"))
        style = str(node.get("style") or _STYLES.get(where, "form"))
        return {
            "name": str(node.get("name"))[:120],
            "in": where,
            "required": node.get("required") is True or where == "path",
            "description": str(node.get("description") or "")[:2000],
            "schema": schema,
            "style": style,
            "explode": node["explode"] if isinstance(node.get("explode"), bool) else style == "form",
            "value": self._value(node, media, schema, at),
            "given": any(_gives_example(place) for place in (node, media, schema)),
        }

    # --- bodies ---

    def _body(self, raw: Mapping[str, Json], at: str) -> dict[str, Json] | None:
        if "requestBody" not in raw:
            return None
        here = f"{at}/requestBody"
        node = self.document.followed(raw["requestBody"], at=here)
        content = self._content(node, here)
        media = node.get("content") or {}
        chosen = content[0]["type"] if content else ""
        value = self._value({}, media.get(chosen, {}), content[0]["schema"], here) if content else None
        return {
            "required": node.get("required") is True,
            "description": str(node.get("description") or "")[:2000],
            "content": content,
            "value": value,
        }

    def _responses(self, raw: Mapping[str, Json], at: str) -> list[dict[str, Json]]:
        found = []
        for status, node in (raw.get("responses") or {}).items():
            if status.startswith("x-"):
                continue
            here = f"{at}/responses/{status}"
            response = self.document.followed(node, at=here)
            description = str(response.get("description") or "")[:2000]
            found.append({"status": status, "description": description, "content": self._content(response, here)})
        return sorted(found, key=lambda response: response["status"])

    def _content(self, node: Mapping[str, Json], at: str) -> list[dict[str, Json]]:
        """Media types, JSON first: that is what the form offers."""
        content = node.get("content")
        kinds = (
            sorted(content or (), key=lambda kind: (not _is_json(kind), kind)) if isinstance(content, Mapping) else []
        )
        return [
            {
                "type": kind[:120],
                "schema": self._schema(
                    (content or {})[kind].get("schema", {}), f"{at}{pointer(('content', kind, 'schema'))}"
                ),
            }
            for kind in kinds
        ]

    # --- schemas and examples ---

    def _schema(self, schema: Json, at: str) -> Json:
        compiled = self.schemas.compiled(schema, at=at)
        if fault := check_schema(compiled, at=at):
            raise BadContract([fault])
        return compiled

    def _value(self, node: Mapping[str, Json], media: Mapping[str, Json], schema: Json, at: str) -> Json:
        """The example nearest to the author's hand: of the parameter or media type, else of the schema."""
        for place in (media, node):
            if "example" in place:
                return place["example"]
            named = place.get("examples")
            if isinstance(named, Mapping) and named:
                first = self.document.followed(next(iter(named.values())), at=at)
                if "value" in first:
                    return first["value"]
        return examples.example_of(schema)


def base_path_of(root: Mapping[str, Json]) -> str:
    """The path below which a document's operations live: its first server's path, else a "/v1" that all share."""
    servers = root.get("servers")
    if isinstance(servers, list) and servers and isinstance(servers[0], Mapping):
        path = urlsplit(re.sub(r"\{[^{}]*\}", "x", str(servers[0].get("url", "")))).path.rstrip("/")
        if path and re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", path):
            return path
    firsts = {str(path).split("/")[1] for path in root.get("paths") or () if str(path).startswith("/")}
    only = firsts.pop() if len(firsts) == 1 else ""
    return f"/{only}" if re.fullmatch(r"v[0-9]+(\.[0-9]+)*", only) else ""


def _example(parameters: list[dict[str, Json]], body: dict[str, Json] | None) -> dict[str, Json]:
    """What a first request is sent with: what is required, and what the author gave an example for.

    Nothing else: a made-up filter finds nothing.
    """
    sent = [(each, examples.as_text(each["value"])) for each in parameters if each["required"] or each["given"]]
    content_type = body["content"][0]["type"] if body and body["content"] else ""
    return {
        "path": {each["name"]: text or "x" for each, text in sent if each["in"] == "path"},
        "query": [[each["name"], text] for each, text in sent if each["in"] == "query"],
        "headers": [[each["name"], text] for each, text in sent if each["in"] == "header"],
        "content_type": content_type,
        "body": _body_text(body["value"], content_type) if body and content_type else "",
    }


def _gives_example(place: Json) -> bool:
    return isinstance(place, Mapping) and any(name in place for name in ("example", "examples", "const"))


def _stored(part: Mapping[str, Json]) -> dict[str, Json]:
    """A parameter or body without what only the example needed."""
    return {name: value for name, value in part.items() if name not in ("value", "given")}


def _body_text(value: Json, content_type: str) -> str:
    if value is None:
        return ""
    return examples.as_json(value) if _is_json(content_type) else examples.as_text(value)


def _is_json(kind: str) -> bool:
    essence = kind.partition(";")[0].strip().lower()
    return essence == "application/json" or essence.endswith("+json")


def _line(text: Json, most: int) -> str:
    return " ".join(str(text).split())[:most]
