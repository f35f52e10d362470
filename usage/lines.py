"""What a message of the usage stream says, line by line: events, signs of life, and what nobody can read. Pure.

A message is {boot, file, offset, first_seq, last_seq, lines}: whole lines of one journal segment; or
{…, lines: "", dead: "1"}: the journal of a boot that died was shipped to its end.
"""

import re
from collections.abc import Iterable, Mapping
from hashlib import sha256

import msgspec
from msgspec import Struct

from gateway.public import Beat, Bye, Line, read_line

COUNT_MAX = (1 << 31) - 1  # an integer column
EXACT_MAX = (1 << 53) - 1  # beyond it JSON and Lua lose units
LABEL_MAX = 200  # characters of what stands in a rollup's key
DIMENSIONS_MAX = 1_000  # bytes: they stand in a rollup's key, too
HORIZON_MS = 35 * 86_400_000
AHEAD_MS = 5 * 60_000

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_IDS = ("organization", "key", "project", "subscription", "plan_version", "period_id", "api", "call_id")
_REQUIRED = frozenset({"organization", "key"})
_TEXTS = ("version", "operation", "method", "problem", "client_request_id", "end_user", "gateway", "worker", "boot")
_SIZES = ("seq", "bytes_in", "bytes_out")
_COUNTS = ("latency_ms", "upstream_ms", "part")


class Entry(Struct):
    """One line, or one message without lines, of one boot: an event, a sign of life, a death, or a fault.

    `seq` of a sign of life or a death is that of the last event before it; that of an unreadable line is told by
    its neighbours, 0 where they do not tell.
    """

    boot: str
    file: str
    raw: bytes
    seq: int = 0
    event: Line | None = None
    beat: Beat | Bye | None = None
    dead: bool = False
    fault: str = ""

    @property
    def digest(self) -> str:
        """Name the line, the same however it is shipped."""
        return sha256(b"\0".join((self.boot.encode(), self.file.encode(), self.raw))).hexdigest()


def read_message(fields: Mapping[bytes, bytes]) -> list[Entry]:
    """Read a message; what cannot be read is an entry with its fault, nothing is raised."""
    boot, file = (_text(fields.get(name, b"")) for name in (b"boot", b"file"))
    lines = fields.get(b"lines")
    if not boot or lines is None:
        raw = msgspec.json.encode({_text(name): _text(value) for name, value in fields.items()})
        return [Entry("", file, raw, fault="the message names no boot or holds no lines")]
    entries = _entries(boot, file, lines, fields)
    if fields.get(b"dead") == b"1":
        entries.append(Entry(boot, file, b"", seq=_number(fields.get(b"last_seq", b"")), dead=True))
    return entries


def _entries(boot: str, file: str, lines: bytes, fields: Mapping[bytes, bytes]) -> list[Entry]:
    entries, last = [], _number(fields.get(b"first_seq", b"1")) - 1
    top = _number(fields.get(b"last_seq", b"0"))
    for raw in lines.splitlines():
        entry = _entry(boot, file, raw)
        if entry.fault and not entry.seq:
            # it stands where the next event would; a broken sign of life behind the last event has no number
            entry.seq = min(last + 1, top)
        if not entry.beat:
            last = entry.seq
        entries.append(entry)
    return entries


def _entry(boot: str, file: str, raw: bytes) -> Entry:
    try:
        line = read_line(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Entry(boot, file, raw, fault=str(error))
    if line.boot != boot:
        return Entry(boot, file, raw, fault=f"it was written by boot {line.boot!r}")
    if not isinstance(line, Line):
        return Entry(boot, file, raw, seq=line.seq, beat=line)
    if reason := fault(line):
        return Entry(boot, file, raw, seq=max(0, min(line.seq, EXACT_MAX)), fault=reason)
    return Entry(boot, file, raw, seq=line.seq, event=line)


def fault(line: Line) -> str:
    """Say why this event cannot be stored; "" if it can."""
    return (
        _fault_of_id(line)
        or next((f"{name} is not an id" for name in _IDS if not _is_id(getattr(line, name), name)), "")
        or next((f"{name} holds a NUL" for name in _TEXTS if "\0" in getattr(line, name)), "")
        or _fault_of_numbers(line)
        or _fault_of_labels(line)
    )


def misplaced(line: Line, *, now_ms: int) -> str:
    """Say why this event may not be counted without somebody's decision; "" if it may."""
    if line.ts < now_ms - HORIZON_MS:
        return "older than 35 days"
    if line.ts > now_ms + AHEAD_MS:
        return "more than 5 minutes in the future"
    return ""


def _fault_of_id(line: Line) -> str:
    text = line.event_id
    if not _UUID.fullmatch(text) or text[14] != "7":
        return "event_id is not a UUIDv7"
    if int(text[:8] + text[9:13], 16) != line.ts:
        return "ts is not the instant of event_id"
    return ""


def _is_id(text: str, name: str) -> bool:
    return bool(_UUID.fullmatch(text)) if text else name not in _REQUIRED


def _fault_of_numbers(line: Line) -> str:
    for name in _SIZES:
        if not 0 <= getattr(line, name) <= EXACT_MAX:
            return f"{name} is out of range"
    for name in _COUNTS:
        if not 0 <= getattr(line, name) <= COUNT_MAX:
            return f"{name} is out of range"
    if not 1 <= line.count <= COUNT_MAX:
        return "count is out of range"
    if not 0 <= line.status <= 999:
        return "status is out of range"
    return "a unit is out of range" if _out_of_range(line.units.values()) else ""


def _out_of_range(units: Iterable[int]) -> bool:
    return any(not 0 <= number <= EXACT_MAX for number in units)


def _fault_of_labels(line: Line) -> str:
    if len(line.operation) > LABEL_MAX:
        return f"operation is longer than {LABEL_MAX} characters"
    if not line.units and not line.dimensions:
        return ""
    if len(msgspec.json.encode(line.dimensions)) > DIMENSIONS_MAX:
        return f"dimensions are larger than {DIMENSIONS_MAX} bytes"
    if any("\0" in text for pair in line.dimensions.items() for text in pair) or any(
        "\0" in name for name in line.units
    ):
        return "a dimension or unit holds a NUL"
    return ""


def _text(value: bytes) -> str:
    return value.decode(errors="backslashreplace").replace("\0", "\\x00")


def _number(value: bytes) -> int:
    return int(value) if value.isdigit() else 0
