"""What a stranger might send: every answer is a page or a problem that says what is wrong, never a 500."""

import http.client
import socket
from urllib.parse import urlsplit

import pytest

from tests.product import Product

pytestmark = pytest.mark.whole

PORTAL_TARGETS = [
    "/apis/?q=%00",
    "/apis/?q=" + "a" * 5000,
    "/apis/?q=%ff%fe",
    "/apis/?q=%F0%9F%92%A5%27%22%3Cscript%3E",
    "/apis/%00/",
    "/apis/../../etc/passwd",
    "/apis/world/docs/%2e%2e%2fsecret/",
    "/apis/world/docs/nosuch/",
    "/docs/errors/nosuch/",
    "/docs/errors/..%2f..%2fsettings/",
    "/login/?next=//evil.example",
    "/signup/?next=javascript:alert(1)",
    "/verify/%00/",
    "/reset/zz-%00/",
    "/app/usage/?from=yesterday&to=%00",
    "/app/usage/?from=9999-99-99",
    "/app/keys/not-a-uuid/revoke/",
    "/api/v1/keys/not-a-uuid",
    "/api/v1/usage?from=%00",
    "/api/v1/usage?key=" + "9" * 400,
    "/admin/marketplace/api/?q=%00",
    "/static/../manage.py",
    "/%ff%fe%fd",
]

GATEWAY_TARGETS = [
    "/",
    "//",
    "//world/v1/countries",
    "/world",
    "/world/v1/../countries",
    "/world/v1/%2e%2e/countries",
    "/world/v1/a%2Fb",
    "/world/v1/a%5Cb",
    "/world/v1/countries/%00",
    "/world/v1/countries/%ff",
    "/world/v1/countries/" + "x" * 6000,
    "/world/v1/countries?" + "a=1&" * 1500,
    "/nosuch/v1",
    "/%00/v1",
]

BAD_KEYS = [
    "",
    "x",
    "tg_live_",
    "tg_live_" + "A" * 36,
    "tg_test_" + "é" * 10,
    "A" * 6000,
    "tg_live_" + "\t" * 3,
    "Bearer x",
]

RAW = [
    b"GARBAGE\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET /world/v1/countries HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /world/v1/countries HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    b"POST /world/v1/countries HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    b"GET http://elsewhere.example/ HTTP/1.1\r\nHost: a\r\n\r\n",
    b"TRACE /world/v1/countries HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /world/v1/countries HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 200_000 + b"\r\n\r\n",
]


@pytest.mark.parametrize("target", PORTAL_TARGETS, ids=lambda target: target[:40])
def test_the_portal_answers(product: Product, target: str) -> None:
    assert _get(product.portal, target, {}) < 500


@pytest.mark.parametrize("target", GATEWAY_TARGETS, ids=lambda target: target[:40])
def test_the_gateway_answers(product: Product, target: str) -> None:
    key = product.data["demo"]["key_test"]
    assert _get(product.gateway, target, {"X-API-Key": key}) < 500


@pytest.mark.parametrize("key", BAD_KEYS, ids=lambda key: repr(key)[:20])
def test_a_bad_key_is_a_401(product: Product, key: str) -> None:
    status = _get(product.gateway, "/world/v1/countries/NP", {"X-API-Key": key.encode()})
    assert status in {400, 401, 431}


@pytest.mark.parametrize("raw", RAW, ids=lambda raw: repr(raw)[:40])
@pytest.mark.parametrize("door", ["portal", "gateway"])
def test_broken_http_is_refused_or_cut(product: Product, door: str, raw: bytes) -> None:
    place = urlsplit(product.data[door])
    with socket.create_connection((place.hostname, place.port), timeout=10) as link:
        answer = b""
        try:
            link.sendall(raw)
            answer = link.recv(4096)
        except ConnectionError:
            pass  # cut: fine
    assert answer == b"" or answer.startswith((b"HTTP/1.1 2", b"HTTP/1.1 3", b"HTTP/1.1 4")), answer[:200]
    assert _get(product.data[door], "/", {}) < 500  # and it still serves others


def _get(base: str, target: str, headers: dict[str, str | bytes]) -> int:
    place = urlsplit(base)
    link = http.client.HTTPConnection(place.hostname or "", place.port, timeout=10)
    link._validate_path = lambda url: None  # type: ignore[attr-defined]  # it is the server's turn to judge
    try:
        link.putrequest("GET", target, skip_accept_encoding=True)
        for name, value in headers.items():
            link.putheader(name, value)
        link.endheaders()
        reply = link.getresponse()
        body = reply.read()
        assert b"Traceback" not in body
        return reply.status
    finally:
        link.close()
