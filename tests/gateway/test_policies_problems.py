"""Refusals as answers that teach."""

import msgspec
import pytest

from gateway import policies
from gateway.call import LimitState, Refusal
from gateway.case import Case
from gateway.policies import problems
from gateway.routing import Routes
from kit.problems import PROBLEMS
from tests.gateway.playbook import SETTINGS, a_call, a_grant, an_api


def answer(refusal, *, known=True, method="GET", scopes=("*",)):
    case = Case(a_call(method), SETTINGS, refusal=refusal)
    if known:
        case.op, case.grant = Routes(an_api()).find("GET", "/v1/countries"), a_grant(scopes=scopes)
    respond = policies.problem(case, refusal)
    return respond, dict(respond.headers), msgspec.json.decode(respond.body or b"null"), case


def test_a_problem_has_all_its_members():
    respond, headers, body, case = answer(Refusal("quota_exceeded", "Spent.", retry_after=7))
    assert body == {
        "type": "https://portal.example/docs/errors/quota_exceeded/",
        "title": "Quota used up",
        "status": 429,
        "detail": "Spent.",
        "instance": f"urn:uuid:{case.call.id}",
        "code": "quota_exceeded",
        "request_id": case.call.id,
        "retry_after": 7,
        "fix_url": "https://portal.example/apis/world/",
    }
    assert respond.status == 429
    assert headers["retry-after"] == "7"
    assert headers["content-type"] == "application/problem+json"
    assert headers["content-security-policy"] == "sandbox"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert headers["x-request-id"] == case.call.id
    assert int(headers["content-length"]) == len(respond.body)


@pytest.mark.parametrize("code", sorted(PROBLEMS))
def test_every_code_can_be_answered_with_and_without_an_api(code):
    for known in (True, False):
        respond, headers, body, _ = answer(Refusal(code), known=known)
        assert body["status"] == respond.status == PROBLEMS[code].status
        assert "{" not in (body["fix_url"] or "")
        assert ("www-authenticate" in headers) == (respond.status == 401)
        assert (body["retry_after"] is not None) == ("retry-after" in headers)
        assert (body["retry_after"] is not None) == (respond.status in (429, 503))


def test_every_fix_belongs_to_a_code():
    assert set(problems.FIX) <= set(PROBLEMS)


def test_a_refusal_may_know_a_better_place_and_more_headers():
    _, headers, body, _ = answer(Refusal("not_found", fix_path="/x/", headers=(("allow", "GET"),)))
    assert (body["fix_url"], headers["allow"]) == ("https://portal.example/x/", "GET")


def test_the_limits_that_refused_are_shown_and_traced():
    states = (LimitState("burst", 20, 3, 50, 2000), LimitState("period", 10, 0, 5000, 7000))
    _, headers, _, _ = answer(Refusal("quota_exceeded", states=states), scopes=("*", "trace"))
    assert headers["ratelimit"] == '"burst";r=3;t=1, "period";r=0;t=5'
    assert headers["x-ratelimit-remaining"] == "0"
    assert headers["x-tollgate-trace"].endswith(
        'limit;name="burst";limit=20;remaining=3;verdict="enough", '
        'limit;name="period";limit=10;remaining=0;verdict="short", refuse;code="quota_exceeded"'
    )
