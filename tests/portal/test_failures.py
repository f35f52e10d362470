"""What goes wrong has a page: the right status, one sentence, one way on; programs get problem+json."""

import json
from dataclasses import replace

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404
from django.test import Client, RequestFactory
from redis.exceptions import ConnectionError as RedisConnectionError

from kit.errors import ProblemError, invalid
from portal.address import client_address, network_of
from portal.limits import LIMITS
from portal.site import failures
from portal.site.middleware import PortalExceptions
from tests.portal import browser
from tests.portal.browser import page


@pytest.fixture
def fragile(db, monkeypatch):
    """A client whose front page raises what a test says."""
    client = browser.visitor(raise_request_exception=False)

    def raising(error: Exception) -> Client:
        def broken(*args: object, **named: object) -> None:
            raise error

        monkeypatch.setattr("marketplace.public.catalogue", broken)
        return client

    return raising


@pytest.mark.parametrize(
    ("error", "status", "says"),
    [
        (RuntimeError("secret detail"), 500, "Something broke on our side"),
        (OperationalError("host=10.0.0.1 password=x"), 503, "A store this page needs"),
        (RedisConnectionError("redis://:pass@host"), 503, "A store this page needs"),
        (ProblemError("not_found"), 404, "There is nothing here"),
        (ProblemError("conflict", "It has changed."), 409, "It has changed."),
        (invalid("name", "Give it a name."), 422, "Give it a name."),
        (ProblemError("unavailable", retry_after=7), 503, "A store"),
        (PermissionDenied("inner"), 403, "Your role does not allow this"),
        (Http404("inner"), 404, "There is nothing here"),
        (SuspiciousOperation("inner"), 400, "could not be read"),
    ],
)
def test_exceptions_have_pages(fragile, error, status, says):
    response = fragile(error).get("/apis/")
    html = page(response)
    assert response.status_code == status
    assert says in html.text("main")
    assert len(html.all("h1")) == 1
    for leaked in ("secret detail", "password=x", "10.0.0.1", "inner", "Traceback", "pass@"):
        assert leaked not in html.html


def test_the_pages_for_our_own_failures_ask_no_store(db, django_assert_num_queries):
    request = RequestFactory().get("/apis/")
    with django_assert_num_queries(0):
        assert failures.broken(request).status_code == 500
        assert failures.broken_store(request)["Retry-After"] == "5"


MISSING = [
    "/nothing/",
    "/apis/none/",
    "/apis/none/docs/",
    "/apis/world/docs/none/",
    "/docs/none/",
    "/docs/none.md",
    "/docs/errors/none/",
    "/docs/errors/none.md",
    "/app/keys/not-a-uuid/roll/",
    "/%00",
    "/apis/%F0%9F/",
]


@pytest.mark.parametrize("path", MISSING)
def test_what_is_not_there_is_404(shop, path):
    response = browser.visitor().get(path)
    assert response.status_code == 404
    assert "Search APIs" in page(response).text("main")


def test_programs_get_problem_json(db):
    for handler, status, code in (
        (failures.not_found, 404, "not_found"),
        (failures.forbidden, 403, "permission_denied"),
        (failures.bad_request, 400, "bad_request"),
        (failures.broken, 500, "internal_error"),
        (failures.broken_store, 503, "unavailable"),
    ):
        response = handler(RequestFactory().get("/api/v1/none"))
        body = json.loads(response.content)
        assert (response.status_code, response["Content-Type"]) == (status, "application/problem+json")
        assert (body["code"], body["status"]) == (code, status)
        assert body["type"].endswith(f"/docs/errors/{code}/")


def test_other_exceptions_go_on():
    middleware = PortalExceptions(lambda request: None)
    assert middleware.process_exception(RequestFactory().get("/"), ValueError()) is None


def test_a_form_without_this_browsers_token_says_what_to_do(db):
    client = Client(enforce_csrf_checks=True)
    response = client.post("/login/", {"login": "a", "password": "b"})
    assert response.status_code == 403
    assert "out of date" in page(response).text("h1")


@pytest.mark.parametrize("url", ["/theme/", "/verify/again/", "/apis/world/subscribe/", "/app/start/"])
def test_what_changes_something_is_not_read(member, url):
    assert member.get(url).status_code == 405


