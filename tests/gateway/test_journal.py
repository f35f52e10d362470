"""The journal as a file: what is in it after each thing that can happen to a writer."""

import errno
import os
from pathlib import Path

import pytest

from gateway.journal import JournalFull, Keeper
from gateway.journal_files import Beat, Bye, Line, boots, is_live, lines_after, read_line, segment_path, whole_lines
from tests.gateway.journal_events import AT_MS, event, journal
from tests.gateway.stores import until


def written(folder, boot: str = "boot-a") -> list[Line | Beat | Bye]:
    """Every whole line of a boot, decoded."""
    found = []
    for n in boots(folder)[boot]:
        found += [read_line(text) for text in whole_lines(segment_path(folder, boot, n), offset=0).splitlines()]
    return found


def events(folder, boot: str = "boot-a") -> list[Line]:
    return [line for line in written(folder, boot) if isinstance(line, Line)]


def test_an_event_is_one_line_with_its_place(tmp_path):
    told = event(units={"kb": 3})
    journal(tmp_path).append([told])
    (line,) = events(tmp_path)
    assert (line.seq, line.gateway, line.worker, line.boot) == (1, "local", "w0", "boot-a")
    assert {name: getattr(line, name) for name in told.__struct_fields__} == {
        name: getattr(told, name) for name in told.__struct_fields__
    }


def test_seq_counts_events_without_gaps_over_segments(tmp_path):
    small = journal(tmp_path, segment_bytes=2000)
    for size in (1, 3, 2, 5, 1):
        small.append([event() for _ in range(size)])
    assert [line.seq for line in events(tmp_path)] == list(range(1, 13))
    assert len(boots(tmp_path)["boot-a"]) > 1


def test_a_boot_is_live_from_its_first_line_to_its_close(tmp_path):
    open_one = journal(tmp_path)
    assert is_live(tmp_path, "boot-a")
    assert not is_live(tmp_path, "boot-b")
    open_one.close()
    assert not is_live(tmp_path, "boot-a")


def test_a_beat_promises_nothing_earlier_than_the_oldest_call_in_flight(tmp_path):
    now = [AT_MS]
    beating = journal(tmp_path, clock_ms=lambda: now[0])
    old = beating.opened(AT_MS + 5)
    young = beating.opened(AT_MS + 9)
    now[0] = AT_MS + 1000
    beating.beat()
    beating.append([event(old)])
    beating.closed(old)
    beating.beat()
    beating.closed(young)
    beating.beat()
    beats = [(line.seq, line.clock) for line in written(tmp_path) if isinstance(line, Beat)]
    assert beats == [(0, AT_MS), (0, AT_MS + 5), (1, AT_MS + 9), (1, AT_MS + 1000)]


def test_a_call_may_not_be_older_than_what_a_beat_promised(tmp_path):
    now = [AT_MS + 1000]
    beating = journal(tmp_path, clock_ms=lambda: now[0])
    assert beating.opened(AT_MS) == AT_MS + 1000
    assert beating.opened(AT_MS + 2000) == AT_MS + 2000


def test_two_calls_of_one_millisecond_are_two(tmp_path):
    beating = journal(tmp_path, clock_ms=lambda: AT_MS + 50)
    assert beating.opened(AT_MS + 60) == beating.opened(AT_MS + 60)
    beating.closed(AT_MS + 60)
    beating.append([])
    beating.beat()
    assert written(tmp_path)[-1].clock == AT_MS + 60


def test_goodbye_is_the_last_line_and_leaves_no_reserve(tmp_path):
    ending = journal(tmp_path)
    ending.append([event()])
    ending.close()
    assert isinstance(written(tmp_path)[-1], Bye)
    assert written(tmp_path)[-1].seq == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["boot-a-1.jsonl", "boot-a.lock"]


def test_short_writes_are_finished(tmp_path):
    slow = journal(tmp_path, write=lambda fd, view: os.write(fd, view[:7]))
    slow.append([event(), event()])
    assert [line.seq for line in events(tmp_path)] == [1, 2]


class Disk:
    """A disk with so many bytes left; the reserve gives back what it took."""

    def __init__(self, left: int, reserve) -> None:
        self.left, self.reserve = left, reserve

    def write(self, fd: int, view: memoryview) -> int:
        room = self.left + (0 if self.reserve.exists() else 3000)
        if room <= 0:
            raise OSError(errno.ENOSPC, "full")
        done = os.write(fd, view[:room])
        self.left -= done
        return done


