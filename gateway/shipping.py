"""Carries journals into the usage stream, and deletes what PostgreSQL holds.

The server's mark of each boot is the truth about what was shipped; a send is accepted only from there. So a
shipper may be killed at any line, and a server may forget: what it forgot is shipped again from the committed
seq. Duplicates are harmless, losses are not (docs/decisions/0005-journal-files.md).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import msgspec
from redis import Redis

from gateway import names
from gateway.journal_files import boots, is_live, lock_path, reserve_path, segment_path, whole_lines
from gateway.marks import Mark, is_bye, last_line, last_seq, place_after, read_mark, span

BATCH_BYTES = 256 << 10
_SHIP = (Path(__file__).parent / "ship.lua").read_text()


class Truth(msgspec.Struct, frozen=True):
    """What the server says at one instant of the boots in this folder."""

    marks: Mapping[str, str]  # "" where it has none
    committed: Mapping[str, int]  # last seq that PostgreSQL holds; 0 where it has told none
    entries: int  # in the stream


NOTHING = Truth({}, {}, 0)


class Shipper:
    """One folder's. Every method may raise redis.RedisError; then `forget`, and begin again."""

    def __init__(self, folder: Path, client: Redis, *, cap_bytes: int) -> None:
        self._folder, self._client, self._cap_bytes = folder, client, cap_bytes
        self._script = client.register_script(_SHIP)
        self._told: dict[str, str] = {}  # boot → the server's mark as last heard
        self._from: dict[str, Mark] = {}  # boot → where to go on; behind the server's mark when it has lost lines
        self._again: dict[str, int] = {}  # boot → committed seq that its lines were shipped from once more
        self._room = 0

    def forget(self) -> None:
        """Believe nothing: a send without an answer may have been taken."""
        self._told.clear()
        self._from.clear()
        self._room = 0

    def ship(self) -> int:
        """Ship every whole line that is new; return how many bytes went. Stops while the stream is at its cap."""
        found = boots(self._folder)
        self._learn([boot for boot in found if boot not in self._from])
        return sum(self._ship_boot(boot, numbers) for boot, numbers in found.items())

    def tidy(self) -> None:
        """Notice boots that died, lines that the server lost, and segments that are no longer needed."""
        found = boots(self._folder)
        truth = self._ask(list(found)) if found else NOTHING
        for boot, numbers in found.items():
            live = is_live(self._folder, boot)
            if not numbers and not live:
                lock_path(self._folder, boot).unlink()  # died before its first line
                continue
            if truth.marks[boot] != self._told.get(boot) or self._swallowed(boot, self._from[boot], truth):
                self._begin(boot, truth)
            elif not live and not self._from[boot].ended:
                self._end(boot)
            self._delete(boot, numbers, committed=truth.committed[boot])

    # --- shipping ---

    def _ship_boot(self, boot: str, numbers: Sequence[int]) -> int:
        """Ship one boot's segments as they were listed: one that had a successor by then is final."""
        shipped = 0
        for n in (n for n in numbers if n >= self._from[boot].file):
            path, mark = segment_path(self._folder, boot, n), self._from[boot]
            offset = mark.offset if n == mark.file else 0
            while path.stat().st_size > offset:
                if not self._has_room():
                    return shipped
                lines = whole_lines(path, offset=offset, limit=BATCH_BYTES)
                if not lines:
                    break  # a torn tail; if there is a successor, it was given up
                if not self._send(boot, path.name, offset, lines, n=n):
                    return shipped
                offset += len(lines)
                shipped += len(lines)
        return shipped

    def _send(self, boot: str, file: str, offset: int, lines: bytes, *, n: int) -> bool:
        seqs = span(lines)
        self._room -= len(lines)
        mark = Mark(n, offset + len(lines), seqs[1], ended=is_bye(last_line(lines)))
        return self._put(boot, file, offset, lines, seqs, mark)

    def _end(self, boot: str) -> None:
        """Ship the rest of a dead boot, then say that it is dead; a torn last line was never answered."""
        numbers = boots(self._folder)[boot]
        self._ship_boot(boot, numbers)
        mark = self._from[boot]
        if mark.ended or any(self._unshipped(boot, n) for n in numbers if n >= mark.file):
            return
        file = segment_path(self._folder, boot, mark.file).name
        end = Mark(mark.file, mark.offset, mark.seq, ended=True)
        self._put(boot, file, mark.offset, b"", (mark.seq + 1, mark.seq), end, dead=True)

    def _unshipped(self, boot: str, n: int) -> bool:
        mark = self._from[boot]
        offset = mark.offset if n == mark.file else 0
        return bool(whole_lines(segment_path(self._folder, boot, n), offset=offset))

    def _put(
        self, boot: str, file: str, offset: int, lines: bytes, seqs: tuple[int, int], mark: Mark, *, dead: bool = False
    ) -> bool:
        """Send one message; False if the server's mark is not what we believed: begin again from it."""
        fields: dict[str, str | int | bytes] = {
            "file": file,
            "offset": offset,
            "first_seq": seqs[0],
            "last_seq": seqs[1],
            "lines": lines,
        }
        if dead:
            fields["dead"] = "1"
        args = [boot, self._told[boot], mark.written(), *(part for pair in fields.items() for part in pair)]
        taken, said = self._script(keys=[names.USAGE_STREAM, names.SHIPPED], args=args)
        if not taken:
            del self._told[boot], self._from[boot]
            self._learn([boot])
            return False
        self._told[boot] = said.decode()
        self._from[boot] = read_mark(self._told[boot])
        return True

    def _has_room(self) -> bool:
        """Whether the stream may grow: beyond its cap the journal is the buffer."""
        if self._room <= 0:
            used = self._client.memory_usage(names.USAGE_STREAM, samples=50) or 0
            self._room = min(self._cap_bytes - used, 16 * BATCH_BYTES)
        return self._room > 0

    # --- what the server says ---

    def _learn(self, unknown: list[str]) -> None:
        if unknown:
            truth = self._ask(unknown)
            for boot in unknown:
                self._begin(boot, truth)

    def _ask(self, asked: list[str]) -> Truth:
        with self._client.pipeline(transaction=True) as pipe:
            pipe.hmget(names.SHIPPED, asked)
            pipe.hmget(names.COMMITTED, asked)
            pipe.xlen(names.USAGE_STREAM)
            marks, committed, entries = pipe.execute()
        return Truth(
            {boot: (mark or b"").decode() for boot, mark in zip(asked, marks, strict=True)},
            {boot: int(seq or 0) for boot, seq in zip(asked, committed, strict=True)},
            cast("int", entries),
        )

    def _begin(self, boot: str, truth: Truth) -> None:
        """Go on from the server's mark; without one, or when what was shipped is gone, from what is committed."""
        text, committed = truth.marks[boot], truth.committed[boot]
        self._told[boot] = text
        if text and not self._swallowed(boot, read_mark(text), truth):
            self._from[boot] = read_mark(text)
        else:
            self._from[boot] = place_after(self._folder, boot, committed)
            self._again[boot] = committed

    def _swallowed(self, boot: str, mark: Mark, truth: Truth) -> bool:
        """Whether lines that were shipped are neither in the stream nor committed: entries go after the commit.

        Once per committed seq: what is not committed the second time is not for want of shipping.
        """
        committed = truth.committed[boot]
        return truth.entries == 0 and committed < mark.seq and self._again.get(boot) != committed

    # --- deleting ---

    def _delete(self, boot: str, numbers: Sequence[int], *, committed: int) -> None:
        """Delete a live boot's segments that are shipped and committed, and an ended boot whole once that is known."""
        mark = self._from[boot]
        if mark.ended:
            if committed >= mark.seq and not self._client.xrange(names.USAGE_STREAM, mark.entry, mark.entry):
                self._bury(boot, numbers)
            return
        for n in numbers:
            path = segment_path(self._folder, boot, n)
            if n >= mark.file or last_seq(path) > committed:
                return
            path.unlink()

    def _bury(self, boot: str, numbers: Sequence[int]) -> None:
        for n in numbers:
            segment_path(self._folder, boot, n).unlink()
        reserve_path(self._folder, boot).unlink(missing_ok=True)
        lock_path(self._folder, boot).unlink(missing_ok=True)
        self._client.hdel(names.SHIPPED, boot)
        del self._told[boot], self._from[boot]
