"""Strict reading of an HTTP/1 request's head and chunk lines (RFC 9112): the ambiguous is bad, nothing is mended."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
TARGET = re.compile(rb"[\x21-\x7e]+")
VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
LENGTH = re.compile(rb"0|[1-9][0-9]{0,17}")
CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]{1,8}")


class Bad(Exception):
    """The bytes are not one well-formed, unambiguous request."""


@dataclass(frozen=True)
class Head:
    """A request's head. `length` None: the body is chunked."""

    method: str
    target: str
    version: str
    headers: tuple[tuple[str, str], ...]  # in wire order, names as written
    length: int | None

    def values(self, name: str) -> list[str]:
        """All values of a field; `name` in lower case."""
        return [value for key, value in self.headers if key.lower() == name]

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self.target.partition("?")[2]))

    @property
    def keep_alive(self) -> bool:
        options = {option.strip().lower() for value in self.values("connection") for option in value.split(",")}
        return "close" not in options if self.version == "HTTP/1.1" else "keep-alive" in options


def parse_head(lines: Sequence[bytes]) -> Head:
    """Read the request line and the field lines, each without its CR LF. Raises Bad."""
    method, target, version = _request_line(lines[0])
    headers = tuple(_field(line) for line in lines[1:])
    known = Head(method, target, version, headers, 0)
    if version == "HTTP/1.1" and len(known.values("host")) != 1:
        raise Bad("not exactly one Host")
    return Head(method, target, version, headers, _length(known))


def parse_chunk_size(line: bytes) -> int:
    """Read a chunk's size line without its CR LF; extensions are bad. Raises Bad."""
    if not CHUNK_SIZE.fullmatch(line):
        raise Bad("odd chunk size")
    return int(line, 16)


def _request_line(line: bytes) -> tuple[str, str, str]:
    parts = line.split(b" ")
    if len(parts) != 3 or not TOKEN.fullmatch(parts[0]) or not TARGET.fullmatch(parts[1]):
        raise Bad("odd request line")
    if parts[2] not in (b"HTTP/1.1", b"HTTP/1.0"):
        raise Bad("odd version")
    return parts[0].decode(), parts[1].decode(), parts[2].decode()


def _field(line: bytes) -> tuple[str, str]:
    name, colon, value = line.partition(b":")
    if not colon or not TOKEN.fullmatch(name):  # also a folded line and a space before the colon
        raise Bad("odd field name")
    if not VALUE.fullmatch(value):
        raise Bad("control character in a field")
    return name.decode(), value.strip(b" \t").decode("latin-1")


def _length(head: Head) -> int | None:
    lengths, codings = head.values("content-length"), head.values("transfer-encoding")
    if codings:
        if lengths or codings != ["chunked"] or head.version == "HTTP/1.0":
            raise Bad("odd Transfer-Encoding")
        return None
    if len(lengths) > 1 or (lengths and not LENGTH.fullmatch(lengths[0].encode("latin-1"))):
        raise Bad("odd Content-Length")
    return int(lengths[0]) if lengths else 0
