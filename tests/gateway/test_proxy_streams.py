"""Bodies through the DRF door: streamed both ways, cut where they are cut, ended when the client leaves."""

import socket
import threading
import time

import pytest

from tests.gateway.door import a_door
from tests.gateway.fault_upstream import reply, silence, then_hang_up
from tests.gateway.stores import until

MB = 1 << 20


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with a_door(tmp_path_factory.mktemp("door")) as door:
        yield door


@pytest.fixture
def door(running):
    running.upstream.answers.clear()
    running.upstream.requests.clear()
    running.caller = running.new_caller()
    return running


def pouring(size, *, chunked):
    """Send `size` bytes as fast as they are taken; tells when it was cut."""
    stopped = threading.Event()

    def answer(connection, _):
        framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {size}"
        block = b"x" * 65536
        try:
            connection.sendall(f"HTTP/1.1 200 OK\r\n{framing}\r\n\r\n".encode())
            for _ in range(size // len(block)):
                connection.sendall(b"10000\r\n" + block + b"\r\n" if chunked else block)
            if chunked:
                connection.sendall(b"0\r\n\r\n")
        except OSError:
            stopped.set()
            raise

    return answer, stopped


@pytest.mark.parametrize("chunked", [False, True])
def test_50_mb_down_are_not_held_in_memory(door, chunked):
    door.upstream.answers["/v1/x"], _ = pouring(50 * MB, chunked=chunked)
    before = door.memory_peak_kb()
    got = door.get("/world/v1/x")
    assert (got.status, len(got.body)) == (200, 50 * MB)
    assert door.memory_peak_kb() - before < 10 * 1024
    event = door.event_of(got.header("x-request-id"))
    assert (event["bytes_out"], event["billable"]) == (50 * MB, True)


def test_a_slow_reader_slows_the_upstream_down(door):
    answer, _ = pouring(50 * MB, chunked=True)
    done = threading.Event()

    def finishing(connection, request):
        answer(connection, request)
        done.set()

    door.upstream.answers["/v1/x"] = finishing
    before = door.memory_peak_kb()
    with door.send("GET /world/v1/x HTTP/1.1") as link:
        link.recv(1000)
        assert not done.wait(1), "50 MB went somewhere though nobody reads"
    assert door.memory_peak_kb() - before < 20 * 1024


@pytest.mark.parametrize("known", [False, True])
def test_50_mb_up_are_not_held_in_memory(door, known):
    before = door.memory_peak_kb()
    blocks = (b"x" * 65536 for _ in range(50 * MB // 65536))
    headers = {"Content-Length": str(50 * MB)} if known else {}
    got = door.call("POST", "/world/v1/x", body=blocks, headers=headers)
    assert got.status == 200
    (seen,) = door.upstream.requests
    assert len(seen.body) == 50 * MB
    assert (seen.header("content-length") is not None) is known
    assert door.memory_peak_kb() - before < 20 * 1024
    assert door.event_of(got.header("x-request-id"))["bytes_in"] == 50 * MB


def test_pieces_are_passed_on_as_they_come(door):
    more = threading.Event()

    def drip(connection, _):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        connection.sendall(b"9\r\ndata: 1\n\n\r\n")
        more.wait(5)
        connection.sendall(b"9\r\ndata: 2\n\n\r\n0\r\n\r\n")

    door.upstream.answers["/v1/x"] = drip
    with door.send("GET /world/v1/x HTTP/1.1\nConnection: close") as link:
        got = b""
        while b"data: 1\n\n" not in got:
            got += link.recv(65536)
        assert door.events() == [], "nothing is written down before the end"
        more.set()
        while piece := link.recv(65536):
            got += piece
    assert got.endswith(b"data: 2\n\n\r\n0\r\n\r\n")
    assert door.last_event(1)["bytes_out"] == 18


# --- cut ---


@pytest.mark.parametrize(
    "start",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    ],
)
def test_an_answer_that_breaks_off_is_cut_and_never_looks_whole(door, start):
    door.upstream.answers["/v1/x"] = then_hang_up(start)
    with door.send("GET /world/v1/x HTTP/1.1") as link:
        got = b"".join(iter(lambda: link.recv(65536), b""))  # ends only because the connection is cut
    assert got.startswith(b"HTTP/1.1 200 OK\r\n") and b"abc" in got and not got.endswith(b"0\r\n\r\n")
    event = door.last_event(1)
    assert (event["status"], event["problem"], event["billable"]) == (200, "upstream_truncated", False)


def test_a_pause_that_is_too_long_is_a_cut(door):
    def stall(connection, request):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
        silence(connection, request)

    door.upstream.answers["/v1/x"] = stall
    began = time.monotonic()
    with door.send("GET /world/v1/x HTTP/1.1") as link:
        assert b"".join(iter(lambda: link.recv(65536), b"")).endswith(b"abc")
    assert 0.9 < time.monotonic() - began < 2
    assert door.last_event(1)["problem"] == "upstream_truncated"


# --- clients that leave ---


@pytest.mark.parametrize("chunked", [False, True])
def test_a_client_that_leaves_in_the_body_stops_the_upstream_within_a_second(door, chunked):
    door.upstream.answers["/v1/x"], stopped = pouring(500 * MB, chunked=chunked)
    with door.send("GET /world/v1/x HTTP/1.1") as link:
        link.recv(100_000)
    assert stopped.wait(1)
    event = door.last_event(1)
    assert (event["status"], event["billable"]) == (499, True)


def test_a_client_that_leaves_while_the_upstream_thinks_stops_it_within_a_second(door):
    cut = threading.Event()

    def think(connection, _):
        connection.settimeout(5)
        cut.set() if connection.recv(1) == b"" else None

    door.upstream.answers["/v1/slow"] = think
    with door.send("GET /world/v1/slow HTTP/1.1"):
        until(lambda: door.upstream.requests, within=2)
    assert cut.wait(0.45), "cut at once, not by the upstream's own timeout"
    event = door.last_event(1)
    assert (event["status"], event["accepted"], event["billable"]) == (499, True, True)


def test_a_client_that_leaves_in_its_upload_is_not_billed(door):
    with door.send("POST /world/v1/x HTTP/1.1\nContent-Length: 1000") as link:
        link.sendall(b"x" * 10)
        time.sleep(0.2)  # the head and these bytes are on their way to the upstream
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    event = door.last_event(1)
    assert (event["status"], event["bytes_in"], event["billable"]) == (499, 10, False)


# --- uploads that are answered early ---


def test_an_early_answer_reaches_a_client_that_is_still_sending(door):
    def early(connection, _):
        connection.sendall(reply(b"too big", status="413 Content Too Large"))

    door.upstream.answers["/v1/x"], door.upstream.read_bodies = early, False
    try:
        with door.send("POST /world/v1/x HTTP/1.1\nContent-Length: 100000000") as link:
            link.settimeout(5)
            got = b""
            while b"too big" not in got:
                link.sendall(b"x" * 10_000)
                link.setblocking(False)
                try:
                    got += link.recv(65536)
                except BlockingIOError:
                    time.sleep(0.005)
                link.settimeout(5)
    finally:
        door.upstream.read_bodies = True
    assert got.startswith(b"HTTP/1.1 413 ")


def test_a_body_is_asked_for_only_after_admission(door):
    expecting = "POST /world/v1/x HTTP/1.1\nContent-Length: 5\nExpect: 100-continue"
    with door.send(expecting, key=False) as link:
        assert link.recv(65536).startswith(b"HTTP/1.1 401 ")
    with door.send(expecting) as link:
        assert link.recv(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
        link.sendall(b"hello")
        assert link.recv(65536).startswith(b"HTTP/1.1 200 ")
    assert door.upstream.requests[-1].body == b"hello"


# --- the end of a process ---


def test_a_stop_lets_calls_finish_and_says_goodbye(tmp_path):
    with a_door(tmp_path) as door:
        go_on = threading.Event()

        def slow(connection, _):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc")
            go_on.wait(0.9)
            connection.sendall(b"def")

        door.upstream.answers["/v1/x"] = slow
        with door.send("GET /world/v1/x HTTP/1.1") as link:
            until(lambda: door.upstream.requests, within=2)
            door.process.terminate()
            got = b""
            while not got.endswith(b"def"):
                piece = link.recv(65536)
                assert piece, "the answer was cut by the stop"
                got += piece
        assert door.process.wait(15) == 0
        (journal,) = (tmp_path / "journal").glob("*.jsonl")
        *_, event, bye = journal.read_text().splitlines()
        assert '"status":200' in event and bye.startswith('{"bye":true')
