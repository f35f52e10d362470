"""The DRF door, from outside: a real server, real stores, a real upstream."""

import json
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway import records
from tests.gateway.door import a_door
from tests.gateway.fault_upstream import reply, silence, then_hang_up, then_reset
from tests.gateway.stores import until


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with a_door(tmp_path_factory.mktemp("door")) as door:
        yield door


@pytest.fixture
def door(running):
    """A fresh caller and a quiet upstream for each test."""
    running.upstream.answers.clear()
    running.upstream.requests.clear()
    running.caller = running.new_caller(scopes=("*",))
    return running


# --- an answered call ---


def test_a_call_is_answered_and_written_down(door):
    door.upstream.answers["/v1/countries"] = reply(b"[]", "Content-Type: application/json", "X-Twice: 1", "X-Twice: 2")
    got = door.get("/world/v1/countries?q=1")
    assert (got.status, got.body, got.header("content-type")) == (200, b"[]", "application/json")
    assert [value for name, value in got.headers if name.lower() == "x-twice"] == ["1", "2"]
    assert (got.header("content-security-policy"), got.header("x-content-type-options")) == ("sandbox", "nosniff")
    event = door.event_of(got.header("x-request-id"))
    assert (event["status"], event["operation"], event["billable"], event["bytes_out"]) == (
        200,
        "listCountries",
        True,
        2,
    )


@pytest.mark.parametrize(
    "target", ["/v1/a%20b/%C3%A9/;x=1//z/?a=%2F&b=%20+c&a", "/v1/%E6%97%A5%E6%9C%AC", "/v1/no-utf-8/%ff%fe?%ff"]
)
def test_the_target_is_forwarded_byte_for_byte(door, target):
    assert door.get("/world" + target).status == 200
    assert door.upstream.targets() == [target]


@pytest.mark.parametrize(
    "path", ["/world/v1/a%2Fb", "/world/v1/%2e%2e/x", "/world/v1/../x", "//world/v1", "/world/v1/\\x"]
)
def test_ambiguous_targets_are_refused(door, path):
    answer = door.raw(f"GET {path} HTTP/1.1")
    assert answer.startswith(b"HTTP/1.1 400 ") and b'"code":"bad_target"' in answer
    assert door.upstream.requests == []


def test_no_slash_is_appended_and_nothing_is_negotiated(door):
    got = door.call(
        "POST", "/world/v1/x", body=b"a=1", headers={"Accept": "application/nothing", "Content-Type": "x/y"}
    )
    assert got.status == 200
    (seen,) = door.upstream.requests
    assert (seen.target, seen.body, seen.header("accept"), seen.header("content-type")) == (
        "/v1/x",
        b"a=1",
        "application/nothing",
        "x/y",
    )


@pytest.mark.parametrize(
    "method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "PURGE", "M-SEARCH"]
)
def test_every_method_is_the_upstreams(door, method):
    door.upstream.answers["/v1/x"] = reply(b"mine", "Allow: NOTHING")
    got = door.call(method, "/world/v1/x")
    assert (got.status, got.body, got.header("allow")) == (200, b"mine", "NOTHING")
    assert [seen.method for seen in door.upstream.requests] == [method]
    assert door.event_of(got.header("x-request-id"))["billable"] is (method != "OPTIONS")


def test_head(door):
    door.upstream.answers["/v1/x"] = reply(b"", "Content-Length: 12345", length=False)
    got = door.call("HEAD", "/world/v1/x")
    assert (got.status, got.body, got.header("content-length")) == (200, b"", "12345")
    assert door.event_of(got.header("x-request-id"))["billable"] is True
    refused = door.call("HEAD", "/world/v1/x", key="")
    assert (refused.status, refused.body) == (401, b"")


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_answers_without_a_body(door, status):
    door.upstream.answers["/v1/x"] = reply(b"", 'ETag: "x"', status=status, length=False)
    got = door.get("/world/v1/x")
    assert (got.status, got.body, got.header("etag")) == (int(status[:3]), b"", '"x"')


def test_trace_is_not_proxied(door):
    assert door.raw("TRACE /world/v1/x HTTP/1.1").startswith(b"HTTP/1.1 405 ")
    assert door.upstream.requests == []


# --- headers ---


def test_headers_through_the_door(door):
    door.raw(
        "GET /world/v1/x HTTP/1.1\nAccept: a\nAccept: b\nX-Latin: caf\xe9\nX_Consumer_Id: spoof\n"
        "X-Forwarded-For: 1.2.3.4\nCookie: a=b\nAuthorization: Basic eDp5\nX-Hop: 1\nConnection: x-hop\nX_Fine: yes"
    )
    (seen,) = door.upstream.requests
    named = {name.lower(): value for name, value in seen.headers}
    assert [value for name, value in seen.headers if name == "accept"] == ["a", "b"]
    assert (named["x-latin"], named["authorization"], named["x_fine"]) == ("caf\xe9", "Basic eDp5", "yes")
    assert named["x-forwarded-for"] == "127.0.0.1" and named["x-forwarded-host"] == "gateway.example"
    assert named["x-consumer-id"] == door.caller.grant.organization.id
    assert not {"cookie", "x-hop", "x-api-key", "x_consumer_id"} & set(named)
    assert door.caller.secret not in str(seen.headers)


def test_what_an_upstream_may_not_say(door):
    door.upstream.answers["/v1/x"] = reply(
        b"", "Set-Cookie: a=b", "Clear-Site-Data: *", f"Location: {door.upstream.url}/v1/y", status="302 Found"
    )
    got = door.get("/world/v1/x")
    assert got.header("set-cookie") is None and got.header("clear-site-data") is None
    assert got.header("location") == "http://127.0.0.1:8080/world/v1/y"


