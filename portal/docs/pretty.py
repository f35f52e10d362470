"""JSON laid out for reading without touching a token: numbers stay as they were sent, keys keep their order."""

import json
import re
from collections.abc import Iterator

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+')
INDENT = "  "
DEEPEST = 100  # indenting deeper than that costs more than it shows


def pretty_json(text: str, *, limit: int = 1 << 20) -> str | None:
    """Indent a JSON document, cut after about `limit` characters; None if it is not one, or nested absurdly deep."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return None
    out: list[str] = []
    size = 0
    for depth, piece in _laid_out(_TOKEN.finditer(text)):
        if depth > DEEPEST:
            return None
        out.append(piece)
        size += len(piece)
        if size > limit:
            break
    return "".join(out)


def _laid_out(tokens: Iterator[re.Match[str]]) -> Iterator[tuple[int, str]]:
    """Pieces of the layout, each with the depth it stands at."""
    depth, before = 0, ""
    for match in tokens:
        piece = match[0]
        if piece in ("]", "}"):
            depth -= 1
            yield depth, piece if before in ("[", "{") else f"\n{INDENT * depth}{piece}"
        else:
            if before in ("[", "{", ","):
                yield depth, f"\n{INDENT * depth}"
            yield depth, ": " if piece == ":" else piece
            depth += piece in ("[", "{")
        before = piece
