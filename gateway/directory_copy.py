"""One worker's copy of the directory, and what it concludes from each answer of the server. No I/O, no clock.

The log numbers its entries without gaps within an epoch, so a copy can tell by itself whether it has
seen everything (docs/decisions/0004-directory-log.md).
"""

from enum import Enum

import msgspec

from gateway.directory import Directory
from gateway.records import Record


class Position(msgspec.Struct, frozen=True):
    """How far a reader has followed: in which epoch, up to which entry, and that entry's number."""

    epoch: str = ""  # "": the server has none
    version: str = "0-0"
    n: int = 0


class Entry(msgspec.Struct, frozen=True):
    """One entry of the log; `record` is None for what is no record: an announcement, an epoch."""

    version: str
    n: int
    kind: str
    id: str
    body: bytes
    record: Record | None


class Changes(msgspec.Struct, frozen=True):
    """What the server says at one instant: its epoch, how many entries its log ever had, the next ones."""

    epoch: str
    count: int
    entries: list[Entry]
    more: bool = False  # there may be more entries than were read at once


class Verdict(Enum):
    FOLLOWED = "the copy has everything up to its position"
    OUTDATED = "something was missed, or a full publish took place: load the whole directory aside"
    EMPTIED = "the server is empty, or another: read its log again from the start"
    REGRESSED = "the server has lost entries that this copy has: nobody may load from it"


class Copy:
    """A table and how far it has followed. Entries are applied even over a gap: a rev only moves forward."""

    def __init__(self, table: Directory, position: Position) -> None:
        self.table = table
        self.position = position
        self.outdated = False  # stays True: only a fresh copy can be whole again

    def take(self, seen: Changes) -> Verdict:
        """Apply what was read after `position.version`, and say what it means."""
        was = self.position
        if was.epoch and not seen.epoch:
            self.position = Position()
            return Verdict.EMPTIED
        if seen.epoch == was.epoch and self._fewer(seen):
            if was.epoch:
                return Verdict.REGRESSED
            self.position = Position()
            return Verdict.EMPTIED
        whole = self._apply(seen)
        if whole and seen.epoch == was.epoch:
            return Verdict.FOLLOWED
        self.outdated = True
        return Verdict.OUTDATED

    def _fewer(self, seen: Changes) -> bool:
        """Within one epoch numbers only grow: a smaller one is told by a server that went back in time."""
        return seen.count < self.position.n or bool(seen.entries and seen.entries[0].n <= self.position.n)

    def _apply(self, seen: Changes) -> bool:
        """Apply the entries; return whether none is missing."""
        whole, n, version = True, self.position.n, self.position.version
        for entry in seen.entries:
            whole = whole and entry.n == n + 1
            n, version = entry.n, entry.version
            if entry.record is not None:
                self.table.apply(entry.record)
        self.position = Position(self.position.epoch, version, n)
        return whole and (seen.more or n == seen.count)
