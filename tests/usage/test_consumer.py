from datetime import timedelta
from uuid import UUID

import pytest

from gateway.names import COMMITTED, USAGE_GROUP, USAGE_STREAM
from tests.usage.journal import BOOT, NOW, beat, line, message, ship
from usage.consumer import CONSUMER, consume, publish_committed
from usage.intake import Busy, Stored
from usage.models import DeadLetter, Producer, UsageEvent

pytestmark = pytest.mark.django_db(transaction=True)


def pending(stream) -> int:
    return stream.xpending(USAGE_STREAM, USAGE_GROUP)["pending"]


def test_a_batch_is_stored_then_acknowledged_then_forgotten(stream):
    ship(stream, [beat(0), line(1), line(2)])
    ship(stream, [line(3)])
    assert consume(stream, at=NOW) == Stored(fresh=3)
    assert stream.hgetall(COMMITTED) == {BOOT.encode(): b"3"}
    assert (stream.xlen(USAGE_STREAM), pending(stream)) == (0, 0)
    assert consume(stream, at=NOW) is None


def test_what_was_shipped_before_anyone_listened_is_taken_in(stream):
    ship(stream, [line(1)])
    assert consume(stream, at=NOW).fresh == 1


def test_what_another_process_left_pending_is_taken_first(stream):
    ship(stream, [line(1)])
    stream.xgroup_create(USAGE_STREAM, USAGE_GROUP, id="0")
    stream.xreadgroup(USAGE_GROUP, CONSUMER, {USAGE_STREAM: ">"})
    ship(stream, [line(2)])
    assert consume(stream, at=NOW) == Stored(fresh=2)
    assert pending(stream) == 0


def test_a_pending_message_that_was_deleted_is_let_go(stream):
    ship(stream, [line(1)])
    ship(stream, [line(2)])
    stream.xgroup_create(USAGE_STREAM, USAGE_GROUP, id="0")
    first = stream.xreadgroup(USAGE_GROUP, CONSUMER, {USAGE_STREAM: ">"})[0][1][0][0]
    stream.xdel(USAGE_STREAM, first)
    assert consume(stream, at=NOW) == Stored(fresh=1)
    assert pending(stream) == 0


def test_the_whole_stream_again_counts_nothing(stream):
    messages = [[line(3 * n + k) for k in range(1, 4)] for n in range(10)]
    for said in messages:
        ship(stream, said)
    assert consume(stream, at=NOW) == Stored(fresh=30)
    for said in reversed(messages):
        ship(stream, said)
    assert consume(stream, at=NOW) == Stored(repeated=30)


def test_a_gap_is_told_to_the_gateway_and_closes_when_it_is_shipped_again(stream):
    ship(stream, [line(1), line(2)])
    ship(stream, [line(5), line(6)])
    consume(stream, at=NOW)
    assert stream.hget(COMMITTED, BOOT) == b"2"
    assert UsageEvent.objects.count() == 4
    ship(stream, [line(3), line(4)])
    consume(stream, at=NOW)
    assert stream.hget(COMMITTED, BOOT) == b"6"


def test_a_message_nobody_can_read_does_not_stop_the_stream(stream):
    stream.xadd(USAGE_STREAM, {"hello": "world"})
    ship(stream, [b"garbage", line(2)])
    assert consume(stream, at=NOW) == Stored(fresh=1, dead=2)
    assert sorted(DeadLetter.objects.values_list("boot_id", flat=True)) == ["", BOOT]
    assert pending(stream) == 0


def test_a_stream_longer_than_a_batch_is_read_in_bounded_pieces(stream, monkeypatch):
    monkeypatch.setattr("usage.consumer.BATCH_BYTES", 10_000)
    for n in range(100):
        ship(stream, [line(n + 1)])
    rounds = []
    while stored := consume(stream, at=NOW):
        rounds.append(stored.fresh)
    assert sum(rounds) == 100
    assert max(rounds) <= 24


def test_while_another_process_stores_nothing_is_lost_or_acknowledged(stream, another_connection):
    ship(stream, [line(1)])
    another_connection.execute("SELECT pg_advisory_lock(%s)", [0x7467_0001])
    with pytest.raises(Busy):
        consume(stream, at=NOW)
    another_connection.execute("SELECT pg_advisory_unlock(%s)", [0x7467_0001])
    assert consume(stream, at=NOW) == Stored(fresh=1)


def test_an_empty_redis_learns_again_what_is_committed(stream):
    ship(stream, [line(1)])
    consume(stream, at=NOW)
    stream.delete(COMMITTED, USAGE_STREAM)
    publish_committed(stream, at=NOW)
    assert stream.hget(COMMITTED, BOOT) == b"1"
    assert consume(stream, at=NOW) is None


def test_boots_are_counted_each_by_itself(stream):
    for boot in ("a", "b"):
        ship(stream, [beat(0, boot=boot, clock=NOW), line(1, boot=boot)], boot=boot)
    consume(stream, at=NOW + timedelta(seconds=1))
    assert dict(Producer.objects.values_list("boot_id", "committed_seq")) == {"a": 1, "b": 1}


def test_the_message_is_what_the_shipper_writes():
    fields = message([line(4), line(5)])
    assert (fields[b"first_seq"], fields[b"last_seq"]) == (b"4", b"5")
    assert UUID(line(1).event_id).version == 7
