"""The request that a form describes: what the samples print is what Run sends, byte for byte."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from marketplace.public import BodyView, OperationView, ParameterView

Pairs = tuple[tuple[str, str], ...]
Values = Mapping[str, str]  # form field name ("query.lang", "body") → text as typed

SEPARATORS = {"spaceDelimited": " ", "pipeDelimited": "|"}


@dataclass(frozen=True)
class Outgoing:
    """One request to the gateway; `path` and `query` are percent-encoded, the key is not among the headers."""

    method: str
    path: str  # "/world/v1/countries/DE"
    query: str  # without "?"
    headers: Pairs
    body: str

    @property
    def target(self) -> str:
        return f"{self.path}?{self.query}" if self.query else self.path


def field_name(parameter: ParameterView) -> str:
    return f"{parameter.where}.{parameter.name}"


def compose(operation: OperationView, values: Values) -> Outgoing:
    """Fill an operation's templates in with `values`; what is not there or empty is left out."""
    path, query, headers = operation.full_path, [], []
    for parameter in operation.parameters:
        text = values.get(field_name(parameter), "")
        if parameter.where == "path":
            path = _filled(path, parameter.name, text)
        elif text and parameter.where == "query":
            query += [f"{quote(parameter.name, safe='')}={quote(part, safe=',')}" for part in _parts(parameter, text)]
        elif text and parameter.where == "header":
            headers.append((parameter.name, text))
    body = values.get("body", "") if operation.body else ""
    if operation.body and body:
        headers.append(("Content-Type", values.get("content_type", "") or media_types(operation.body)[0]))
    method = "GET" if operation.method == "*" else operation.method
    return Outgoing(method, path, "&".join(query), tuple(headers), body)


def media_types(body: BodyView) -> list[str]:
    """What a body may be sent as, the usual one first."""
    return [content.type for content in body.content] or ["application/json"]


def _filled(path: str, name: str, text: str) -> str:
    """Fill in one path parameter; an empty one stays as its placeholder, which names what is missing."""
    if not text:
        return path
    tail = f"{{{name}*}}"
    if tail in path:
        return path.replace(tail, quote(text, safe="/"))
    return path.replace(f"{{{name}}}", quote(text, safe=""))


def _parts(parameter: ParameterView, text: str) -> list[str]:
    """The values a query parameter is sent with: several for an exploded array (RFC 6570 form style)."""
    if not is_array(parameter):
        return [text]
    items = [item.strip() for item in text.split(",") if item.strip()]
    if parameter.explode:
        return items
    return [SEPARATORS.get(parameter.style, ",").join(items)]


def is_array(parameter: ParameterView) -> bool:
    return isinstance(parameter.schema, dict) and parameter.schema.get("type") == "array"
