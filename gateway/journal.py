"""The journal: every usage event is in this file before its call's last byte leaves.

One line per event, `{"seq", "gateway", "worker", "boot", …UsageEvent}`; `seq` counts the events of one boot
from 1 without gaps. Between them beats, at the end a bye. A line without its newline was never answered.
The shipper alone deletes segments (docs/decisions/0005-journal-files.md).
"""

import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from gateway.call import UsageEvent
from gateway.journal_files import Beat, Bye
from gateway.journal_segments import Segments
from gateway.settings import GatewaySettings

Read = TypeVar("Read")
SEGMENT_BYTES = 8 << 20
RESERVE_BYTES = 4 << 20
_sync = getattr(os, "fdatasync", os.fsync)  # macOS has only the one
LOOK_S = 1.0  # how often the keeper looks for room


class JournalFull(Exception):
    """The disk refused events even into the reserve; `written` of them, from the first on, are in the journal."""

    def __init__(self, written: int) -> None:
        super().__init__(f"the journal cannot be written; {written} events of this batch are in it")
        self.written = written


class Journal:
    """One boot's journal, open for appending until `close`. Every method may be called from any thread.

    `clock_ms` is the clock that events are stamped by (Redis time). Raises OSError if the folder cannot be used.
    """

    def __init__(
        self,
        folder: Path,
        *,
        gateway: str,
        worker: str,
        boot: str,
        clock_ms: Callable[[], int],
        cap_bytes: int = 1 << 30,
        segment_bytes: int = SEGMENT_BYTES,
        reserve_bytes: int = RESERVE_BYTES,
        write: Callable[[int, memoryview], int] = os.write,
    ) -> None:
        self.boot, self.seq = boot, 0
        self._gateway, self._worker = gateway, worker
        self._clock_ms, self._clock, self._cap_bytes = clock_ms, 0, cap_bytes
        self._lock = threading.Lock()
        self._encode = msgspec.json.Encoder().encode
        who = self._encode({"gateway": gateway, "worker": worker, "boot": boot})
        self._head = b"," + who[1:-1] + b","  # what every event says after its seq
        self._open: dict[int, int] = {}  # admission instant → calls in flight
        self._segments = Segments(
            folder, boot=boot, segment_bytes=segment_bytes, reserve_bytes=reserve_bytes, write=write
        )
        self._room, self._sick, self._synced = False, False, True
        self.look_for_room()
        self.beat()

    # --- calls ---

    def can_write(self) -> bool:
        """Whether a metered call may be admitted: there is room, and the reserve for calls in flight is whole."""
        return self._room and self._segments.reserved

    def opened(self, at_ms: int) -> int:
        """Register a call in flight; return the instant it must carry, and be closed with.

        That is `at_ms`, unless a beat has promised meanwhile that nothing so early will come.
        """
        with self._lock:
            at_ms = max(at_ms, self._clock)
            self._open[at_ms] = self._open.get(at_ms, 0) + 1
        return at_ms

    def closed(self, at_ms: int) -> None:
        """Forget a call in flight: its event is written, or there is none to write."""
        with self._lock:
            left = self._open.pop(at_ms) - 1
            if left:
                self._open[at_ms] = left

    def append(self, events: Sequence[UsageEvent], *, settle: Callable[[], None] | None = None) -> None:
        """Write events, in one write; when this returns, a kill -9 cannot lose them.

        `settle` runs right after the write, before anyone can `read` in between: give back or use up
        the calls' counter units there. Raises JournalFull; the events not written are not to be answered.
        """
        with self._lock:
            lines = b"".join(
                b'{"seq":%d' % seq + self._head + self._encode(event)[1:] + b"\n"
                for seq, event in enumerate(events, self.seq + 1)
            )
            whole = self._segments.append(lines)
            self._synced = False
            if whole < len(lines):
                self._room = False
                self.seq += lines.count(b"\n", 0, whole)
                raise JournalFull(lines.count(b"\n", 0, whole))
            self.seq += len(events)
            if settle:
                settle()

    def read(self, outstanding: Callable[[], Read]) -> tuple[int, Read]:
        """Return (last seq, outstanding()) as of one instant: no event is written between the two."""
        with self._lock:
            return self.seq, outstanding()

    # --- upkeep: the keeper's, every now and then ---

    def beat(self) -> None:
        """Write a sign of life, if there is room for more than calls in flight."""
        with self._lock:
            if self.can_write():
                self._clock = max(self._clock, min(self._open, default=self._clock_ms()))
                self._sign(Beat)

    def sync(self) -> None:
        """Bring what is written to the disk. Raises OSError."""
        with self._lock:
            if self._synced:
                return
            self._synced, descriptors = True, self._segments.take_unsynced()
        try:
            for descriptor in descriptors:
                _sync(descriptor)
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def distrust(self) -> None:
        """Admit no more calls for good: what was written may not be there."""
        self._sick, self._room = True, False

    def look_for_room(self) -> None:
        """Count what the shipper has not deleted yet, and restore the reserve where it was spent."""
        with self._lock:
            held = self._segments.held_bytes()
            self._room = not self._sick and held < self._cap_bytes and self._segments.restore_reserve()

    def close(self) -> None:
        """Say goodbye, sync, and let go of the lock. To be called once, when the last call has ended."""
        with self._lock:
            self._room = False
            self._clock = max(self._clock, self._clock_ms())
            self._sign(Bye)
        self.sync()
        self._segments.close()

    def _sign(self, sign: type[Beat | Bye]) -> None:
        line = sign(seq=self.seq, clock=self._clock, gateway=self._gateway, worker=self._worker, boot=self.boot)
        self._segments.append(self._encode(line) + b"\n")
        self._synced = False


class Keeper:
    """The thread that syncs, beats and looks for room while a journal is open."""

    def __init__(self, journal: Journal, *, fdatasync_s: float, heartbeat_s: float) -> None:
        self._journal = journal
        self._fdatasync_s, self._heartbeat_s = fdatasync_s, heartbeat_s
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="journal-keeper", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread, then close the journal."""
        self._ending.set()
        self._thread.join()
        self._journal.close()

    def _run(self) -> None:
        try:
            self._keep()
        except OSError:  # a failed sync has dropped pages that a second one would call written
            self._journal.distrust()
            raise

    def _keep(self) -> None:
        beaten = looked = 0.0
        while not self._ending.wait(self._fdatasync_s):
            beaten, looked = beaten + self._fdatasync_s, looked + self._fdatasync_s
            self._journal.sync()
            if looked >= LOOK_S:
                self._journal.look_for_room()
                looked = 0.0
            if beaten >= self._heartbeat_s:
                self._journal.beat()
                beaten = 0.0


def open_journal(
    settings: GatewaySettings, *, worker: str, boot: str, clock_ms: Callable[[], int]
) -> tuple[Journal, Keeper]:
    """Open this process's journal and keep it; end with `keeper.close()`. `boot` is new for every process."""
    journal = Journal(
        settings.journal_dir,
        gateway=settings.name,
        worker=worker,
        boot=boot,
        clock_ms=clock_ms,
        cap_bytes=settings.journal_cap_bytes,
    )
    return journal, Keeper(journal, fdatasync_s=settings.fdatasync_s, heartbeat_s=settings.heartbeat_s)
