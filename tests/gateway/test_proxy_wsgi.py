"""The same door under a plain WSGI server: all that WSGI can carry."""

import pytest

from tests.gateway.door import a_door
from tests.gateway.fault_upstream import reply, then_hang_up


@pytest.fixture(scope="module")
def door(tmp_path_factory):
    with a_door(tmp_path_factory.mktemp("door"), "gateway.proxy.wsgi:application") as door:
        yield door


def test_a_call(door):
    door.upstream.answers["/v1/x"] = reply(b"x" * 300_000, "X-Twice: 1", "X-Twice: 2")
    got = door.call("POST", "/world/v1/x?a=%2F", body=b"hello", headers={"Accept": "a"})
    assert (got.status, len(got.body)) == (200, 300_000)
    assert [value for name, value in got.headers if name.lower() == "x-twice"] == ["1", "2"]
    seen = door.upstream.requests[-1]
    assert (seen.target, seen.body, seen.header("accept")) == ("/v1/x?a=%2F", b"hello", "a")
    assert door.event_of(got.header("x-request-id"))["bytes_in"] == 5


def test_a_decoded_path_is_matched_and_forwarded_alike(door):
    assert door.raw("GET /world/v1/a%2Fb%20c HTTP/1.1").startswith(b"HTTP/1.1 200 ")
    assert door.upstream.targets()[-1] == "/v1/a/b%20c"
    assert door.raw("GET /world/v1/%2e%2e/x HTTP/1.1").startswith(b"HTTP/1.1 400 ")


def test_refusals_and_methods(door):
    assert door.get("/moon").code == "api_unknown"
    assert door.call("GET", "/world/v1/x", key="").code == "key_missing"
    assert door.call("OPTIONS", "/world/v1/y").status == 200
    assert door.call("HEAD", "/world/v1/y").body == b""


def test_an_answer_of_known_length_is_cut_where_the_upstream_cuts_it(door):
    door.upstream.answers["/v1/cut"] = then_hang_up(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
    got = door.raw("GET /world/v1/cut HTTP/1.1")  # not even the head, if the cut comes before it was flushed
    assert got == b"" or got.endswith(b"\r\n\r\nabc")
    assert door.events()[-1]["problem"] == "upstream_truncated"


def test_a_stop_says_goodbye(tmp_path):
    with a_door(tmp_path, "gateway.proxy.wsgi:application") as door:
        assert door.get("/world/v1/x").status == 200
        door.process.terminate()
        assert door.process.wait(15) == 0
        (journal,) = (tmp_path / "journal").glob("*.jsonl")
        assert journal.read_text().splitlines()[-1].startswith('{"bye":true')
