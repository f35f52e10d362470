"""The synchronous driver: one event per ending, written before the piece that completes the answer."""

import threading
import time

import msgspec
import pytest

from gateway import flow, policies
from gateway.call import Refusal
from gateway.journal import JournalFull
from gateway.sync import begin
from gateway.upstream import ClientLeft, RequestBody, UpstreamCut
from tests.gateway.fake_engine import Stage
from tests.gateway.fault_upstream import FaultUpstream, reply, silence, then_hang_up
from tests.gateway.playbook import LIVE_KEY, NOW_MS, TEST_KEY


@pytest.fixture
def stage():
    with FaultUpstream() as upstream:
        stage = Stage(upstream)
        yield stage
        stage.upstreams.close()


def problem(answer):
    return msgspec.json.decode(b"".join(answer.body))["code"]


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"


# --- answers ---


def test_a_small_answer_is_whole_and_written_down_at_once(stage):
    answer = stage.call().answer()
    assert (answer.status, answer.body) == (200, [b"ok"])
    assert (stage.event.status, stage.event.bytes_out, stage.event.billable) == (200, 2, True)


def test_a_known_length_is_written_down_before_its_last_bytes(stage):
    stage.upstream.answers["/v1/x"] = reply(b"x" * 300_000)
    log = stage.records.log
    answer = stage.call().answer()
    for piece in answer.body:
        log.append(len(piece))
    *pieces, event, last = log
    assert sum(pieces) + last == 300_000 and event.bytes_out == 300_000
    answer.body.close()
    assert stage.event.status == 200


def test_an_unknown_length_is_written_down_before_its_end_is_told(stage):
    stage.upstream.answers["/v1/x"] = CHUNKED
    answer = stage.call().answer()
    body = iter(answer.body)
    assert (next(body), next(body)) == (b"abc", b"de")
    assert stage.records.events == []
    with pytest.raises(StopIteration):
        next(body)
    assert (stage.event.bytes_out, stage.event.billable) == (5, True)
    assert list(answer.body) == []


def test_an_upload_is_counted(stage):
    stage.call(method="POST", body=RequestBody(None, iter([b"ab", b"cde"]))).answer()
    assert (stage.event.bytes_in, stage.upstream.requests[0].body) == (5, b"abcde")


def test_nothing_is_asked_for_when_the_worker_knows_the_key(stage):
    stage.lookup.known_at_once = True
    stage.lookup.find = None
    assert stage.call().answer().status == 200


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"path": "/world/v1/.."}, 400, "bad_target"),
        ({"path": "/moon"}, 404, "api_unknown"),
        ({"key": ""}, 401, "key_missing"),
        ({"key": TEST_KEY}, 401, "key_invalid"),
        ({"path": "/world/v2"}, 404, "operation_unknown"),
    ],
)
def test_refusals(stage, fields, status, code):
    answer = stage.call(**fields).answer()
    assert (answer.status, problem(answer)) == (status, code)
    assert stage.records.open_calls == 0 and stage.upstream.requests == []


def test_a_refused_claim_is_not_forwarded(stage):
    stage.records.refusal = Refusal("quota_exceeded")
    assert problem(stage.call().answer()) == "quota_exceeded"
    assert stage.upstream.requests == []
    assert (stage.event.status, stage.event.accepted) == (429, False)


# --- faults of the upstream ---


def test_no_answer_is_told_and_not_billed(stage):
    stage.upstream.answers["/v1/x"] = then_hang_up(b"")
    assert problem(stage.call().answer()) == "upstream_unreachable"
    assert (stage.event.status, stage.event.accepted, stage.event.billable) == (502, True, False)


def test_a_body_that_breaks_off_at_once_is_told(stage):
    stage.upstream.answers["/v1/x"] = then_hang_up(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
    answer = stage.call().answer()
    assert (answer.status, problem(answer)) == (502, "upstream_truncated")
    assert (stage.event.status, stage.event.problem, stage.event.billable) == (502, "upstream_truncated", False)


@pytest.mark.parametrize(
    "start",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    ],
)
def test_a_body_that_breaks_off_later_cuts_the_client(stage, start):
    stage.upstream.answers["/v1/x"] = then_hang_up(start)
    answer = stage.call().answer()
    body = iter(answer.body)
    assert next(body) == b"abc"
    with pytest.raises(UpstreamCut):
        next(body)
    answer.body.close()
    assert (stage.event.status, stage.event.problem, stage.event.bytes_out) == (200, "upstream_truncated", 3)
    assert not stage.event.billable


# --- clients that leave ---


