"""The journal's folder as a reader sees it: which boots there are, which live, which lines are whole.

<boot>-<n>.jsonl   segments, n from 1; a segment is final once its successor exists
<boot>.lock        flocked by the boot while it lives
<boot>.reserve     disk space that calls in flight may finish into
"""

import fcntl
import os
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from gateway.call import UsageEvent

_FILE = re.compile(r"(?P<boot>[\w-]+)-(?P<n>\d+)\.jsonl|(?P<locked>[\w-]+)\.lock")
READ = 1 << 20


class Line(UsageEvent, kw_only=True):
    """A usage event as the journal holds it."""

    seq: int
    gateway: str
    worker: str
    boot: str


class Beat(msgspec.Struct, frozen=True, kw_only=True):
    """A producer's sign of life: it has written `seq` events, and none to come is earlier than `clock` (ms)."""

    beat: bool = True
    seq: int
    clock: int
    gateway: str
    worker: str
    boot: str


class Bye(msgspec.Struct, frozen=True, kw_only=True):
    """A producer's last line: nothing comes after it."""

    bye: bool = True
    seq: int
    clock: int
    gateway: str
    worker: str
    boot: str


_decode_line = msgspec.json.Decoder(Line).decode
_decode_beat = msgspec.json.Decoder(Beat).decode
_decode_bye = msgspec.json.Decoder(Bye).decode


def read_line(text: bytes) -> Line | Beat | Bye:
    """Decode one line of a journal. Raises msgspec.DecodeError."""
    if text.startswith(b'{"beat":'):
        return _decode_beat(text)
    if text.startswith(b'{"bye":'):
        return _decode_bye(text)
    return _decode_line(text)


def segment_path(folder: Path, boot: str, n: int) -> Path:
    return folder / f"{boot}-{n}.jsonl"


def lock_path(folder: Path, boot: str) -> Path:
    return folder / f"{boot}.lock"


def reserve_path(folder: Path, boot: str) -> Path:
    return folder / f"{boot}.reserve"


def boots(folder: Path) -> dict[str, list[int]]:
    """List the boots that left anything here, each with the numbers of its segments in order."""
    found: dict[str, list[int]] = {}
    for entry in os.scandir(folder):
        if match := _FILE.fullmatch(entry.name):
            numbers = found.setdefault(match["boot"] or match["locked"], [])
            if match["n"]:
                numbers.append(int(match["n"]))
    for numbers in found.values():
        numbers.sort()
    return found


def is_live(folder: Path, boot: str) -> bool:
    """Whether the process that writes this boot's journal still runs. What is dead stays dead."""
    try:
        lock = os.open(lock_path(folder, boot), os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: two who ask at once must not see each other
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def whole_lines(path: Path, *, offset: int, limit: int = READ) -> bytes:
    """Read the whole lines from a byte offset on, about `limit` bytes of them; b"" if there is none (yet).

    A torn tail is left alone: a live writer completes it or takes it back, a dead one never answered it.
    """
    with path.open("rb", buffering=0) as file:
        file.seek(offset)
        block = file.read(limit) or b""
        while block and b"\n" not in block and (more := file.read(limit)):
            block += more  # one line longer than the limit
    return block[: block.rfind(b"\n") + 1]


def lines_after(folder: Path, boot: str, *, seq: int) -> Iterator[Line]:
    """Yield a boot's events beyond `seq` that are still in the folder, in order."""
    for n in boots(folder).get(boot, []):
        try:
            yield from _events(segment_path(folder, boot, n), seq)
        except FileNotFoundError:
            continue  # committed and deleted meanwhile


def _events(path: Path, seq: int) -> Iterator[Line]:
    offset = 0
    while block := whole_lines(path, offset=offset):
        offset += len(block)
        for text in block.rstrip().split(b"\n"):
            line = read_line(text)
            if isinstance(line, Line) and line.seq > seq:
                yield line
