"""The flow as conversations: every ending gives exactly one event, in the order that precedence demands."""

import msgspec
import pytest

from gateway import records
from gateway.call import FindGrant, Forward, Left, LimitState, Refusal, Reply, Respond, Sent, Spend
from gateway.meters import used_up
from tests.gateway.endings import ENDINGS, admitted, answered, refused
from tests.gateway.playbook import (
    LIVE_KEY,
    NOW_MS,
    TEST_KEY,
    a_call,
    a_grant,
    play,
)


@pytest.mark.parametrize("case", ENDINGS, ids=lambda case: case.name)
def test_every_ending_has_its_one_event(case):
    ending = play(case.call, *case.steps, api=case.api)
    if case.event is None:
        assert ending.event is None
    else:
        assert {name: getattr(ending.event, name) for name in case.event} == case.event
        assert (ending.event.event_id, ending.event.ts) == (case.call.id, NOW_MS)
    assert case.used is None or used_up(ending.event) is case.used


def test_a_refused_call_gets_a_problem_and_an_answered_one_does_not():
    for case in ENDINGS:
        respond = play(case.call, *case.steps, api=case.api).last
        if not isinstance(respond, Respond):
            continue
        kind = dict(respond.headers).get("content-type")
        wants_problem = case.event is None or (case.event["problem"] not in ("", "upstream_truncated"))
        assert (kind == "application/problem+json") == wants_problem, case.name


# --- what is asked, and of whom ---


def test_a_plain_call_from_end_to_end():
    limit = records.Limit("quota:billable:period", "quota", "period", 10)
    state = LimitState("period", 10, 9, 1000, 7_200_000)
    ending = play(
        a_call("GET", "/world/v1/countries/D%45", query="a=%20b"),
        (FindGrant, a_grant(limits=(limit,))),
        (Spend, Left((state,))),
        (Forward, Reply(200, [("content-type", "text/plain")])),
        (Respond, Sent(200, accepted=True, bytes_in=1, bytes_out=2, upstream_ms=3, latency_ms=4)),
    )
    find, spend, forward, respond = ending.commands
    assert (find.credential.kind, find.credential.secret, find.api.slug) == ("live", LIVE_KEY, "world")
    assert [claim.counter for claim in spend.claims] == [
        f"tg:c:{{org-id}}:sub-id:quota:billable:period:{NOW_MS - 3_600_000}"
    ]
    assert (forward.target.base_url, forward.method, forward.path) == (
        "http://127.0.0.1:9/live",
        "GET",
        "/v1/countries/D%45?a=%20b",
    )
    assert dict(respond.headers)["ratelimit"] == '"period";r=9;t=1'
    assert msgspec.structs.asdict(ending.event) | {"event_id": ""} == {
        "event_id": "",
        "ts": NOW_MS,
        "organization": "org-id",
        "project": "project-id",
        "key": "key-id",
        "subscription": "sub-id",
        "plan_version": "plan-version-id",
        "period_id": "period-id",
        "api": "api-id",
        "version": "v1",
        "operation": "getCountry",
        "method": "GET",
        "status": 200,
        "problem": "",
        "billable": True,
        "accepted": True,
        "test": False,
        "console": False,
        "cached": False,
        "count": 1,
        "bytes_in": 1,
        "bytes_out": 2,
        "latency_ms": 4,
        "upstream_ms": 3,
        "client_request_id": "",
        "end_user": "",
        "units": {},
        "dimensions": {},
        "call_id": "",
        "part": 0,
    }


def test_a_test_key_goes_to_the_test_upstream_with_its_own_counters():
    limit = records.Limit("quota:billable:period", "quota", "period", 10)
    grant = a_grant("test", limits=(limit,))
    ending = play(a_call(key=TEST_KEY), (FindGrant, grant), (Spend, Left()), *answered(200))
    assert ending.commands[1].claims[0].counter.split(":sub-id:")[1].startswith("test:quota:billable:period:")
    assert ending.commands[2].target.id == "up-test"


def test_a_visitor_counts_nothing_and_leaves_nothing():
    grant = a_grant("test", limits=(records.Limit("quota:billable:period", "quota", "period", 10),))
    grant.visitor = True
    ending = play(a_call(), (FindGrant, grant), (Spend, Left()), *answered(200))
    assert (ending.commands[1].claims, ending.event) == ((), None)


