"""What the DRF door makes of a request's environ, with and without the raw head beside it."""

import io
from dataclasses import replace

import pytest
from django.test import RequestFactory

from gateway.proxy.authentication import KeyAuthentication
from gateway.proxy.incoming import RAW_HEADERS, RAW_TARGET, body_of, client_of, headers_of, target_of
from gateway.proxy.views import broken
from gateway.upstream import ClientLeft
from tests.gateway.playbook import LIVE_KEY, SETTINGS, TEST_KEY


def environ(**more):
    return {"PATH_INFO": "/", "QUERY_STRING": "", "REMOTE_ADDR": "192.0.2.1", "wsgi.url_scheme": "http"} | more


# --- the target ---


@pytest.mark.parametrize(
    ("decoded", "sent"),
    [
        ("/world/v1/x", "/world/v1/x"),
        ("/a b/caf\xc3\xa9/100%", "/a%20b/caf%C3%A9/100%25"),
        ("/!$&'()*+,;=:@-._~", "/!$&'()*+,;=:@-._~"),
        ('/{"}?#[]', "/%7B%22%7D%3F%23%5B%5D"),
        ("/\xff", "/%FF"),
    ],
)
def test_a_decoded_path_is_encoded_in_one_way(decoded, sent):
    assert target_of(environ(PATH_INFO=decoded, QUERY_STRING="a=%2F")) == (sent, "a=%2F")


def test_the_raw_target_is_taken_as_it_is():
    assert target_of(environ(**{RAW_TARGET: "/a%2fB?x=1?y"})) == ("/a%2fB", "x=1?y")
    assert target_of(environ(**{RAW_TARGET: "/a"})) == ("/a", "")


# --- headers ---


def test_headers_from_wsgi():
    made = headers_of(environ(HTTP_X_API_KEY="k", HTTP_HOST="h", CONTENT_TYPE="t", CONTENT_LENGTH="", HTTP_EMPTIED=""))
    assert sorted(made) == [("content-type", "t"), ("host", "h"), ("x-api-key", "k")]


def test_headers_from_the_raw_head():
    lines = [("accept", "a"), ("accept", "b")]
    assert headers_of(environ(HTTP_ACCEPT="joined", **{RAW_HEADERS: lines})) == lines


# --- bodies ---


@pytest.mark.parametrize(
    ("fields", "length", "body"),
    [
        ({}, 0, b""),
        ({"CONTENT_LENGTH": ""}, 0, b""),
        ({"CONTENT_LENGTH": "0"}, 0, b""),
        ({"CONTENT_LENGTH": "5"}, 5, b"hello"),
        ({"HTTP_TRANSFER_ENCODING": "chunked"}, None, b"hello"),
    ],
)
def test_bodies(fields, length, body):
    made = body_of(environ(**{"wsgi.input": io.BytesIO(b"hello")}, **fields))
    assert (made.length, b"".join(made.chunks)) == (length, body)


def test_a_body_that_breaks_off_is_a_client_that_left():
    class Broken:
        def read(self, size):
            raise RuntimeError("whatever a server raises")

    with pytest.raises(ClientLeft):
        list(body_of(environ(CONTENT_LENGTH="5", **{"wsgi.input": Broken()})).chunks)


# --- who calls ---


@pytest.mark.parametrize(
    ("peer", "told", "client"),
    [
        ("192.0.2.1", [], "192.0.2.1"),
        ("192.0.2.1", ["1.2.3.4"], "192.0.2.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["1.2.3.4"], "1.2.3.4"),
        ("10.0.0.1", ["6.6.6.6, 1.2.3.4"], "1.2.3.4"),
        ("10.0.0.1", ["6.6.6.6", "1.2.3.4, 10.0.0.2"], "1.2.3.4"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.1"),
        ("::ffff:10.0.0.1", ["1.2.3.4"], "1.2.3.4"),
    ],
)
def test_only_trusted_proxies_say_who_the_client_is(peer, told, client):
    settings = replace(SETTINGS, trusted_proxies=("10.0.0.0/8",))
    headers = [("x-forwarded-for", value) for value in told]
    assert client_of(environ(REMOTE_ADDR=peer), headers, settings) == (client, "http")
    assert client_of(environ(REMOTE_ADDR=peer), headers, SETTINGS) == (peer, "http"), "nobody is trusted unasked"


@pytest.mark.parametrize(("peer", "scheme"), [("10.0.0.1", "https"), ("192.0.2.1", "http")])
def test_only_trusted_proxies_say_how_it_came(peer, scheme):
    settings = replace(SETTINGS, trusted_proxies=("10.0.0.0/8",))
    assert client_of(environ(REMOTE_ADDR=peer), [("x-forwarded-proto", "https")], settings)[1] == scheme


# --- DRF ---


def test_authentication_reads_the_key_and_refuses_nobody():
    for headers, refusal in [
        ({"HTTP_X_API_KEY": LIVE_KEY}, ""),
        ({}, "key_missing"),
        ({"HTTP_X_API_KEY": LIVE_KEY, "HTTP_AUTHORIZATION": f"Bearer {TEST_KEY}"}, "two_credentials"),
    ]:
        user, credential = KeyAuthentication().authenticate(RequestFactory().get("/", **headers))
        assert (user, credential.refusal) == (None, refusal)


def test_a_process_that_cannot_begin_a_call_answers_a_problem():
    answer = broken(RequestFactory().get("/"))
    assert (answer.status_code, dict(answer.items())["content-type"]) == (500, "application/problem+json")
    assert b'"code":"internal_error"' in answer.content
