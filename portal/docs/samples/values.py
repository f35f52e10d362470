"""What every sample is written from, and the literals they share."""

import json
from dataclasses import dataclass

from portal.docs.outgoing import Outgoing, Pairs


@dataclass(frozen=True)
class Sampled:
    """One request as a sample shows it: the whole address, and the reader's own key among the headers."""

    method: str
    url: str
    headers: Pairs
    body: str


def sampled(request: Outgoing, *, gateway: str, key: str) -> Sampled:
    """Put the gateway's address in front and the key on top."""
    return Sampled(request.method, gateway + request.target, (("X-API-Key", key), *request.headers), request.body)


def c_string(text: str) -> str:
    """A double-quoted literal that JavaScript, Go, Java, C# and Python read alike: ASCII, JSON's own escapes.

    Java and Go know no `\\/` and JSON writes none. Characters beyond U+FFFF become surrogate pairs, which Go
    and Python refuse or keep apart, so those two have literals of their own.
    """
    return json.dumps(text)


def python_string(text: str) -> str:
    r"""As `c_string`, with \U escapes beyond U+FFFF."""
    return '"' + "".join(_long_escape(char) for char in text) + '"'


go_string = python_string


def _long_escape(char: str) -> str:
    return f"\\U{ord(char):08x}" if ord(char) > 0xFFFF else json.dumps(char)[1:-1]


def single_quoted(text: str) -> str:
    """A literal of PHP or Ruby in which nothing but the quote and the backslash means anything."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
