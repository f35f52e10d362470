"""Exchanges with real sockets: what goes out, what comes back, and every way it can break."""

import contextlib
import threading
import time

import pytest

from gateway.call import Refusal
from gateway.upstream import ClientLeft, RequestBody, UpstreamCut, Upstreams
from tests.gateway.fault_upstream import FaultUpstream, reply, silence, then_hang_up, then_reset
from tests.gateway.upstream_calls import exchange, forward, get, refused, whole


@pytest.fixture
def upstream():
    with FaultUpstream() as server:
        yield server


@pytest.fixture
def upstreams(upstream):
    upstreams = Upstreams(frozenset({upstream.place}))
    yield upstreams
    upstreams.close()


# --- what goes out ---


def test_a_request_goes_out_as_it_was_decided(upstream, upstreams):
    request = forward(
        upstream,
        "/v1/a%20b;x?q=%2F&q=2",
        headers=[("accept", "a"), ("accept", "b"), ("x-latin", "caf\xe9")],
        base_url=f"{upstream.url}/base",
    )
    head, body = get(upstreams, request)
    assert (head.status, head.reason, body) == (200, "OK", b"ok")
    (seen,) = upstream.requests
    assert seen.line == "GET /base/v1/a%20b;x?q=%2F&q=2 HTTP/1.1"
    assert seen.headers == [("host", upstream.place), ("accept", "a"), ("accept", "b"), ("x-latin", "caf\xe9")]


@pytest.mark.parametrize(
    ("method", "length", "framing"),
    [
        ("POST", 5, ("content-length", "5")),
        ("POST", None, ("transfer-encoding", "chunked")),
        ("GET", 5, ("content-length", "5")),
        ("POST", 0, ("content-length", "0")),
    ],
)
def test_bodies_are_framed_as_they_came(upstream, upstreams, method, length, framing):
    chunks = [] if length == 0 else [b"he", b"", b"llo"]
    started = exchange(upstreams, forward(upstream, method=method), RequestBody(length, iter(chunks)))
    started.start()
    whole(started)
    (seen,) = upstream.requests
    assert (seen.body, seen.header(framing[0])) == (b"".join(chunks), framing[1])
    assert (started.accepted, started.request_whole, started.bytes_in) == (True, True, len(seen.body))


# --- what comes back ---


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (reply(b"x" * 200_000), b"x" * 200_000),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", b"abcde"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nTrailer: x\r\n\r\n", b""),
        (reply(b"", status="204 No Content", length=False), b""),
        (reply(b"\x1f\x8bnot really gzip", "Content-Encoding: gzip"), b"\x1f\x8bnot really gzip"),
        (b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + reply(b"last"), b"last"),
    ],
)
def test_answers_come_back_as_they_are(upstream, upstreams, answer, body):
    upstream.answers["/"] = answer
    assert get(upstreams, forward(upstream))[1] == body
    assert get(upstreams, forward(upstream))[1] == body
    assert upstream.connections == 1, "the connection is kept"


def test_an_answer_that_ends_with_the_connection(upstream, upstreams):
    upstream.answers["/"] = then_hang_up(b"HTTP/1.0 200 OK\r\nX-Twice: 1\r\nx-twice: 2\r\n\r\nold style")
    head, body = get(upstreams, forward(upstream))
    assert (head.headers, body) == ([("x-twice", "1"), ("x-twice", "2")], b"old style")


def test_head_has_a_length_and_no_body(upstream, upstreams):
    upstream.answers["/"] = reply(b"", "Content-Length: 12345", length=False)
    head, body = get(upstreams, forward(upstream, method="HEAD"))
    assert (head.headers, body) == ([("content-length", "12345")], b"")


def test_redirects_are_passed_on(upstream, upstreams):
    upstream.answers["/"] = reply(b"", "Location: http://169.254.169.254/", status="307 Temporary Redirect")
    head, _ = get(upstreams, forward(upstream, headers=[("x-secret", "s")]))
    assert (head.status, len(upstream.requests)) == (307, 1)


def test_bytes_are_passed_on_as_they_arrive(upstream, upstreams):
    more = threading.Event()

    def drip(connection, _):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\none")
        more.wait(5)
        connection.sendall(b"two")

    upstream.answers["/"] = drip
    started = exchange(upstreams, forward(upstream))
    started.start()
    assert started.read() == b"one"
    more.set()
    assert whole(started) == b"two"