def test_a_client_that_leaves_in_the_body_is_billed_once(stage):
    stage.upstream.answers["/v1/x"] = reply(b"x" * 3_000_000)
    answer = stage.call().answer()
    next(iter(answer.body))
    answer.body.close()
    answer.body.close()
    assert (stage.event.status, stage.event.billable) == (499, True)
    assert 0 < stage.event.bytes_out < 3_000_000


def test_a_client_that_leaves_before_the_first_piece(stage):
    stage.upstream.answers["/v1/x"] = CHUNKED
    stage.call().answer().body.close()
    assert (stage.event.status, stage.event.bytes_out) == (499, 0)


def test_a_client_that_leaves_while_the_upstream_thinks_cuts_it_and_is_billed(stage):
    stage.upstream.answers["/v1/x"] = silence
    call = stage.call()
    threading.Timer(0.1, call.abandon).start()
    began = time.monotonic()
    call.answer()
    assert time.monotonic() - began < 1
    assert (stage.event.status, stage.event.accepted, stage.event.billable) == (499, True, True)


def test_a_client_that_is_gone_before_it_is_forwarded_costs_nothing(stage):
    call = stage.call()
    call.abandon()
    call.answer()
    assert stage.upstream.requests == []
    assert (stage.event.status, stage.event.accepted, stage.event.billable) == (499, False, False)


def test_a_client_that_breaks_off_its_upload_costs_nothing(stage):
    def body():
        yield b"x"
        raise ClientLeft

    answer = stage.call(method="POST", body=RequestBody(9, body())).answer()
    assert problem(answer) == "bad_request", "should it still be there after all, its body was broken"
    assert (stage.event.status, stage.event.accepted, stage.event.billable) == (499, True, False)


def test_a_client_that_leaves_while_the_first_bytes_are_awaited(stage):
    def stall(connection, request):
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        silence(connection, request)

    stage.upstream.answers["/v1/x"] = stall
    call = stage.call()
    threading.Timer(0.1, call.abandon).start()
    call.answer()
    assert (stage.event.status, stage.event.billable, stage.event.problem) == (499, True, "")


# --- faults of ours ---


def test_a_journal_that_is_full_answers_503(stage):
    stage.records.fails = JournalFull(0)
    assert problem(stage.call().answer()) == "metering_unavailable"
    assert stage.records.open_calls == 0


def test_a_journal_that_fills_up_in_a_long_answer_cuts_it(stage):
    stage.upstream.answers["/v1/x"] = CHUNKED
    body = iter(stage.call().answer().body)
    assert (next(body), next(body)) == (b"abc", b"de")
    stage.records.fails = JournalFull(0)
    with pytest.raises(JournalFull):
        next(body)


def test_a_flow_that_dies_is_a_500_with_its_one_event(stage, monkeypatch, caplog):
    monkeypatch.setattr(flow, "admit", lambda *_: 1 / 0)
    answer = stage.call().answer()
    assert (answer.status, problem(answer)) == (500, "internal_error")
    assert (stage.event.status, stage.event.problem, stage.event.billable) == (500, "internal_error", False)
    assert len([record for record in caplog.records if record.exc_info]) == 1


def test_a_flow_that_dies_without_a_key_leaves_no_event(stage, monkeypatch):
    monkeypatch.setattr(flow, "parsed", lambda *_: 1 / 0)
    assert problem(stage.call().answer()) == "internal_error"
    assert (stage.records.events, stage.records.open_calls) == ([], 0)


def test_a_flow_that_dies_at_its_end_still_leaves_its_event(stage, monkeypatch):
    monkeypatch.setattr(flow, "usage_event", lambda *_: 1 / 0)
    assert stage.call().answer().status == 200
    assert (stage.event.problem, stage.event.billable) == ("internal_error", False)


def test_a_policy_that_breaks_lets_the_upstream_go(stage, monkeypatch):
    def breaks(headers, case):
        raise ZeroDivisionError

    monkeypatch.setattr(policies, "ON_REPLY", (breaks,))
    for _ in range(60):
        assert problem(stage.call().answer()) == "internal_error"
    assert {(event.status, event.billable) for event in stage.records.events} == {(500, False)}


def test_a_call_begins_at_the_instant_the_journal_gives(stage):
    call = begin(
        stage.engine,
        RequestBody(),
        method="GET",
        path="/world/v1/x",
        query="",
        headers=[("host", "a"), ("x-api-key", LIVE_KEY)],
        client="192.0.2.1",
    )
    assert (call.call.at_ms, call.answer().status, stage.event.ts) == (NOW_MS, 200, NOW_MS)
