"""The directory on disk, one file per host: for a process that starts while Redis is away.

`{home}/directory.snapshot`, 0600, JSON lines: the position it was written at, then records; changes are appended
as they are applied, so that a revoke is in it as soon as it is in memory. Its mtime is the last instant at which
the server vouched for it. Secrets in it are digests and sealed headers, as they are in Redis.
"""

import contextlib
import fcntl
import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue

import msgspec

from gateway.directory import Directory
from gateway.directory_copy import Copy, Position
from gateway.records import KINDS, Record

log = logging.getLogger(__name__)
CONFIRM_S = 1.0
TAKE_OVER_S = 5.0  # how often a process looks whether the keeper is gone
APPENDED_MIN = 1000  # appended lines, at least, before the file is written anew
_KIND_OF = {shape: kind for kind, shape in KINDS.items()}
_DECODE: dict[str, msgspec.json.Decoder[Record]] = {kind: msgspec.json.Decoder(shape) for kind, shape in KINDS.items()}
_encode = msgspec.json.Encoder().encode


class SnapshotKeeper:
    """Writes the host's snapshot, in one process per host. `note` from any thread, the rest from one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._noted: SimpleQueue[Record] = SimpleQueue()
        self._lock = self._file = -1
        self._of: Copy | None = None  # whose records the file holds
        self._appended = self._records = 0
        self._due = {"take over": 0.0, "confirm": 0.0}

    def note(self, record: Record) -> None:
        """Remember a record that was applied."""
        if self._lock >= 0:
            self._noted.put(record)

    def keep(self, copy: Copy, *, vouched: bool, now: float) -> None:
        """Bring the file up to the copy; `vouched`: the server has just confirmed it. `now` is monotonic seconds."""
        try:
            if self._lock < 0 and not self._take_over(now):
                return
            self._bring_up(copy)
            if vouched and now >= self._due["confirm"]:
                os.utime(self._file)
                self._due["confirm"] = now + CONFIRM_S
        except OSError as error:
            log.warning("the directory's snapshot cannot be written: %s", error)
            self._discard()

    def close(self) -> None:
        for descriptor in (self._file, self._lock):
            if descriptor >= 0:
                os.close(descriptor)
        self._file = self._lock = -1

    def _take_over(self, now: float) -> bool:
        if now < self._due["take over"]:
            return False
        self._due["take over"] = now + TAKE_OVER_S
        lock = os.open(self._path.with_name(f".{self._path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return False
        self._lock = lock
        return True

    def _bring_up(self, copy: Copy) -> None:
        if copy is not self._of or self._appended > max(APPENDED_MIN, self._records // 4):
            self._write(copy)
        lines = [_line(self._noted.get()) for _ in range(self._noted.qsize())]
        text = b"".join(lines)
        if text and os.write(self._file, text) < len(text):
            raise OSError("the disk is full")
        self._appended += len(lines)

    def _write(self, copy: Copy) -> None:
        """Write the file anew; readers find the old one or the new one."""
        position = copy.position  # before the records: what is applied meanwhile is noted, too
        unnamed = self._path.with_name(f".{self._path.name}")
        unnamed.unlink(missing_ok=True)
        self._records = 0
        with os.fdopen(os.open(unnamed, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(_encode(position) + b"\n")
            for record in copy.table.records():
                file.write(_line(record))
                self._records += 1
        unnamed.replace(self._path)
        if self._file >= 0:
            os.close(self._file)
        self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND)
        self._of, self._appended = copy, 0

    def _discard(self) -> None:
        """No snapshot is better than one that lacks a revoke."""
        self._of = None
        with contextlib.suppress(OSError):
            self._path.unlink()


def read_snapshot(path: Path) -> tuple[Copy, float] | None:
    """Read the host's snapshot and its age in seconds; None if there is none. A torn last line is left out."""
    try:
        with path.open("rb") as file:
            age_s = max(0.0, time.time() - os.fstat(file.fileno()).st_mtime)
            copy = Copy(Directory(), msgspec.json.decode(file.readline(), type=Position))
            for record in _records(iter(file)):
                copy.table.apply(record)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        log.warning("the directory's snapshot cannot be read: %s", error)
        return None
    return copy, age_s


def _records(lines: Iterator[bytes]) -> Iterator[Record]:
    for line in lines:
        if line.endswith(b"\n"):
            kind, _, record = line.partition(b" ")
            yield _DECODE[kind.decode()].decode(record)


def _line(record: Record) -> bytes:
    return _KIND_OF[type(record)].encode() + b" " + _encode(record) + b"\n"