@pytest.mark.parametrize(
    ("name", "url", "form"),
    [
        ("signup", "/signup/", {"email": "nobody", "password1": "x"}),
        ("login", "/login/", {"login": "a@example.com", "password": "wrong"}),
        ("reset", "/reset/", {"email": "a@example.com"}),
    ],
)
def test_too_many_attempts_have_a_page(db, limits_on, name, url, form):
    allowed = min(int(limit.rate.split("/")[0]) for limit in LIMITS[name])
    client = browser.visitor()
    answers = [client.post(url, form).status_code for _n in range(allowed + 1)]
    assert 429 not in answers[:allowed]
    refused = client.post(url, form)
    assert (answers[-1], refused.status_code) == (429, 429)
    assert 0 < int(refused["Retry-After"]) <= 86_400
    assert "Try again in" in page(refused).text("main")
    assert client.get(url).status_code == 200  # reading is free


def test_too_many_keys_have_a_page(member, limits_on):
    answers = [member.post("/app/keys/new/", {"name": ""}).status_code for _n in range(31)]
    assert answers[:30] == [422] * 30
    assert answers[30] == 429


def test_every_limit_reads():
    for limits in LIMITS.values():
        for limit in limits:
            count, unit = limit.rate.split("/")
            assert int(count) > 0 and unit in "smhd" and limit.what[0].isupper()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1, "1 second"), (40, "40 seconds"), (90, "2 minutes"), (3600, "60 minutes"), (7200, "2 hours")],
)
def test_waiting_in_words(seconds, words):
    assert failures.in_words(seconds) == words


@pytest.mark.parametrize(
    ("remote", "forwarded", "trusted", "client"),
    [
        ("203.0.113.7", "", (), "203.0.113.7"),
        ("203.0.113.7", "198.51.100.1", (), "203.0.113.7"),
        ("10.0.0.1", "198.51.100.1", ("10.0.0.0/8",), "198.51.100.1"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.1, 10.0.0.2", ("10.0.0.0/8",), "198.51.100.1"),
        ("10.0.0.1", "junk", ("10.0.0.0/8",), "10.0.0.1"),
        ("", "198.51.100.1", (), "0.0.0.0"),
    ],
)
def test_the_address_is_the_last_hop_that_is_not_ours(settings, remote, forwarded, trusted, client):
    settings.GATEWAY = replace(settings.GATEWAY, trusted_proxies=trusted)
    headers = {"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {}
    assert client_address(RequestFactory().get("/", REMOTE_ADDR=remote, **headers)) == client


def test_a_visitor_owns_a_network():
    assert network_of("2001:db8:1:2:3:4:5:6") == network_of("2001:db8:1:2::9") == "2001:db8:1:2::/64"
    assert network_of("203.0.113.7") == "203.0.113.7"


def test_health_and_readiness(db):
    client = browser.visitor()
    assert client.get("/healthz").content == b"ok\n"
    ready = client.get("/readyz")
    assert ready.status_code in (200, 503)
    assert ready.json()["database"] == "ok"


def test_readiness_without_redis(db, settings):
    settings.GATEWAY = replace(settings.GATEWAY, redis_url="redis://127.0.0.1:1/0")
    ready = browser.visitor().get("/readyz")
    assert (ready.status_code, ready.json()["redis"]) == (503, "away")


def test_security_txt_and_favicon(db, settings):
    text = browser.visitor().get("/.well-known/security.txt").content.decode()
    assert f"Contact: {settings.SECURITY_CONTACT}" in text
    assert "Expires: 20" in text
    assert b"<svg" in browser.visitor().get("/favicon.ico").content


def test_guessing_a_password_is_slowed_down(member):
    client = browser.visitor()
    form = {"login": "ada.lovelace@example.com", "password": "wrong password"}
    said = [page(client.post("/login/", form)).text("main") for _n in range(7)]
    assert "Too many failed" not in said[0]
    assert "Too many failed" in said[-1]
    right = client.post("/login/", form | {"password": browser.PASSWORD})
    assert right.status_code == 422  # also for who guesses right in the end


@pytest.mark.parametrize("host", ["evil.example", "", "a b", "[::1", "\u00e9.example"])
def test_a_host_that_is_not_ours_is_refused_without_asking_who_it_is(db, host):
    client = browser.visitor(raise_request_exception=False, HTTP_HOST=host, SERVER_NAME=host)
    for path in ("/", "/apis/", "/api/v1/keys"):
        response = client.get(path)
        assert response.status_code == 400
        assert host == "" or host not in response.content.decode()
