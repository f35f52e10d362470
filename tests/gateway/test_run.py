"""The Run panel: the same flow in process, counted for members and leaving nothing for visitors."""

import json
import time
from dataclasses import replace

import pytest

from gateway import records
from gateway.public import run
from gateway.rebuild import open_organization, open_run
from gateway.run import BODY_MAX
from gateway.runtime import runtime_of
from kit.ids import uuid7
from tests.gateway.fake_engine import pointed_at
from tests.gateway.fault_upstream import FaultUpstream, reply, then_hang_up
from tests.gateway.playbook import LIVE_KEY, a_grant, an_api


@pytest.fixture
def upstream():
    with FaultUpstream() as server:
        yield server


@pytest.fixture
def settings(gateway_settings, upstream):
    settings = replace(gateway_settings, upstream_allow=frozenset({upstream.place}))
    yield settings
    runtime_of(settings).close()


@pytest.fixture
def api(upstream):
    return pointed_at(an_api(pass_undeclared=True), upstream.url)


def current(grant):
    """The grant with a period around this moment."""
    now_ms = int(time.time() * 1000)
    old = grant.subscription
    period = records.Period(str(uuid7()), now_ms - 3_600_000, now_ms + 3_600_000)
    grant.subscription = records.Subscription(
        old.id, 1, old.organization, old.project, old.apis, old.plan_version, (period,)
    )
    return grant


@pytest.fixture
def visitor():
    grant = current(a_grant("test", limits=(records.Limit("q", "quota", "period", 1),)))
    grant.visitor = True
    return grant


@pytest.fixture
def member(redis):
    open_run(redis)
    open_organization(redis, "org-id")
    return current(a_grant(limits=(records.Limit("quota:billable:period", "quota", "period", 2),)))


def journalled(settings):
    lines = [line for path in settings.journal_dir.glob("*.jsonl") for line in path.read_text().splitlines()]
    return [event for event in map(json.loads, lines) if "event_id" in event]


# --- visitors ---


def test_a_visitors_call_reaches_the_test_upstream_and_leaves_nothing(settings, api, visitor, upstream):
    upstream.answers["/v1/x"] = reply(b"{}", "Content-Type: application/json")
    replies = [run(settings, grant=visitor, api=api, method="get", path="/world/v1/x", query="a=1") for _ in range(3)]
    assert {(got.status, got.body, got.truncated) for got in replies} == {(200, b"{}", False)}
    assert dict(replies[0].headers)["content-type"] == "application/json"
    assert upstream.targets() == ["/v1/x?a=1"] * 3
    assert not settings.journal_dir.exists()


def test_no_cookie_or_token_of_the_portal_is_forwarded(settings, api, visitor, upstream):
    headers = [
        ("Cookie", "session=s"),
        ("X-CSRFToken", "t"),
        ("Authorization", "Bearer tgm_x"),
        ("X-API-Key", LIVE_KEY),
        ("Referer", "http://portal/"),
        ("Accept", "application/json"),
        ("X-Bad\r\nName", "x"),
        ("X-Bad", "a\r\nX-Split: 1"),
        ("X-Euro", "\u20ac"),
        ("", "x"),
    ]
    run(settings, grant=visitor, api=api, method="POST", path="/world/v1/x", headers=headers, body=b"hello")
    (seen,) = upstream.requests
    names = {name for name, _ in seen.headers}
    assert seen.body == b"hello" and "accept" in names
    assert not names & {"cookie", "x-csrftoken", "authorization", "x-api-key", "referer", "x-bad", "x-split", "x-euro"}


def test_an_answer_is_taken_up_to_a_megabyte(settings, api, visitor, upstream):
    upstream.answers["/v1/x"] = reply(b"x" * (BODY_MAX + 1))
    got = run(settings, grant=visitor, api=api, method="GET", path="/world/v1/x")
    assert (got.status, len(got.body), got.truncated) == (200, BODY_MAX, True)
    upstream.answers["/v1/x"] = reply(b"x" * BODY_MAX)
    got = run(settings, grant=visitor, api=api, method="GET", path="/world/v1/x")
    assert (len(got.body), got.truncated) == (BODY_MAX, False)


def test_an_endless_answer_is_left(settings, api, visitor, upstream):
    def endless(connection, _):
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    upstream.answers["/v1/x"] = endless
    got = run(settings, grant=visitor, api=api, method="GET", path="/world/v1/x")
    assert (len(got.body), got.truncated) == (BODY_MAX, True)


def test_an_answer_that_breaks_off_is_shown_as_far_as_it_came(settings, api, visitor, upstream):
    upstream.answers["/v1/x"] = then_hang_up(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
    got = run(settings, grant=visitor, api=api, method="GET", path="/world/v1/x")
    assert (got.status, got.body, got.truncated) == (200, b"abc", True)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/world/v1/../x", 400, "bad_target"),
        ("/world/v1/caf\u00e9", 400, "bad_target"),
        ("/moon/v1", 404, "api_unknown"),
        ("/world/v7", 404, "operation_unknown"),
    ],
)
def test_what_a_person_can_type_is_answered(settings, api, visitor, path, status, code):
    got = run(settings, grant=visitor, api=api, method="GET", path=path)
    assert (got.status, json.loads(got.body)["code"]) == (status, code)


def test_the_guard_holds(settings, visitor):
    got = run(
        settings,
        grant=visitor,
        api=pointed_at(an_api(), "http://127.0.0.1:1"),
        method="GET",
        path="/world/v1/countries",
    )
    assert json.loads(got.body)["code"] == "upstream_forbidden"


# --- members ---


def test_a_members_call_is_counted_and_written_down_as_a_console_call(settings, api, member):
    replies = [run(settings, grant=member, api=api, method="GET", path="/world/v1/x") for _ in range(3)]
    assert [got.status for got in replies] == [200, 200, 429]
    events = journalled(settings)
    assert [(event["status"], event["billable"], event["console"]) for event in events] == [
        (200, True, True),
        (200, True, True),
        (429, False, True),
    ]
    assert [event["event_id"] for event in events] == [got.request_id for got in replies]


def test_a_members_long_answer_is_billed_though_it_is_left(settings, api, member, upstream):
    upstream.answers["/v1/x"] = reply(b"x" * (3 * BODY_MAX))
    assert run(settings, grant=member, api=api, method="GET", path="/world/v1/x").truncated
    (event,) = journalled(settings)
    assert (event["status"], event["billable"]) == (200, True)


def test_a_members_key_keeps_its_address_list(settings, api):
    grant = current(a_grant(allowed_ips=("192.0.2.0/24",)))
    for client, status in [("192.0.2.1", 200), ("198.51.100.1", 403)]:
        got = run(settings, grant=grant, api=api, method="GET", path="/world/v1/x", client=client)
        assert got.status == status
