"""A process that starts while Redis is away: what it serves, for how long, and what it may not bring back to life."""

import os
import stat
import time

import pytest

from gateway.call import Refusal
from gateway.directory import Directory
from gateway.directory_copy import Copy, Position
from gateway.directory_store import publish, publish_all
from gateway.follower import Follower
from gateway.snapshot import SnapshotKeeper, read_snapshot
from tests.gateway.directory_records import everything, key, organization
from tests.gateway.stores import settings_for, until


def copy_of(*records) -> Copy:
    table = Directory()
    for record in records:
        table.apply(record)
    return Copy(table, Position("epoch-1", "100-0", 7))


def kept(path, copy, *records) -> SnapshotKeeper:
    keeper = SnapshotKeeper(path)
    keeper.keep(copy, vouched=True, now=0.0)
    for record in records:
        copy.table.apply(record)
        keeper.note(record)
    keeper.keep(copy, vouched=True, now=0.1)
    return keeper


def same(one: Directory, other: Directory) -> bool:
    return list(one.records()) == list(other.records())


def test_it_holds_what_the_copy_holds_and_only_its_owner_reads_it(tmp_path):
    copy = copy_of(*everything())
    kept(tmp_path / "snapshot", copy)
    found, age_s = read_snapshot(tmp_path / "snapshot")
    assert same(found.table, copy.table)
    assert found.position == copy.position
    assert age_s < 5
    assert stat.S_IMODE((tmp_path / "snapshot").stat().st_mode) == 0o600


def test_a_change_is_appended_not_written_anew(tmp_path):
    copy = copy_of(*everything())
    keeper = kept(tmp_path / "snapshot", copy)
    inode = (tmp_path / "snapshot").stat().st_ino
    copy.table.apply(key(2, state="revoked"))
    keeper.note(key(2, state="revoked"))
    keeper.keep(copy, vouched=True, now=0.2)
    assert read_snapshot(tmp_path / "snapshot")[0].table.key("d1").state == "revoked"
    assert (tmp_path / "snapshot").stat().st_ino == inode


def test_after_many_changes_it_is_written_anew(tmp_path):
    copy = copy_of(*everything())
    keeper = kept(tmp_path / "snapshot", copy, *(organization(rev) for rev in range(2, 1200)))
    keeper.keep(copy, vouched=True, now=0.2)
    assert same(read_snapshot(tmp_path / "snapshot")[0].table, copy.table)
    assert len((tmp_path / "snapshot").read_bytes().splitlines()) == 1 + len(everything())


def test_a_torn_last_line_is_left_out(tmp_path):
    copy = copy_of(*everything())
    kept(tmp_path / "snapshot", copy)
    with (tmp_path / "snapshot").open("ab") as file:
        file.write(b'key {"id":"k')
    assert same(read_snapshot(tmp_path / "snapshot")[0].table, copy.table)


def test_its_age_counts_from_the_last_instant_the_server_vouched(tmp_path):
    copy = copy_of(*everything())
    keeper = kept(tmp_path / "snapshot", copy)
    os.utime(tmp_path / "snapshot", (time.time() - 600,) * 2)
    keeper.keep(copy, vouched=False, now=10.0)
    assert read_snapshot(tmp_path / "snapshot")[1] >= 600
    keeper.keep(copy, vouched=True, now=20.0)
    assert read_snapshot(tmp_path / "snapshot")[1] < 5


def test_one_process_keeps_it_and_another_takes_over(tmp_path):
    first, copy = kept(tmp_path / "snapshot", copy_of(*everything())), copy_of(organization())
    second = SnapshotKeeper(tmp_path / "snapshot")
    second.keep(copy, vouched=True, now=0.0)
    assert not same(read_snapshot(tmp_path / "snapshot")[0].table, copy.table)
    first.close()
    second.keep(copy, vouched=True, now=1.0)  # too early to look again
    second.keep(copy, vouched=True, now=6.0)
    assert same(read_snapshot(tmp_path / "snapshot")[0].table, copy.table)


def test_what_cannot_be_written_is_removed(tmp_path):
    copy = copy_of(*everything())
    keeper = kept(tmp_path / "snapshot", copy)
    os.close(keeper._file)
    keeper._file = os.open("/dev/full", os.O_WRONLY)
    keeper.note(key(2, state="revoked"))
    keeper.keep(copy, vouched=True, now=0.2)
    assert read_snapshot(tmp_path / "snapshot") is None


def test_no_snapshot_and_a_damaged_one_are_none(tmp_path):
    assert read_snapshot(tmp_path / "snapshot") is None
    (tmp_path / "snapshot").write_text("{}x\n")
    assert read_snapshot(tmp_path / "snapshot") is None


def test_a_process_that_starts_without_redis_serves_known_grants_and_no_revoked_key(mortal, tmp_path):
    settings = settings_for(mortal.url, tmp_path)
    publish_all(settings, [*everything(), key(id="key-2", digests=("d2",))])
    first = Follower(settings)
    first.start()
    publish(settings, [key(2, state="revoked")])
    path = tmp_path / "directory.snapshot"
    until(lambda: (found := read_snapshot(path)) and found[0].table.key("d1").state == "revoked", within=1.0)
    mortal.kill()
    first.stop()
    second = Follower(settings)
    second.start()
    try:
        assert second.table().key("d1").state == "revoked"
        assert second.table().key("d2").state == "active"
        mortal.restart()
        publish(settings, [key(2, id="key-2", digests=("d2",), state="revoked")])
        until(lambda: second.table().key("d2").state == "revoked", within=1.0)
    finally:
        second.stop()


def test_a_snapshot_that_is_too_old_serves_nobody(mortal, tmp_path):
    settings = settings_for(mortal.url, tmp_path, stale_max_s=900)
    path = tmp_path / "directory.snapshot"
    kept(path, copy_of(*everything())).close()
    mortal.kill()
    for age_s, served in ((890, True), (910, False)):
        os.utime(path, (time.time() - age_s,) * 2)
        follower = Follower(settings)
        follower.start()
        try:
            if served:
                assert follower.table().key("d1")
            else:
                with pytest.raises(Refusal, match="directory_stale"):
                    follower.table()
        finally:
            follower.stop()
    mortal.restart()