def test_large_headers_both_ways(door):
    big = "x" * 30_000
    door.upstream.answers["/v1/x"] = reply(b"ok", f"X-Big: {big}")
    got = door.get("/world/v1/x", X_Big=big)
    assert (got.header("x-big"), door.upstream.requests[0].header("x-big")) == (big, big)
    assert door.raw(f"GET /world/v1/x HTTP/1.1\nX-Huge: {'x' * 600_000}")[:12] in (
        b"HTTP/1.1 431",
        b"HTTP/1.1 400",
        b"",
    )


# --- refusals ---


def test_keys_that_do_not_work_answer_alike(door):
    revoked = door.new_caller()
    key = revoked.grant.key
    door.publish(records.Key(key.id, 2, key.digests, key.organization, key.project, "live", state="revoked"))
    until(lambda: door.get("/world/v1/x", revoked).status == 401, within=1)
    answers = [
        door.call("GET", "/world/v1/x", key=secret) for secret in (revoked.secret, "tg_live_" + "0" * 36, "what?")
    ]
    alike = {
        (got.status, re.sub(rb"[0-9a-f]{8}-[0-9a-f-]{27}", b"", got.body), str([name for name, _ in got.headers]))
        for got in answers
    }
    assert len(alike) == 1 and answers[0].code == "key_invalid"


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/", 404, "api_unknown"),
        ("/healthz", 404, "api_unknown"),
        ("/moon/v1/x", 404, "api_unknown"),
        ("/world/v9/x", 404, "operation_unknown"),
        ("/world/v0/countries", 410, "version_retired"),
    ],
)
def test_refusals(door, path, status, code):
    got = door.get(path)
    assert (got.status, got.code, got.header("content-type")) == (status, code, "application/problem+json")
    assert (got.header("content-security-policy"), got.header("set-cookie")) == ("sandbox", None)


def test_no_key_is_asked_for_with_a_challenge(door):
    got = door.call("GET", "/world/v1/x", key="")
    assert (got.status, got.code, got.header("www-authenticate")) == (401, "key_missing", 'Bearer realm="tollgate"')


def test_the_trace_for_keys_that_ask(door):
    caller = door.new_caller(records.Limit("b", "bucket", "burst", 5, refill=5, refill_ms=1000), scopes=("*", "trace"))
    trace = door.get("/world/v1/countries", caller).header("x-tollgate-trace")
    assert re.search(
        r'match;api="world".*limit;name="burst";limit=5;remaining=4;verdict="granted".*respond;status=200', trace
    )


# --- the upstream's faults ---


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        (silence, 504, "upstream_timeout"),
        (then_reset(b""), 502, "upstream_unreachable"),
        (then_hang_up(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"), 502, "upstream_truncated"),
        (reply(b"", "Content-Length: 1", "Content-Length: 2", length=False), 502, "upstream_invalid"),
    ],
)
def test_faults_of_the_upstream_are_told_and_not_billed(door, answer, status, code):
    door.upstream.answers["/v1/x"] = answer
    got = door.get("/world/v1/x")
    assert (got.status, got.code) == (status, code)
    event = door.event_of(got.header("x-request-id"))
    assert (event["accepted"], event["billable"], event["problem"]) == (True, False, code)


def test_a_500_of_the_upstream_passes_and_is_not_billed(door):
    door.upstream.answers["/v1/x"] = reply(b"oops", status="500 Internal Server Error")
    got = door.get("/world/v1/x")
    assert (got.status, got.body) == (500, b"oops")
    assert door.event_of(got.header("x-request-id"))["billable"] is False


def test_a_post_that_dies_is_sent_once(door):
    door.upstream.answers["/v1/x"] = then_reset(b"")
    assert door.call("POST", "/world/v1/x", body=b"x").status == 502
    assert len(door.upstream.requests) == 1


# --- limits ---


def test_a_hard_quota_is_exact_under_parallel_calls(door):
    caller = door.new_caller(records.Limit("quota:billable:period", "quota", "period", 10))
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda _: door.get("/world/v1/x", caller), range(60)))
    assert sorted(got.status for got in answers) == [200] * 10 + [429] * 50
    refused = next(got for got in answers if got.status == 429)
    assert refused.code == "quota_exceeded"
    assert json.loads(refused.body)["fix_url"].endswith("/apis/world/")
    assert refused.header("ratelimit").startswith('"period";r=0;t=') and int(refused.header("retry-after")) > 0
    assert len(door.upstream.requests) == 10
    assert sum(event["billable"] for event in door.events(caller)) == 10


def test_a_failed_call_gives_its_unit_back(door):
    caller = door.new_caller(records.Limit("quota:billable:period", "quota", "period", 1))
    door.upstream.answers["/v1/bad"] = reply(b"", status="503 Service Unavailable")
    for _ in range(3):
        assert door.get("/world/v1/bad", caller).status == 503
    assert [door.get("/world/v1/x", caller).status for _ in range(2)] == [200, 429]


def test_a_revoked_key_stops_within_a_second(door):
    caller = door.new_caller()
    assert door.get("/world/v1/x", caller).status == 200
    key = caller.grant.key
    door.publish(records.Key(key.id, 2, key.digests, key.organization, key.project, "live", state="revoked"))
    until(lambda: door.get("/world/v1/x", caller).status == 401, within=1)
