"""The journal as an access log: one line of text per call, as calls end."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from gateway.journal_files import Line, boots, read_line, segment_path, whole_lines

_SPACE = re.compile(r"\s|[\x00-\x1f]")  # text of others stays one word on one line


class Tail:
    """Reads a folder's journals onwards; remembers how far it has read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[Path, int] = {}

    def lines(self) -> list[Line]:
        """Return the events written since the last call, over all boots in the order they happened."""
        found = list(self._new())
        return sorted(found, key=lambda line: (line.ts, line.boot, line.seq))

    def _new(self) -> Iterator[Line]:
        for boot, numbers in boots(self._folder).items():
            for n in numbers:
                path = segment_path(self._folder, boot, n)
                try:
                    yield from self._rest(path)
                except FileNotFoundError:
                    self._read.pop(path, None)  # committed and deleted meanwhile

    def _rest(self, path: Path) -> Iterator[Line]:
        while block := whole_lines(path, offset=self._read.get(path, 0)):
            self._read[path] = self._read.get(path, 0) + len(block)
            for text in block.rstrip().split(b"\n"):
                line = read_line(text)
                if isinstance(line, Line):
                    yield line


def rendered(line: Line) -> str:
    """Write an event as one line: instant, status, method, operation, who, how long, how much, what for.

    2027-01-15T08:00:00.000Z 200 GET v1 listCountries key=018f… 12ms 345B billable 018f…
    """
    at = datetime.fromtimestamp(line.ts / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    counted = "test" if line.test else "billable" if line.billable else "free"
    words = [
        at,
        str(line.status or "-"),
        line.method,
        line.version or "-",
        line.operation or "-",
        f"key={line.key}",
        f"{line.latency_ms}ms",
        f"{line.bytes_out}B",
        line.problem or counted,
        f"x{line.count}" if line.count > 1 else line.event_id,
    ]
    return " ".join(_SPACE.sub("_", word) for word in words)
