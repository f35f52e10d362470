"""Whatever goes wrong in the management API is answered as a problem, and tells no secret."""

import json
import logging
from uuid import UUID

import pytest
from django.test import Client

from kit.problems import PROBLEMS
from tests.kit.rest_views import FAILURES

pytestmark = [pytest.mark.urls("tests.kit.rest_views"), pytest.mark.django_db]

ANSWERS = {
    "undelivered": "propagation_pending",
    "fields": "invalid",
    "whole": "invalid",
    "list": "invalid",
    "model": "invalid",
    "parse": "bad_request",
    "anonymous": "token_invalid",
    "stranger": "token_invalid",
    "denied": "permission_denied",
    "django denied": "permission_denied",
    "missing": "not_found",
    "django missing": "not_found",
    "throttled": "too_many_attempts",
    "large": "body_too_large",
    "suspicious": "bad_request",
    "data": "invalid",
    "database": "unavailable",
    "redis": "unavailable",
    "redis slow": "unavailable",
    "problem": "conflict",
    "fields of ours": "invalid",
    "bug": "internal_error",
    "lookalike": "internal_error",
}


@pytest.fixture
def client():
    return Client(raise_request_exception=False)


def problem(response) -> dict:
    """The problem of an answer, after a look at what every problem has."""
    body = json.loads(response.content)
    assert response.headers["Content-Type"] == "application/problem+json"
    assert body["status"] == response.status_code == PROBLEMS[body["code"]].status
    assert body["type"].endswith(f"/docs/errors/{body['code']}/")
    assert body["title"] == PROBLEMS[body["code"]].title
    assert body["request_id"] == response.headers["X-Request-Id"]
    assert UUID(body["request_id"]).version == 7
    assert ("errors" in body) == (body["code"] == "invalid")
    if body["retry_after"] is not None:
        assert response.headers["Retry-After"] == str(body["retry_after"])
    return body


def test_the_table_below_knows_every_failure():
    assert set(ANSWERS) == set(FAILURES)


@pytest.mark.parametrize(("how", "code"), ANSWERS.items())
def test_each_failure_has_its_problem(client, how, code):
    response = client.get(f"/api/fail/{how}")
    assert problem(response)["code"] == code
    assert b"hunter2" not in response.content


@pytest.mark.parametrize(
    ("how", "errors"),
    [
        ("fields", [("name", "Too long."), ("tiers.1.up_to", "Missing.")]),
        ("whole", [("", "The dates are swapped.")]),
        ("list", [("", "One."), ("", "Two.")]),
        ("model", [("name", "Taken."), ("", "Odd.")]),
        ("fields of ours", [("a.b", "No.")]),
    ],
)
def test_each_wrong_field_is_named(client, how, errors):
    body = problem(client.get(f"/api/fail/{how}"))
    assert [(each["field"], each["message"]) for each in body["errors"]] == errors


def test_a_problem_says_its_own_detail_and_when_to_come_back(client):
    body = problem(client.get("/api/fail/problem"))
    assert (body["detail"], body["retry_after"]) == ("It has changed.", 3)
    assert problem(client.get("/api/fail/throttled"))["retry_after"] == 7
    assert problem(client.get("/api/fail/undelivered"))["retry_after"] == 1


def test_who_is_unknown_is_told_how_to_authenticate(client):
    assert client.get("/api/fail/anonymous").headers["WWW-Authenticate"].startswith("Bearer")


def test_a_bug_is_logged_with_the_request_id(client, caplog):
    with caplog.at_level(logging.ERROR):
        body = problem(client.get("/api/fail/bug"))
    assert any(body["request_id"] in record.getMessage() and record.exc_info for record in caplog.records)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("get", "/api/nothing", 404),
        ("get", "/api/crash", 500),
        ("put", "/api/things", 405),
        ("options", "/api/raw", 405),
    ],
)
def test_what_never_reached_a_view_is_a_problem_too(client, method, path, status):
    assert problem(getattr(client, method)(path))["status"] == status


def test_a_wrong_host_is_a_problem_too(client):
    assert problem(client.get("/api/things", headers={"host": "evil.example"}))["code"] == "bad_request"


def test_pages_keep_their_own_errors_but_carry_the_request_id(client):
    response = client.get("/page/crash")
    assert response.status_code == 500
    assert "problem" not in response.headers["Content-Type"]
    assert UUID(response.headers["X-Request-Id"]).version == 7


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "image/png;q=1", "rubbish", "", "*/*"])
def test_json_is_answered_whatever_is_accepted(client, accept):
    response = client.post("/api/raw", b"{}", content_type="application/json", headers={"accept": accept})
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"


def test_a_request_id_of_the_client_is_not_taken_over(client):
    response = client.get("/api/fail/missing", headers={"x-request-id": "mine"})
    assert problem(response)["request_id"] != "mine"