def test_a_console_call_bills_like_any_other():
    event = play(a_call(console=True), *admitted(), *answered(200)).event
    assert (event.console, event.billable) == (True, True)


def test_the_clients_request_id_is_kept_clean_and_short():
    call = a_call()
    call.headers.append(("x-request-id", "a\tb\xe9" + "c" * 200))
    assert play(call, *admitted(), *answered(200)).event.client_request_id == ("ab" + "c" * 200)[:128]


# --- precedence: each pair says which of two faults is told ---


def suspended(grant):
    grant.organization = records.Organization("org-id", 1, state="suspended")
    return grant


def unsubscribed(grant):
    grant.subscription = grant.plan_version = None
    return grant


def unpaid(grant):
    grant.standing = records.Standing("sub-id", 1, "suspended")
    return grant


def both_keys(call):
    call.headers.append(("authorization", f"Bearer {TEST_KEY}"))
    return call


PRECEDENCE = [
    ("target before two keys", both_keys(a_call(path="/world/..")), (), "bad_target"),
    ("two keys before the API", both_keys(a_call(path="/moon")), (), "two_credentials"),
    ("the API before the key", a_call(path="/moon", key=""), (), "api_unknown"),
    ("the key before the operation", a_call(path="/world/v9", key=""), (), "key_missing"),
    ("an invalid key before all of its rights", a_call(), (suspended(a_grant(state="revoked")),), "key_invalid"),
    ("organization before scope", a_call(), (suspended(a_grant(scopes=())),), "organization_suspended"),
    ("scope before address", a_call(), (a_grant(scopes=(), allowed_ips=("10.0.0.0/8",)),), "scope_missing"),
    ("address before subscription", a_call(), (unsubscribed(a_grant(allowed_ips=("10.0.0.0/8",))),), "ip_not_allowed"),
    ("subscription before retired", a_call(path="/world/v0/x"), (unsubscribed(a_grant()),), "no_subscription"),
    ("sandbox before retired", a_call(path="/world/v0/x"), (a_grant("test"),), "no_sandbox"),
    ("retired before operation", a_call(path="/world/v0/x"), (a_grant(),), "version_retired"),
    ("operation before money", a_call(path="/world/v1/x"), (unpaid(a_grant()),), "operation_unknown"),
    ("method before money", a_call("PUT"), (unpaid(a_grant()),), "method_not_allowed"),
    ("money before limits", a_call(), (unpaid(a_grant()),), "subscription_suspended"),
]


@pytest.mark.parametrize(
    ("call", "grants", "code"), [row[1:] for row in PRECEDENCE], ids=[row[0] for row in PRECEDENCE]
)
def test_precedence(call, grants, code):
    ending = play(call, *((FindGrant, grant) for grant in grants), refused(0))
    assert msgspec.json.decode(ending.last.body)["code"] == code
    assert not [command for command in ending.commands if isinstance(command, Spend)], "nothing is spent"


def test_the_loop_is_refused_before_anything_is_asked():
    call = a_call()
    call.headers.append(("via", "1.0 fred, 1.1 tollgate-local (x)"))
    assert play(call, refused(508)).last.status == 508


# --- our own faults ---


def test_a_broken_policy_is_a_500_with_an_event_and_no_charge(caplog):
    reply = Reply(200, [("location", 7)])  # a header that is not text breaks a policy
    ending = play(a_call(), *admitted(), (Forward, reply), refused(500, accepted=True))
    assert (ending.event.status, ending.event.problem, ending.event.billable) == (500, "internal_error", False)
    assert len([record for record in caplog.records if record.exc_info]) == 1, "logged once"


def test_head_gets_the_length_of_a_problem_but_not_its_body():
    respond = play(a_call("HEAD", key=""), refused(401)).last
    assert respond.body == b"" and int(dict(respond.headers)["content-length"]) > 100


def test_a_key_that_never_was_and_one_that_no_longer_works_answer_alike():
    call = a_call()
    answers = [
        play(call, (FindGrant, answer), refused(401)).last
        for answer in (
            Refusal("key_invalid"),
            a_grant(state="revoked", scopes=("*", "trace")),
            a_grant(expires_ms=NOW_MS),
        )
    ]
    mistyped = a_call(key="tg_live_mistyped", id=call.id)
    assert all(answer == answers[0] for answer in [*answers, play(mistyped, refused(401)).last])
