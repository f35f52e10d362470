"""A shipper beside a real Valkey: what reaches the stream, what is deleted, what a forgetful server gets again."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway import names
from gateway.journal_files import Bye, boots, lines_after, segment_path
from gateway.marks import place_after
from gateway.shipping import Shipper
from tests.gateway.journal_events import event, journal
from tests.gateway.stream import commit, events, ids, lines, messages


@pytest.fixture
def shipper(redis, tmp_path):
    return Shipper(tmp_path, redis, cap_bytes=64 << 20)


def files(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_whole_lines_go_with_their_place(redis, tmp_path, shipper):
    writer = journal(tmp_path)
    writer.append([event(), event()])
    shipper.ship()
    writer.append([event()])
    shipper.ship()
    first, second = messages(redis)
    assert (first[b"boot"], first[b"file"]) == (b"boot-a", b"boot-a-1.jsonl")
    assert (first[b"offset"], first[b"first_seq"], first[b"last_seq"]) == (b"0", b"1", b"2")
    assert int(second[b"offset"]) == len(first[b"lines"])
    assert (second[b"first_seq"], second[b"last_seq"]) == (b"3", b"3")
    assert [line.seq for line in events(redis)] == [1, 2, 3]


def test_a_beat_alone_spans_no_event(redis, tmp_path, shipper):
    writer = journal(tmp_path)
    writer.append([event()])
    shipper.ship()
    writer.beat()
    shipper.ship()
    assert (messages(redis)[1][b"first_seq"], messages(redis)[1][b"last_seq"]) == (b"2", b"1")


def test_nothing_new_sends_nothing(redis, tmp_path, shipper):
    journal(tmp_path).append([event()])
    assert shipper.ship() > 0
    assert shipper.ship() == 0
    assert len(messages(redis)) == 1


def test_a_torn_tail_waits_for_its_rest(redis, tmp_path, shipper):
    journal(tmp_path).append([event(), event()])
    path = segment_path(tmp_path, "boot-a", 1)
    whole = path.read_bytes()
    path.write_bytes(whole[:-40])
    shipper.ship()
    assert [line.seq for line in events(redis)] == [1]
    path.write_bytes(whole)
    shipper.ship()
    assert [line.seq for line in events(redis)] == [1, 2]


def test_a_torn_tail_that_was_given_up_does_not_hold_up_its_successor(redis, tmp_path, shipper):
    writer = journal(tmp_path, segment_bytes=500)
    for _ in range(3):
        writer.append([event()])
    with segment_path(tmp_path, "boot-a", 1).open("ab") as file:
        file.write(b'{"seq":2,"gate')
    shipper.ship()
    assert [line.seq for line in events(redis)] == [1, 2, 3]


def test_a_large_backlog_goes_in_batches_and_in_order(redis, tmp_path, shipper):
    writer = journal(tmp_path, segment_bytes=200_000)
    for _ in range(20):
        writer.append([event() for _ in range(100)])
    shipper.ship()
    assert [line.seq for line in events(redis)] == list(range(1, 2001))
    assert max(len(fields[b"lines"]) for fields in messages(redis)) <= 256 << 10


def test_the_end_of_a_dead_boot_is_told_once(redis, tmp_path, shipper):
    dying = journal(tmp_path)
    dying.append([event()])
    shipper.ship()
    shipper.tidy()
    assert b"dead" not in messages(redis)[-1]
    with segment_path(tmp_path, "boot-a", 1).open("ab") as file:
        file.write(b'{"seq":2,"torn')
    dying._segments.close()  # as the kernel does for a killed process: the lock is gone, no bye was written
    for _ in range(3):
        shipper.ship()
        shipper.tidy()
    assert [fields.get(b"dead") for fields in messages(redis)] == [None, b"1"]
    assert messages(redis)[-1][b"lines"] == b""
    assert messages(redis)[-1][b"last_seq"] == b"1"


def test_a_boot_that_said_goodbye_is_not_called_dead(redis, tmp_path, shipper):
    leaving = journal(tmp_path)
    leaving.append([event()])
    leaving.close()
    shipper.ship()
    shipper.tidy()
    assert isinstance(lines(redis)[-1], Bye)
    assert all(b"dead" not in fields for fields in messages(redis))


def test_segments_are_deleted_once_committed_and_never_the_one_in_use(redis, tmp_path, shipper):
    writer = journal(tmp_path, segment_bytes=500)
    for _ in range(4):
        writer.append([event()])
    shipper.ship()
    shipper.tidy()
    assert boots(tmp_path)["boot-a"] == [1, 2, 3, 4]
    redis.hset(names.COMMITTED, "boot-a", 2)
    shipper.tidy()
    assert boots(tmp_path)["boot-a"] == [3, 4]
    commit(redis)
    shipper.tidy()
    assert boots(tmp_path)["boot-a"] == [4]


def test_an_ended_boot_leaves_nothing_once_its_end_is_taken_in(redis, tmp_path, shipper):
    dying = journal(tmp_path)
    dying.append([event()])
    dying._segments.close()
    shipper.ship()
    shipper.tidy()
    redis.hset(names.COMMITTED, "boot-a", 1)
    shipper.tidy()
    assert files(tmp_path) != []  # the aggregator has not read the end yet
    commit(redis)
    shipper.tidy()
    assert files(tmp_path) == []
    assert redis.hlen(names.SHIPPED) == 0


def test_a_boot_that_died_before_its_first_line_leaves_nothing(redis, tmp_path, shipper):
    (tmp_path / "boot-a.lock").touch()
    shipper.ship()
    shipper.tidy()
    assert files(tmp_path) == []
    assert messages(redis) == []


def test_another_shipper_goes_on_where_the_first_was_killed(redis, tmp_path, shipper):
    writer = journal(tmp_path)
    writer.append([event()])
    shipper.ship()
    writer.append([event()])
    Shipper(tmp_path, redis, cap_bytes=64 << 20).ship()
    assert [line.seq for line in events(redis)] == [1, 2]


def test_a_send_that_was_taken_without_an_answer_is_not_sent_twice(redis, tmp_path, shipper):
    writer = journal(tmp_path)
    shipper.ship()
    writer.append([event()])
    late = Shipper(tmp_path, redis, cap_bytes=64 << 20)
    late.ship()  # the same bytes, from the same place, while the first still believes it is its turn
    assert shipper.ship() == 0
    writer.append([event()])
    shipper.ship()
    assert [line.seq for line in events(redis)] == [1, 2]


def test_an_emptied_server_gets_what_is_not_committed_again(redis, tmp_path, shipper):
    writer = journal(tmp_path, segment_bytes=1200)
    for _ in range(6):
        writer.append([event()])
    shipper.ship()
    redis.flushall()
    redis.hset(names.COMMITTED, "boot-a", 4)  # as the aggregator says it again, from PostgreSQL
    writer.append([event()])
    shipper.ship()
    shipper.tidy()
    shipper.ship()
    assert {line.seq for line in events(redis)} >= {5, 6, 7}
    assert {1, 2, 3}.isdisjoint(line.seq for line in events(redis))


def test_an_emptied_server_is_noticed_without_a_new_line(redis, tmp_path, shipper):
    journal(tmp_path).append([event()])
    shipper.ship()
    redis.flushall()
    shipper.tidy()
    shipper.ship()
    assert [line.seq for line in events(redis)] == [1]


def test_a_server_that_went_back_in_time_gets_exactly_what_it_lost(redis, tmp_path, shipper):
    writer = journal(tmp_path)
    writer.append([event()])
    shipper.ship()
    old = {name: redis.dump(name) for name in (names.USAGE_STREAM, names.SHIPPED)}
    writer.append([event(), event()])
    shipper.ship()
    for name, value in old.items():
        redis.restore(name, 0, value, replace=True)
    shipper.tidy()
    shipper.ship()
    assert [line.seq for line in events(redis)] == [1, 2, 3]


def test_a_stream_that_vanished_alone_is_shipped_again_once(redis, tmp_path, shipper):
    journal(tmp_path).append([event(), event()])
    shipper.ship()
    for _ in range(2):
        redis.delete(names.USAGE_STREAM)
        shipper.tidy()
        shipper.ship()
    assert messages(redis) == []  # the second time it is not for want of shipping


def test_at_its_cap_the_stream_stops_growing_and_nothing_is_skipped(redis, tmp_path):
    writer = journal(tmp_path, segment_bytes=300_000)
    for _ in range(30):
        writer.append([event() for _ in range(100)])
    capped = Shipper(tmp_path, redis, cap_bytes=400_000)
    while capped.ship():
        pass
    held = [line.seq for line in events(redis)]
    assert held == list(range(1, len(held) + 1))
    assert len(held) < 3000
    assert redis.memory_usage(names.USAGE_STREAM, samples=0) < 1_000_000
    taken = held
    for _ in range(20):
        commit(redis)
        capped.ship()
        taken += [line.seq for line in events(redis)]
    assert taken == list(range(1, 3001))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.integers(1, 5), min_size=1, max_size=12),
    st.integers(300, 3000),
    st.data(),
)
def test_any_cut_of_a_journal_gives_a_prefix_of_its_events(tmp_path_factory, redis, sizes, segment_bytes, data):
    """A process may be killed at any byte: what was whole arrives, in order, once; the rest was never answered."""
    redis.flushall()
    folder = tmp_path_factory.mktemp("journal")
    writer = journal(folder, segment_bytes=segment_bytes)
    for size in sizes:
        writer.append([event() for _ in range(size)])
    last = segment_path(folder, "boot-a", boots(folder)["boot-a"][-1])
    content = last.read_bytes()
    cut = data.draw(st.integers(0, len(content)))
    last.write_bytes(content[:cut])
    writer._segments.close()
    shipper = Shipper(folder, redis, cap_bytes=64 << 20)
    shipper.ship()
    shipper.tidy()
    shipped = [line.seq for line in events(redis)]
    assert shipped == list(range(1, len(shipped) + 1))
    assert len(shipped) >= sum(sizes) - content[cut:].count(b"\n")
    assert ids(redis) == [line.event_id for line in lines_after(folder, "boot-a", seq=0)]
    assert messages(redis)[-1].get(b"dead") == b"1"


@given(st.lists(st.integers(0, 3), min_size=1, max_size=10), st.integers(300, 2000), st.data())
@settings(max_examples=60, deadline=None)
def test_the_place_after_a_seq_leaves_out_no_later_line(tmp_path_factory, sizes, segment_bytes, data):
    folder = tmp_path_factory.mktemp("journal")
    writer = journal(folder, segment_bytes=segment_bytes)
    for size in sizes:
        writer.append([event() for _ in range(size)])
        writer.beat()
    seq = data.draw(st.integers(0, sum(sizes)))
    place = place_after(folder, "boot-a", seq)
    rest = b"".join(
        segment_path(folder, "boot-a", n).read_bytes()[place.offset if n == place.file else 0 :]
        for n in boots(folder)["boot-a"]
        if n >= place.file
    )
    assert rest.count(b'{"seq":') == sum(sizes) - seq
    assert rest.count(b'{"beat":') >= 1
