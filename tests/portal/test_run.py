"""Run: from a form, through the gateway's own flow, to an escaped reply; with and without an account, or a script."""

import re

import pytest
from django.test import Client

from accounts.models import Organization
from kit.problems import PROBLEMS
from marketplace import public as marketplace
from portal.docs.reply import fix_for
from tests.portal import browser, shelf
from tests.portal.browser import hx, page, sign_up
from tests.portal.upstream import Answer

OPERATION = "/apis/world/docs/getCountry/"
FORM = {"path.code": "DE", "query.lang": "en"}


def run(client: Client, url: str = OPERATION, form: dict[str, str] | None = None, **more: str):
    return client.post(url, FORM if form is None else form, headers=more or None)


def test_a_visitor_sees_a_reply_in_one_click(sandbox, upstream):
    client = browser.visitor()
    form = page(client.get(OPERATION))
    sent = {attrs["name"]: attrs.get("value") or "" for attrs in form.all("input") if "." in str(attrs.get("name"))}
    shown = page(run(client, form=sent))
    assert "200 OK" in shown.text("main")
    assert "cost 0.00 · sandbox" in shown.text("main")
    assert '"n": 1.10' in shown.text("pre")
    assert upstream.asked[-1][:2] == ("GET", "/v1/countries/DE")


def test_what_the_form_says_is_what_is_sent(sandbox, upstream):
    run(browser.visitor(), form={"path.code": "a b/c?d#é", "query.lang": "x&y=z"})
    assert upstream.asked == [] or upstream.asked[-1][1] == "/v1/countries/a%20b%2Fc%3Fd%23%C3%A9?lang=x%26y%3Dz"
    run(
        browser.visitor(),
        "/apis/world/docs/listCountries/",
        {"query.fields": "a, b,c", "query.lang": "de", "header.X-Trace": "t1"},
    )
    method, path, headers, _body = upstream.asked[-1]
    assert (method, path, headers["x-trace"]) == ("GET", "/v1/countries?lang=de&fields=a&fields=b&fields=c", "t1")
    run(browser.visitor(), "/apis/world/docs/formatDates/", {"body": '{"dates": []}'})
    method, path, headers, body = upstream.asked[-1]
    assert (method, path, headers["content-type"], body) == ("POST", "/v1/dates", "application/json", b'{"dates": []}')


def test_nothing_of_the_portal_reaches_the_upstream(running, upstream):
    client = browser.visitor()
    sign_up(client)
    run(client, **{"Referer": "http://testserver/", "Authorization": "Bearer tgm_x", "X-CSRFToken": "x"})
    sent = upstream.asked[-1][2]
    assert not {"cookie", "authorization", "x-api-key", "x-csrftoken", "referer", "origin"} & set(sent)


def test_with_a_script_only_the_reply_comes_back(sandbox):
    response = run(browser.visitor(), **hx())
    html = response.content.decode()
    assert "<html" not in html and "200 OK" in page(response).text("div")
    assert "HX-Request" in response["Vary"] or response["Cache-Control"] == "no-store"


def test_a_visitor_is_asked_to_get_a_key_and_comes_back(running):
    client = browser.visitor()
    shown = page(run(client, form={"path.code": "FR", "query.lang": "de"}))
    assert "Get your own key" in shown.text("main")
    back = f"{OPERATION}?path.code=FR&query.lang=de"
    assert back in shown.values("next")
    assert sign_up(client, next=back)["Location"] == back
    own = page(client.get(back))
    assert own.values("path.code") == ["FR"]
    organization = Organization.objects.get(name="Ada Lovelace")
    key = next(key for key in marketplace.keys(organization.id) if key.kind == "test")
    assert f"X-API-Key: {marketplace.reveal_test_key(organization.id, id=key.id)}" in own.text("pre")
    assert "countries/FR?lang=de" in own.text("pre")
    mine = page(run(client, back, {"path.code": "FR", "query.lang": "de"}))
    assert "200 OK" in mine.text("main")
    assert "Get your own key" not in mine.text("main")


