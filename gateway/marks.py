"""Places in a boot's journal, and how they are written down beside the usage stream."""

import re
from pathlib import Path

import msgspec

from gateway.journal_files import boots, segment_path, whole_lines

_TAIL = 64 << 10  # more than any line
_SEQ = re.compile(rb'"seq":(\d+)')  # in every line before any text of others


class Mark(msgspec.Struct, frozen=True):
    """How far a boot's journal is in the stream: all before `offset` of segment `file`, up to event `seq`."""

    file: int = 1
    offset: int = 0
    seq: int = 0
    ended: bool = False  # the stream says that nothing more will come
    entry: str = ""  # id of the last stream entry

    def written(self) -> str:
        return f"{self.file}:{self.offset}:{self.seq}:{'end' if self.ended else ''}:{self.entry}"


def read_mark(text: str) -> Mark:
    file, offset, seq, ended, entry = text.split(":")
    return Mark(int(file), int(offset), int(seq), ended == "end", entry)


def place_after(folder: Path, boot: str, seq: int) -> Mark:
    """Find the place behind the last event up to `seq` in the segments that are left; their start, if there is none.

    Beats behind that event are before the place: they may be what was lost.
    """
    numbers = boots(folder).get(boot, [])
    place = Mark(numbers[0] if numbers else 1, 0, seq)
    for n in numbers:
        offset = 0
        while block := whole_lines(segment_path(folder, boot, n), offset=offset):
            for line in block.splitlines(keepends=True):
                offset += len(line)
                if is_event(line):
                    if seq_of(line) > seq:
                        return place
                    place = Mark(n, offset, seq)
    return place


def is_event(line: bytes) -> bool:
    return line.startswith(b'{"seq":')


def is_bye(line: bytes) -> bool:
    return line.startswith(b'{"bye":')


def seq_of(line: bytes) -> int:
    """Return an event's seq, or of a beat or bye the seq of the last event before it."""
    match = _SEQ.search(line)
    return int(match[1]) if match else 0


def span(lines: bytes) -> tuple[int, int]:
    """Return first and last seq of the events in a block of whole lines; (n + 1, n) for none after event n."""
    first, last = lines[: lines.index(b"\n")], last_line(lines)
    return seq_of(first) + (not is_event(first)), seq_of(last)


def last_seq(path: Path) -> int:
    """Return the seq of a segment's last event."""
    tail = whole_lines(path, offset=max(0, path.stat().st_size - _TAIL))
    return seq_of(last_line(tail)) if tail else 0


def last_line(lines: bytes) -> bytes:
    return lines[lines.rfind(b"\n", 0, -1) + 1 :]
