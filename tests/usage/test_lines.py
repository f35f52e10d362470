import msgspec
import pytest

from kit.ids import uuid7
from tests.usage.journal import BOOT, NOW, ago, beat, line, message, ms
from usage.lines import fault, misplaced, read_message


def test_events_and_beats_are_told_apart():
    first, second, alive = read_message(message([line(1), line(2), beat(2)]))
    assert (first.seq, second.seq, alive.seq) == (1, 2, 2)
    assert first.event and second.event and alive.beat and not alive.event


def test_a_broken_line_stands_where_the_next_event_would():
    entries = read_message(message([line(7), b'{"seq":8,"gate', line(9)]))
    assert [entry.seq for entry in entries] == [7, 8, 9]
    assert "JSON" in entries[1].fault or "data" in entries[1].fault


def test_a_broken_sign_of_life_takes_no_number_from_an_event():
    entries = read_message(message([line(1), line(2)]) | {b"lines": message([line(1), line(2), b"{beat"])[b"lines"]})
    assert [entry.seq for entry in entries] == [1, 2, 2]


@pytest.mark.parametrize("wrong", [{"clock": 1 << 60}, {"clock": -1}, {"seq": 1 << 60}])
def test_a_beat_out_of_range_is_a_fault(wrong):
    entry = read_message(message([msgspec.structs.replace(beat(0), **wrong)]))[0]
    assert entry.fault == "seq or clock is out of range"


def test_a_line_of_another_boot_is_a_fault():
    entry = read_message(message([line(1, boot="other")]))[0]
    assert "other" in entry.fault


def test_a_message_without_lines_is_kept_as_it_came():
    entry = read_message({b"boot": b"b", b"junk": b"\xff\x00"})[0]
    assert entry.fault and msgspec.json.decode(entry.raw) == {"boot": "b", "junk": "\\xff\\x00"}


def test_the_end_of_a_dead_journal_is_an_entry():
    assert read_message(message([], dead=True))[-1].dead


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"event_id": "3f0f6e1e-6d0b-4c39-9c0a-9d6f0f3b7a51"}, "event_id is not a UUIDv7"),
        ({"event_id": "nonsense"}, "event_id is not a UUIDv7"),
        ({"ts": ms(NOW) + 1}, "ts is not the instant of event_id"),
        ({"event_id": str(uuid7((1 << 48) - 1)), "ts": (1 << 48) - 1}, "ts is out of range"),
        ({"organization": ""}, "organization is not an id"),
        ({"key": "k1"}, "key is not an id"),
        ({"subscription": "x"}, "subscription is not an id"),
        ({"operation": "a" * 201}, "operation is longer than 200 characters"),
        ({"client_request_id": "a\0b"}, "client_request_id holds a NUL"),
        ({"count": 0}, "count is out of range"),
        ({"bytes_out": -1}, "bytes_out is out of range"),
        ({"bytes_in": 1 << 53}, "bytes_in is out of range"),
        ({"latency_ms": 1 << 31}, "latency_ms is out of range"),
        ({"status": 1000}, "status is out of range"),
        ({"units": {"tokens": -1}}, "a unit is out of range"),
        ({"units": {"to\0kens": 1}}, "a dimension or unit holds a NUL"),
        ({"dimensions": {"region": "e" * 1000}}, "dimensions are larger than 1000 bytes"),
    ],
)
def test_what_cannot_be_stored_is_a_fault(wrong, reason):
    assert fault(line(1, **wrong)) == reason


def test_what_can_be_stored_is_none():
    assert fault(line(1, subscription="", period_id="", plan_version="", api="", operation="", project="")) == ""
    assert fault(line(1, units={"tokens": 5}, dimensions={"region": "eu"}, call_id=str(uuid7()), part=3)) == ""


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        (NOW, ""),
        (ago(days=34, hours=23), ""),
        (ago(days=35, seconds=1), "older than 35 days"),
        (ago(minutes=-4), ""),
        (ago(minutes=-6), "more than 5 minutes in the future"),
    ],
)
def test_an_event_out_of_its_time_is_misplaced(at, reason):
    assert misplaced(line(1, at=at), now_ms=ms(NOW)) == reason


def test_a_line_has_one_digest_however_it_is_shipped():
    alone = read_message(message([b"{junk"]))[0]
    together = read_message(message([line(1), b"{junk", line(3)]))[1]
    assert alone.digest == together.digest
    assert alone.boot == BOOT