def test_live_is_chosen_never_assumed(running, upstream):
    client = browser.visitor()
    sign_up(client)
    assert "sandbox" in page(run(client)).text("main")
    live = page(run(client, form=FORM | {"environment": "live"}))
    assert "live · counts against your plan" in live.text("main")
    stranger = page(run(browser.visitor(), form=FORM | {"environment": "live"}))
    assert "cost 0.00 · sandbox" in stranger.text("main")


@pytest.mark.parametrize(
    ("url", "form", "says"),
    [
        (OPERATION, {"path.code": ""}, "required"),
        (OPERATION, {"path.code": ".."}, "dot segment"),
        (OPERATION, {"path.code": "x" * 3000}, "at most"),
        (OPERATION, {"path.code": "a\x00b"}, "ull characters"),
        (OPERATION, {"path.code": "a\x1bb"}, "Control characters"),
        ("/apis/world/docs/listCountries/", {"query.limit": "ten"}, "whole number"),
        ("/apis/world/docs/listCountries/", {"query.lang": "xx"}, "valid choice"),
        ("/apis/world/docs/listCountries/", {"header.X-Trace": "a\r\nX-Evil: b"}, "Control characters"),
        ("/apis/world/docs/formatDates/", {"body": "{"}, "Not valid JSON"),
        ("/apis/world/docs/formatDates/", {"body": "[" * 100_000}, "valid JSON|deeply"),
        ("/apis/world/docs/formatDates/", {"body": ""}, "required"),
    ],
)
def test_what_cannot_be_sent_is_said_and_kept(sandbox, upstream, url, form, says):
    for headers in ({}, hx()):
        response = browser.visitor().post(url, form, headers=headers)
        assert response.status_code == 422
        assert re.search(says, page(response).text("div"))
    assert upstream.asked == []
    kept = page(browser.visitor().post(url, form))
    name, value = next(iter(form.items()))
    if kept.values(name):
        assert kept.values(name)[0] in (value, value or None, value.replace("\x00", "\ufffd"))


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Answer(404, b'{"error":"no such country"}'), "The API answered 404"),
        (Answer(500, b"oops", "text/plain"), "The API's own server answered 500"),
        (Answer(200, b"", "text/plain"), "no body"),
        (Answer(200, b"\x89PNG\x00\x01\xff", "image/png"), "Binary content"),
        (Answer(200, b"\xff\xfe", "text/plain"), "Binary content"),
        (Answer(200, b"[" * 2000 + b"]" * 2000), "200 OK"),
        (Answer(200, b'{"a":"' + b"x" * 200_000 + b'"}'), "Only the first 64 kB"),
        (Answer(200, b"x" * 3_000_000, "text/plain"), "did not end here"),
        (Answer(200, b"{broken"), "{broken"),
    ],
    ids=lambda value: str(value.status) + value.kind if isinstance(value, Answer) else "",
)
def test_every_kind_of_reply_is_shown(sandbox, upstream, answer, says):
    upstream.answer = answer
    shown = page(run(browser.visitor()))
    assert says in shown.text("main")
    assert len(shown.html) < 400_000


def test_a_hostile_reply_stays_text(sandbox, upstream):
    upstream.answer = Answer(200, b"<script>alert(1)</script>", "text/html", {"X-Evil": "<img src=x onerror=alert(2)>"})
    shown = page(run(browser.visitor()))
    assert "<script>alert(1)</script>" in shown.text("pre")
    assert "<img src=x onerror=alert(2)>" in shown.text("dd")
    assert [attrs for attrs in shown.all("script") if "src" not in attrs] == []
    assert shown.all("img") == []


