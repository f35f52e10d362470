"""JSON in, strictly (RFC 8259, I-JSON RFC 7493): what PostgreSQL or another reader would take otherwise is refused."""

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from kit.errors import ProblemError

MAX_BYTES = 1 << 20  # a view that takes more says so in `max_body_bytes`
MAX_DEPTH = 32
MAX_DIGITS = 30


class StrictJSONParser(BaseParser):
    """Refuse broken UTF-8, NaN, infinities, endless digits, duplicate names, deep nesting, NUL and lone surrogates."""

    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        limit = getattr((parser_context or {}).get("view"), "max_body_bytes", MAX_BYTES)
        raw = stream.read(limit + 1)
        if len(raw) > limit:
            raise ProblemError("body_too_large", f"The body may have at most {limit:,} bytes.")
        try:
            value = json.loads(
                raw.decode(),
                object_pairs_hook=_unique,
                parse_int=_integer,
                parse_float=_finite,
                parse_constant=_finite,
            )
        except RecursionError as error:
            raise ParseError(f"The JSON is nested deeper than {MAX_DEPTH} levels.") from error
        except ValueError as error:
            raise ParseError(f"The body is not valid JSON: {error}.") from error
        for path, text in _texts(value):
            _check(path, text)
        return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object names a member twice")
    return found


def _integer(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise ValueError(f"a number has more than {MAX_DIGITS} digits")
    return int(text)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is out of range")
    return number


def _texts(value: Any) -> Iterator[tuple[str, str]]:
    """Every text in a JSON value with its dotted path. Raises ParseError below MAX_DEPTH."""
    todo: list[tuple[str, int, Any]] = [("", 1, value)]
    while todo:
        path, depth, item = todo.pop()
        if depth > MAX_DEPTH:
            raise ParseError(f"The JSON is nested deeper than {MAX_DEPTH} levels.")
        if isinstance(item, str):
            yield path, item
        elif isinstance(item, dict):
            yield from ((path, name) for name in item)  # before they become part of a path
            todo += ((f"{path}.{name}".strip("."), depth + 1, each) for name, each in item.items())
        elif isinstance(item, list):
            todo += ((f"{path}.{at}".strip("."), depth + 1, each) for at, each in enumerate(item))


def _check(path: str, text: str) -> None:
    """PostgreSQL stores no NUL, and nothing can send a lone surrogate as UTF-8."""
    if "\0" in text:
        raise ValidationError({path: ["Null characters are not allowed."]})
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValidationError({path: ["Lone surrogates are not allowed."]}) from error


class AlwaysJson(BaseContentNegotiation):
    """Answer JSON whatever Accept says: RFC 9110 §12.5.1 allows it, and an error must be readable in any case."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        media_type = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == media_type), None)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, str(renderer.media_type)
