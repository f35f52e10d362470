"""`next` never leads out of the portal."""

import pytest
from django.http import HttpResponse
from django.test import Client

from portal.links import is_local, with_next
from tests.portal import browser

OUTSIDE = [
    "https://evil.example/",
    "http://evil.example",
    "//evil.example/",
    "///evil.example/",
    "////evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\\/evil.example",
    "\\/evil.example",
    "https:evil.example",
    "https:/evil.example",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)",
    "ftp://evil.example",
    " https://evil.example",
    "\thttps://evil.example",
    "\x00https://evil.example",
    "\x01javascript:alert(1)",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r\n/evil.example",
    "/ok\r\nSet-Cookie: a=b",
    "http:///evil.example",
    "https://testserver@evil.example/",
    "https://evil.example\\@testserver/",
    "//testserver@evil.example",
    "evil.example",
    "?next=//evil.example",
    "",
    "/" + "a" * 5000,
    "\u2028//evil.example",
    "／／evil.example",
]
INSIDE = [
    "/",
    "/app/",
    "/apis/world/docs/getCountry/?path.code=DE&query.lang=en",
    "/a%2Fb?x=%0d%0a#y",
    "/apis/?q=//evil",
]


@pytest.mark.parametrize("url", OUTSIDE)
def test_outside_is_refused(url):
    assert not is_local(url)


@pytest.mark.parametrize("url", INSIDE)
def test_inside_is_kept(url):
    assert is_local(url)


def test_there_are_enough_of_them():
    assert len(OUTSIDE) >= 30


def test_no_form_leads_out(member):
    for url in OUTSIDE:
        for answer in every_form(member, url):
            assert answer.status_code == 302
            assert answer["Location"] in {"/", "/app/", "/apis/world/", "/login/"}, (url, answer["Location"])


def every_form(member: Client, url: str) -> list[HttpResponse]:
    """Theme, sign-in (also when signed in already), subscribing, verification, sign-out."""
    return [
        member.post("/theme/", {"theme": "dark", "next": url}),
        member.get("/login/", {"next": url}),
        member.post("/apis/world/subscribe/", {"next": url}),
        member.post("/verify/again/", {"next": url}),
        member.post("/logout/", {"next": url}),
        member.post("/login/", {"login": "ada.lovelace@example.com", "password": browser.PASSWORD, "next": url}),
    ]


@pytest.mark.parametrize("url", OUTSIDE[:6])
def test_sign_up_does_not_lead_out(shop, url):
    assert browser.sign_up(browser.visitor(), next=url)["Location"] == "/app/"


@pytest.mark.parametrize("url", INSIDE)
def test_forms_lead_where_one_came_from(member, url):
    assert member.post("/theme/", {"theme": "dark", "next": url})["Location"] == url


def test_next_is_quoted():
    assert with_next("/login/", "/a/?b=c&d=e") == "/login/?next=%2Fa%2F%3Fb%3Dc%26d%3De"
    assert with_next("/login/", "") == "/login/"