def test_an_upstream_cannot_pretend_to_be_the_gateway(sandbox, upstream):
    """Its own problem+json with our code gets our words, and its `fix_url` leads nowhere outside."""
    body = b'{"code":"conflict","status":409,"detail":"d","fix_url":"https://evil.example/"}'
    upstream.answer = Answer(409, body, "application/problem+json")
    shown = page(run(browser.visitor()))
    assert not any("evil.example" in str(attrs.get("href")) for attrs in shown.all("a"))


def test_an_upstream_that_is_away_has_its_pane(sandbox, upstream):
    upstream.server.server_close()
    upstream.server.shutdown()
    shown = page(run(browser.visitor()))
    assert "502" in shown.text("main")
    assert "/docs/errors/upstream_unreachable/" in {str(attrs.get("href")) for attrs in shown.all("a")}


def test_without_a_plan_there_is_a_button_that_gives_one(running, upstream):
    shelf.open_shop("parcel", base_url=f"http://{upstream.address}", featured=False)
    client = browser.visitor()
    sign_up(client)
    url = "/apis/parcel/docs/getCountry/"
    refused = page(run(client, url))
    assert "403" in refused.text("main")
    assert {"action": "/apis/parcel/subscribe/"}.items() <= next(
        attrs for attrs in refused.all("form") if "subscribe" in str(attrs.get("action"))
    ).items()
    done = client.post("/apis/parcel/subscribe/", {"next": url}, follow=True)
    assert "Subscribed" in page(done).text("main")
    assert client.post("/apis/parcel/subscribe/", {"next": url}).status_code == 302  # twice is once
    assert "200 OK" in page(run(client, url)).text("div")


def test_without_a_key_there_is_a_button_that_makes_one(running):
    client = browser.visitor()
    sign_up(client)
    organization = Organization.objects.get(name="Ada Lovelace")
    for key in marketplace.keys(organization.id):
        client.post(f"/app/keys/{key.id}/revoke/")
    shown = page(run(client))
    assert "no working sandbox key" in shown.text("main")
    assert "/app/keys/new/" in shown.links()
    assert "YOUR_API_KEY" in shown.text("pre")


def test_thirty_an_hour_without_an_account(running, limits_on):
    client = browser.visitor()
    for _n in range(30):
        assert run(client, **hx()).status_code == 200
    for headers in ({}, hx()):
        refused = run(client, **headers)
        assert refused.status_code == 429
        assert 0 < int(refused["Retry-After"]) <= 3600
        assert "Get your own key" in page(refused).text("section")
        assert "30 an hour" in page(refused).text("div")
    sign_up(client)
    assert run(client, **hx()).status_code == 200


def test_another_address_has_its_own_thirty(sandbox, limits_on):
    for _n in range(30):
        run(browser.visitor(REMOTE_ADDR="203.0.113.7"), **hx())
    assert run(browser.visitor(REMOTE_ADDR="203.0.113.7"), **hx()).status_code == 429
    assert run(browser.visitor(REMOTE_ADDR="203.0.113.8"), **hx()).status_code == 200
    spoofed = browser.visitor(REMOTE_ADDR="203.0.113.7", HTTP_X_FORWARDED_FOR="198.51.100.1")
    assert run(spoofed, **hx()).status_code == 429


def test_a_run_needs_this_browsers_token(sandbox):
    client = Client(enforce_csrf_checks=True)
    assert client.post(OPERATION, FORM).status_code == 403
    token = page(client.get(OPERATION)).values("csrfmiddlewaretoken")[0]
    assert client.post(OPERATION, FORM | {"csrfmiddlewaretoken": token}).status_code == 200


@pytest.mark.parametrize("code", sorted(PROBLEMS))
def test_every_problem_has_a_way_on(code):
    fix = fix_for(code, {"fix_url": "http://127.0.0.1:8000/app/keys/?x=1"}, "world")
    assert fix is not None and fix.url.startswith("/")
    assert fix_for("internal_error", {"fix_url": "https://evil.example/"}, "world") is None
