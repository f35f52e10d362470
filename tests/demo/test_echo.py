"""The recording upstream, over real sockets."""

import hashlib
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from typing import Any

import pytest

from config.local.ports import LOOPBACK, free_port


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    port = free_port()
    child = subprocess.Popen([sys.executable, "-m", "demo.echo", "--port", str(port)])
    give_up = time.monotonic() + 20
    while not _listens(port):
        assert child.poll() is None
        assert time.monotonic() < give_up
        time.sleep(0.01)
    yield port
    child.terminate()
    assert child.wait(10) == 0


@pytest.fixture
def link(port: int) -> Iterator[HTTPConnection]:
    link = HTTPConnection(LOOPBACK, port, timeout=10)
    ask(link, "POST", "/__reset")
    yield link
    link.close()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) == 0


def ask(link: HTTPConnection, method: str, target: str, **more: Any) -> tuple[HTTPResponse, Any]:
    link.request(method, target, **more)
    reply = link.getresponse()
    body = reply.read()
    return reply, json.loads(body) if body else None


def raw(port: int, request: bytes) -> bytes:
    """Send bytes, end, and return all that comes back."""
    with socket.create_connection((LOOPBACK, port), timeout=10) as link:
        link.sendall(request)
        link.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: link.recv(65_536), b""))


def stats(link: HTTPConnection) -> tuple[int, int, int]:
    _, seen = ask(link, "GET", "/__stats")
    return seen["requests"], seen["connections"], seen["bad"]


def test_answers_with_what_it_received(link: HTTPConnection) -> None:
    reply, seen = ask(link, "PATCH", "/a/%2Fb;c//d?x=%20&x", body=b"hello", headers={"X-One": "1", "x-one": "2"})
    assert reply.status == 200
    assert (seen["method"], seen["target"]) == ("PATCH", "/a/%2Fb;c//d?x=%20&x")
    assert ["X-One", "1"] in seen["headers"]
    assert ["x-one", "2"] in seen["headers"]
    assert (seen["body_sha256"], seen["body_len"]) == (hashlib.sha256(b"hello").hexdigest(), 5)


def test_chunked_bodies_are_put_together(link: HTTPConnection) -> None:
    pieces = [b"x" * 100_000, b"y" * 7]
    _, seen = ask(link, "POST", "/", body=iter(pieces), encode_chunked=True, headers={"Transfer-Encoding": "chunked"})
    assert seen["body_len"] == 100_007
    assert seen["body_sha256"] == hashlib.sha256(b"".join(pieces)).hexdigest()


def test_counts_requests_and_the_connections_they_came_on(link: HTTPConnection, port: int) -> None:
    for _ in range(3):
        ask(link, "GET", "/kept")
    raw(port, b"GET /other HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert stats(link) == (4, 2, 0)
    ask(link, "POST", "/__reset")
    assert stats(link) == (0, 0, 0)


def test_pipelined_requests_are_answered_in_order(link: HTTPConnection, port: int) -> None:
    answer = raw(port, b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
    assert answer.index(b'"/1"') < answer.index(b'"/2"')
    assert stats(link)[0] == 2


@pytest.mark.parametrize(
    "request_",
    [
        b"GET / HTTP/1.1\nHost: a\n\n",
        b"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;x\r\na\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: trailer\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 70_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 20_000 + b"\r\n",
    ],
)
def test_bad_framing_is_counted_and_ends_the_connection(link: HTTPConnection, port: int, request_: bytes) -> None:
    answer = raw(port, request_ + b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"smuggled" not in answer
    assert stats(link) == (0, 0, 1)


def test_a_request_that_is_cut_off_is_neither_counted_nor_bad(link: HTTPConnection, port: int) -> None:
    assert raw(port, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc") == b""
    assert stats(link) == (0, 0, 0)


def test_every_nth_call_gets_the_status(link: HTTPConnection) -> None:
    codes = [ask(link, "GET", "/status?code=503&every=3")[0].status for _ in range(7)]
    assert codes == [200, 200, 503, 200, 200, 503, 200]
    assert ask(link, "GET", "/status?code=418")[0].status == 418
    assert ask(link, "GET", "/status?code=204")[1] is None
    assert ask(link, "GET", "/status?code=99")[0].status == 400


def test_slow_answers_later(link: HTTPConnection) -> None:
    began = time.monotonic()
    assert ask(link, "GET", "/slow?ms=150")[0].status == 200
    assert time.monotonic() - began >= 0.15


def test_head_has_no_body_and_continue_is_answered(link: HTTPConnection, port: int) -> None:
    reply, body = ask(link, "HEAD", "/x")
    assert (reply.status, body) == (200, None)
    assert int(reply.headers["Content-Length"]) > 0
    request = b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\nab"
    assert raw(port, request).startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")