def test_on_a_full_disk_calls_in_flight_finish_into_the_reserve(tmp_path):
    disk = Disk(2000, tmp_path / "boot-a.reserve")
    full = journal(tmp_path, write=disk.write)
    assert full.can_write()
    for _ in range(5):
        full.append([event()])
    assert len(events(tmp_path)) == 5
    assert not full.can_write()
    full.look_for_room()
    assert full.can_write()  # there is room on the real disk, so the reserve is back


def test_beyond_the_reserve_an_event_is_refused_whole(tmp_path):
    full = journal(tmp_path, write=Disk(2000, tmp_path / "boot-a.reserve").write)
    with pytest.raises(JournalFull) as refused:
        full.append([event() for _ in range(20)])
    kept = events(tmp_path)
    assert 0 < len(kept) == refused.value.written < 20
    assert not full.can_write()
    assert segment_path(tmp_path, "boot-a", 1).read_bytes().endswith(b"\n")  # the torn line was taken back


def test_after_a_full_disk_seq_goes_on_without_a_gap(tmp_path):
    disk = Disk(2000, tmp_path / "boot-a.reserve")
    full = journal(tmp_path, write=disk.write)
    with pytest.raises(JournalFull):
        full.append([event() for _ in range(20)])
    disk.left = 1 << 20
    full.append([event()])
    assert [line.seq for line in events(tmp_path)] == list(range(1, len(events(tmp_path)) + 1))


def test_at_its_cap_the_journal_admits_nothing_until_segments_are_deleted(tmp_path):
    capped = journal(tmp_path, cap_bytes=4000, segment_bytes=1000)
    capped.append([event() for _ in range(10)])
    capped.append([event()])
    capped.look_for_room()
    assert not capped.can_write()
    capped.append([event()])  # a call in flight
    segment_path(tmp_path, "boot-a", 1).unlink()
    capped.look_for_room()
    assert capped.can_write()


def test_settling_and_writing_are_one_instant_to_a_reader(tmp_path):
    counted, outstanding = journal(tmp_path), [3]

    def use_up():
        assert not counted._lock.acquire(blocking=False)
        outstanding[0] -= 1

    counted.append([event()], settle=use_up)
    assert counted.read(lambda: outstanding[0]) == (1, 2)


def test_a_refused_write_settles_nothing(tmp_path):
    full = journal(tmp_path, write=Disk(400, tmp_path).write, reserve_bytes=1)
    with pytest.raises(JournalFull):
        full.append([event()], settle=lambda: pytest.fail("settled without its event"))


def descriptors() -> int:
    return len(list(Path("/dev/fd").iterdir()))


def test_sync_closes_finished_segments_and_leaks_no_descriptor(tmp_path):
    before = descriptors()
    synced = journal(tmp_path, segment_bytes=500)
    for _ in range(5):
        synced.append([event()])
        synced.sync()
    assert descriptors() == before + 2  # the segment and the lock
    synced.close()
    assert descriptors() == before


def test_events_after_a_seq_are_read_in_order(tmp_path):
    small = journal(tmp_path, segment_bytes=2000)
    for _ in range(9):
        small.append([event()])
    assert [line.seq for line in lines_after(tmp_path, "boot-a", seq=5)] == [6, 7, 8, 9]
    assert list(lines_after(tmp_path, "boot-b", seq=0)) == []


def test_where_a_torn_line_cannot_be_taken_back_the_next_begins_a_new_segment(tmp_path, monkeypatch):
    disk = Disk(300, tmp_path)
    torn = journal(tmp_path, write=disk.write)
    monkeypatch.setattr(os, "ftruncate", lambda *_: (_ for _ in ()).throw(OSError(errno.EIO, "broken")))
    with pytest.raises(JournalFull):
        torn.append([event()])
    disk.left = 1 << 20
    torn.append([event()])
    assert not segment_path(tmp_path, "boot-a", 1).read_bytes().endswith(b"\n")
    assert [line.seq for line in events(tmp_path)] == [1]
    assert boots(tmp_path)["boot-a"] == [1, 2]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_failed_sync_ends_admission_for_good(tmp_path):
    sick = journal(tmp_path)
    sick._segments._fd = os.open("/dev/null", os.O_WRONLY)  # cannot be synced
    keeper = Keeper(sick, fdatasync_s=0.001, heartbeat_s=5)
    until(lambda: not sick.can_write(), within=2)
    sick.look_for_room()
    assert not sick.can_write()
    keeper._thread.join()


def test_the_keeper_beats_while_nothing_is_called(tmp_path):
    keeper = Keeper(journal(tmp_path), fdatasync_s=0.001, heartbeat_s=0.01)
    until(lambda: sum(isinstance(line, Beat) for line in written(tmp_path)) >= 3, within=2)
    keeper.close()
    assert isinstance(written(tmp_path)[-1], Bye)
