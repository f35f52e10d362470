"""Files of whole lines: what one boot writes, and what happens when the disk takes less than it was given.

Not thread-safe: the journal's lock is around every call.
"""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

from gateway.journal_files import boots, lock_path, reserve_path, segment_path

APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_EXCL


class Segments:
    """The files of one boot. Raises OSError if the folder cannot be used."""

    def __init__(
        self,
        folder: Path,
        *,
        boot: str,
        segment_bytes: int,
        reserve_bytes: int,
        write: Callable[[int, memoryview], int],
    ) -> None:
        self._folder, self._boot = folder, boot
        self._segment_bytes, self._reserve_bytes, self._write = segment_bytes, reserve_bytes, write
        self._unsynced: list[int] = []  # finished files, open until they are synced
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._flock = self._take_lock()
        self._n = 1
        self._fd = os.open(segment_path(folder, boot, 1), APPEND, 0o600)
        self._size = 0
        self._torn = False
        self.reserved = False  # whether the reserve is whole

    def append(self, lines: bytes) -> int:
        """Write whole lines; return how many bytes are in the file for good.

        Fewer than given: the disk is full even after the reserve was spent. What is returned ends at a
        line's end; a torn rest was taken back, so that the next line does not begin in its middle.
        """
        if self._size >= self._segment_bytes or self._torn:
            self._rotate()
        if self._torn:
            return 0
        done, view = 0, memoryview(lines)
        while done < len(lines):
            try:
                done += self._write(self._fd, view[done:])  # may be short: signal, almost full disk
            except OSError:
                if not self._spend_reserve():
                    return self._take_back(lines, done)
        self._size += done
        return done

    def held_bytes(self) -> int:
        """Sum what the shipper has not deleted yet."""
        held = 0
        for n in boots(self._folder).get(self._boot, []):
            try:
                held += segment_path(self._folder, self._boot, n).stat().st_size
            except FileNotFoundError:
                continue  # committed and deleted meanwhile
        return held

    def restore_reserve(self) -> bool:
        """Whether the disk space that calls in flight may finish into is set aside."""
        if self.reserved:
            return True
        path = reserve_path(self._folder, self._boot)
        try:
            with path.open("wb") as file:
                path.chmod(0o600)
                file.write(bytes(self._reserve_bytes))  # not every system can set space aside without writing it
        except OSError:
            path.unlink(missing_ok=True)
            return False
        self.reserved = True
        return True

    def take_unsynced(self) -> list[int]:
        """Hand over descriptors to sync and close: duplicates, for a rotation closes the number and it is reused."""
        taken, self._unsynced = self._unsynced, []
        return [*taken, os.dup(self._fd), os.open(self._folder, os.O_RDONLY)]

    def close(self) -> None:
        os.close(self._fd)
        reserve_path(self._folder, self._boot).unlink(missing_ok=True)
        os.close(self._flock)  # from here on a reader finds this boot dead

    def _take_lock(self) -> int:
        """Create the lock file locked: it gets its name only then, so nobody ever finds it without its lock."""
        path = lock_path(self._folder, self._boot)
        unnamed = path.with_name(f".{path.name}")
        fd = os.open(unnamed, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(fd, fcntl.LOCK_EX)
        unnamed.rename(path)
        return fd

    def _rotate(self) -> None:
        try:
            fd = os.open(segment_path(self._folder, self._boot, self._n + 1), APPEND, 0o600)
        except OSError:
            return  # a longer file is better than none
        self._unsynced.append(self._fd)
        self._fd, self._n, self._size, self._torn = fd, self._n + 1, 0, False

    def _spend_reserve(self) -> bool:
        if not self.reserved:
            return False
        reserve_path(self._folder, self._boot).unlink()
        self.reserved = False
        return True

    def _take_back(self, lines: bytes, done: int) -> int:
        whole = lines.rfind(b"\n", 0, done) + 1
        self._size += whole
        try:
            os.ftruncate(self._fd, self._size)
        except OSError:
            self._torn = True
        return whole