# --- faults ---


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (then_reset(b""), "upstream_unreachable"),
        (then_hang_up(b""), "upstream_unreachable"),
        (b"HTTP/1.1 OK\r\n\r\n", "upstream_invalid"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "upstream_invalid"),
        (reply(b"", status="999 Odd"), "upstream_invalid"),
        (reply(b"", status="101 Switching Protocols"), "upstream_invalid"),
        (b"HTTP/1.1 103 Early Hints\r\n\r\n" * 20, "upstream_invalid"),
        (reply(b"", "Content-Length: 3", "Content-Length: 4", length=False), "upstream_invalid"),
        (reply(b"ok", "Content-Length: 2"), "upstream_invalid"),
        (reply(b"", "Content-Length: +2", length=False), "upstream_invalid"),
        (reply(b"", "Content-Length: 010", length=False), "upstream_invalid"),
        (reply(b"ok", "Transfer-Encoding: chunked"), "upstream_invalid"),
        (reply(b"", "Transfer-Encoding: gzip, chunked", length=False), "upstream_invalid"),
        (reply(b"", "X-Folded: a", " b"), "upstream_invalid"),
        (reply(b"", "X-Nul: a\0b"), "upstream_invalid"),
        (reply(b"", "X Space: a"), "upstream_invalid"),
        (reply(b"", "X-Space : a"), "upstream_invalid"),
        (reply(b"", "no colon"), "upstream_invalid"),
        (reply(b"", *(f"X-{n}: 1" for n in range(200))), "upstream_invalid"),
        (reply(b"", "X-Long: " + "a" * 70_000), "upstream_invalid"),
    ],
)
def test_answers_that_are_none(upstream, upstreams, answer, code):
    upstream.answers["/"] = answer
    told, started = refused(upstreams, forward(upstream))
    assert (told, started.accepted, started.request_whole) == (code, True, True)


def test_nobody_listens(upstreams, upstream):
    request = forward(upstream)
    upstream.__exit__()
    code, started = refused(upstreams, request)
    assert (code, started.accepted) == ("upstream_unreachable", False)


def test_an_upstream_that_says_nothing_is_a_timeout(upstream, upstreams):
    upstream.answers["/"] = silence
    began = time.monotonic()
    code, started = refused(upstreams, forward(upstream, first_byte_s=0.2))
    assert (code, started.accepted) == ("upstream_timeout", True)
    assert 0.18 <= time.monotonic() - began < 1


@pytest.mark.parametrize(
    "answer",
    [
        then_hang_up(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"),
        then_reset(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"),
        then_hang_up(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"),
        then_hang_up(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n5\r\nab"),
        then_hang_up(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n"),
        then_hang_up(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
    ],
)
def test_an_answer_that_breaks_off_is_never_taken_for_whole(upstream, upstreams, answer):
    upstream.answers["/"] = answer
    started = exchange(upstreams, forward(upstream))
    started.start()
    with pytest.raises(UpstreamCut):
        whole(started)
    started.close()
    upstream.answers.clear()
    assert get(upstreams, forward(upstream))[1] == b"ok"
    assert upstream.connections == 2, "a broken connection is not kept"


def test_silence_in_the_middle_of_an_answer(upstream, upstreams):
    def stall(connection, request):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
        silence(connection, request)

    upstream.answers["/"] = stall
    started = exchange(upstreams, forward(upstream, between_bytes_s=0.2))
    started.start()
    with pytest.raises(UpstreamCut):
        whole(started)
    started.close()


def test_a_waiting_exchange_can_be_cut_from_another_thread(upstream, upstreams):
    upstream.answers["/"] = silence
    started = exchange(upstreams, forward(upstream))
    threading.Timer(0.1, started.abort).start()
    with pytest.raises(Refusal):
        started.start()
    started.close()


@pytest.mark.parametrize("aborted", [False, True])
@pytest.mark.parametrize("framing", ["Content-Length: 500000000", "X-Ends: with the connection"])
def test_an_answer_that_is_left_stops_the_upstream_at_once(upstream, upstreams, framing, aborted):
    stopped = threading.Event()

    def pour(connection, _):
        try:
            connection.sendall(f"HTTP/1.1 200 OK\r\n{framing}\r\n\r\n".encode())
            while True:
                connection.sendall(b"x" * 65536)
        except OSError:
            stopped.set()
            raise

    upstream.answers["/"] = pour
    started = exchange(upstreams, forward(upstream))
    started.start()
    started.read()
    if aborted:
        started.abort()
        with contextlib.suppress(UpstreamCut):
            while started.read():
                pass
    started.close()
    assert stopped.wait(1), "a mere FIN leaves it waiting for room in a window that never opens"


# --- uploads ---


def test_an_answer_before_the_upload_ends_is_passed_on(upstream, upstreams):
    def early(connection, _):
        connection.sendall(reply(b"too big", status="413 Content Too Large"))

    upstream.answers["/"], upstream.read_bodies = early, False
    sent = []

    def body():
        for _ in range(1000):
            sent.append(1)
            time.sleep(0.002)
            yield b"x" * 1000

    started = exchange(upstreams, forward(upstream, method="POST"), RequestBody(1_000_000, body()))
    assert started.start().status == 413
    assert whole(started) == b"too big"
    assert not started.request_whole and len(sent) < 1000
    assert get(upstreams, forward(upstream, "/next", method="GET"))[1] == b"ok"
    assert upstream.connections == 2, "half a request is left on the old connection"


@pytest.mark.parametrize("length", [100, None])
def test_a_client_that_breaks_off_its_upload(upstream, upstreams, length):
    def body():
        yield b"x" * 10
        raise ClientLeft

    started = exchange(upstreams, forward(upstream, method="POST"), RequestBody(length, body()))
    with pytest.raises(ClientLeft):
        started.start()
    started.close()
    assert (started.accepted, started.request_whole, started.bytes_in) == (True, False, 10)


def test_a_body_shorter_than_promised_is_a_client_that_left(upstream, upstreams):
    started = exchange(upstreams, forward(upstream, method="POST"), RequestBody(100, iter([b"x"])))
    with pytest.raises(ClientLeft):
        started.start()
    started.close()
