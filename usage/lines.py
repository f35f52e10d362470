"""What a message of the usage stream says, line by line: events, signs of life, and what nobody can read. Pure.

A message is {boot, file, offset, first_seq, last_seq, lines}: whole lines of one journal segment; or
{…, lines: "", dead: "1"}: the journal of a boot that died was shipped to its end.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from operator import attrgetter

import msgspec
from msgspec import Struct

from gateway.public import Beat, Bye, Line, read_line

COUNT_MAX = (1 << 31) - 1  # an integer column
EXACT_MAX = (1 << 53) - 1  # beyond it JSON and Lua lose units
INSTANT_MAX = 253_402_300_799_999  # the last millisecond of the year 9999
LABEL_MAX = 200  # characters of what stands in a rollup's key
DIMENSIONS_MAX = 1_000  # bytes: they stand in a rollup's key, too
HORIZON_MS = 35 * 86_400_000
AHEAD_MS = 5 * 60_000

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_IDS = ("organization", "key", "project", "subscription", "plan_version", "period_id", "api", "call_id")
_REQUIRED = 2  # the first of them
_TEXTS = ("version", "operation", "method", "problem", "client_request_id", "end_user", "gateway", "worker", "boot")
_SIZES = ("seq", "bytes_in", "bytes_out")
_COUNTS = ("latency_ms", "upstream_ms", "part", "count")
_ids, _texts, _sizes, _counts = (attrgetter(*names) for names in (_IDS, _TEXTS, _SIZES, _COUNTS))


class Entry(Struct, gc=False):
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
        wrong = not (0 <= line.clock <= INSTANT_MAX and 0 <= line.seq <= EXACT_MAX)
        return (
            Entry(boot, file, raw, fault="seq or clock is out of range")
            if wrong
            else Entry(boot, file, raw, seq=line.seq, beat=line)
        )
    if reason := fault(line):
        return Entry(boot, file, raw, seq=max(0, min(line.seq, EXACT_MAX)), fault=reason)
    return Entry(boot, file, raw, seq=line.seq, event=line)


def fault(line: Line) -> str:
    """Say why this event cannot be stored; "" if it can. Each check looks at many fields at once: it runs per event."""
    return (
        _fault_of_event_id(line)
        or _fault_of_ids(_ids(line))
        or _fault_of_texts(_texts(line))
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


def _fault_of_event_id(line: Line) -> str:
    text = line.event_id
    if not _UUID.fullmatch(text) or text[14] != "7":
        return "event_id is not a UUIDv7"
    if int(text[:8] + text[9:13], 16) != line.ts:
        return "ts is not the instant of event_id"
    return "ts is out of range" if line.ts > INSTANT_MAX else ""


def _fault_of_ids(ids: tuple[str, ...]) -> str:
    if all(map(_is_id, ids)) and all(ids[:_REQUIRED]):
        return ""
    wrong = (
        name
        for n, (name, text) in enumerate(zip(_IDS, ids, strict=True))
        if not _is_id(text) or (n < _REQUIRED and not text)
    )
    return f"{next(wrong)} is not an id"


@lru_cache(maxsize=1 << 16)
def _is_id(text: str) -> bool:
    """Whether it is empty or a UUID; the same few come again and again."""
    return not text or bool(_UUID.fullmatch(text))


def _fault_of_texts(texts: tuple[str, ...]) -> str:
    if "\0" not in "".join(texts):
        return ""
    return f"{next(name for name, text in zip(_TEXTS, texts, strict=True) if chr(0) in text)} holds a NUL"


def _fault_of_numbers(line: Line) -> str:
    for names, numbers, most in ((_SIZES, _sizes(line), EXACT_MAX), (_COUNTS, _counts(line), COUNT_MAX)):
        if min(numbers) < 0 or max(numbers) > most:
            wrong = (name for name, number in zip(names, numbers, strict=True) if not 0 <= number <= most)
            return f"{next(wrong)} is out of range"
    if not line.count:
        return "count is out of range"
    if not 0 <= line.status <= 999:
        return "status is out of range"
    return ""


def _fault_of_labels(line: Line) -> str:
    if len(line.operation) > LABEL_MAX:
        return f"operation is longer than {LABEL_MAX} characters"
    if not line.units and not line.dimensions:
        return ""
    if not all(0 <= number <= EXACT_MAX for number in line.units.values()):
        return "a unit is out of range"
    if len(msgspec.json.encode(line.dimensions)) > DIMENSIONS_MAX:
        return f"dimensions are larger than {DIMENSIONS_MAX} bytes"
    if "\0" in "".join((*line.units, *line.dimensions, *line.dimensions.values())):
        return "a dimension or unit holds a NUL"
    return ""


def _text(value: bytes) -> str:
    return value.decode(errors="backslashreplace").replace("\0", "\\x00")


def _number(value: bytes) -> int:
    return int(value) if value.isdigit() and len(value) < 17 else 0
