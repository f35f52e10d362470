"""Every page: answers, in few queries, as HTML that a machine and a person can read."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from portal.guides.pages import guides
from tests.portal import browser, shelf
from tests.portal.browser import page

MOST_QUERIES = 12
OPERATION = "/apis/world/docs/getCountry/"
PUBLIC = [
    "/",
    "/apis/",
    "/apis/?q=world",
    "/apis/?q=nothing-like-it",
    "/apis/?category=Data",
    "/apis/world/",
    "/apis/world/docs/",
    "/apis/world/docs/?q=country",
    "/apis/world/docs/?q=none",
    OPERATION,
    "/apis/world/docs/listCountries/",
    "/apis/world/docs/formatDates/",
    "/docs/",
    "/docs/errors/",
    *(f"/docs/{guide.slug}/" for guide in guides()),
    "/signup/",
    "/login/",
    "/reset/",
    "/reset/sent/",
    "/reset/done/",
    "/reset/abc-def/",
    "/verify/",
    "/verify/not-a-key/",
    "/inactive/",
    "/nothing-here/",
]
SIGNED_IN = [
    "/",
    "/apis/",
    "/apis/world/",
    OPERATION,
    "/app/",
    "/app/keys/",
    "/app/keys/new/",
    "/app/usage/",
    "/app/usage/?range=30d&mode=live",
    "/account/email/",
    "/account/password/",
    "/account/2fa/",
    "/logout/",
]


def seen(client: Client, url: str) -> tuple[browser.Page, int]:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        response = client.get(url)
    assert response.status_code == (404 if url == "/nothing-here/" else 200), url
    asked = [query["sql"] for query in queries if "SAVEPOINT" not in query["sql"]]
    assert len(asked) <= MOST_QUERIES, f"{url}: {len(asked)} queries\n" + "\n".join(asked)
    return page(response), len(asked)


def wrongs(html: browser.Page) -> list[str]:
    """What no page may have."""
    found = []
    if len(html.all("h1")) != 1:
        found.append(f"{len(html.all('h1'))} h1")
    ids = [attrs["id"] for _, attrs in html.tags if attrs.get("id")]
    found += [f"id {name} twice" for name in set(ids) if ids.count(name) > 1]
    found += [f"style on {tag}" for tag, attrs in html.tags if "style" in attrs or tag == "style"]
    found += [f"{name} on {tag}" for tag, attrs in html.tags for name in attrs if name.startswith(("on", "hx-on"))]
    found += [
        "inline script"
        for attrs in html.all("script")
        if "src" not in attrs and attrs.get("type") != "application/json"
    ]
    labelled = {attrs.get("for") for attrs in html.all("label")}
    for tag in ("input", "select", "textarea"):
        for attrs in html.all(tag):
            inside = attrs.get("type") in ("hidden", "radio", "checkbox", "submit")
            if not inside and attrs.get("id") not in labelled and not attrs.get("aria-label"):
                found.append(f"{tag} {attrs.get('name')} without label")
    found += [f"fields name {ids} missing" for _, attrs in html.tags for ids in _dangling(html, attrs)]
    found += [f"from elsewhere: {url}" for url in _foreign(html)]
    return found


def _dangling(html: browser.Page, attrs: dict[str, str | None]) -> list[str]:
    known = {other["id"] for _, other in html.tags if other.get("id")}
    named = " ".join(
        str(attrs.get(name) or "") for name in ("aria-describedby", "aria-labelledby", "data-copy", "form")
    )
    return [name for name in named.split() if name not in known]


def _foreign(html: browser.Page) -> list[str]:
    """Everything a browser would fetch comes from here."""
    fetched = [attrs.get("src") or "" for tag, attrs in html.tags if tag in ("script", "img", "iframe")]
    fetched += [attrs.get("href") or "" for tag, attrs in html.tags if tag in ("link", "use")]
    return [url for url in fetched if not url.startswith(("/", "data:"))]


@pytest.mark.parametrize("url", PUBLIC)
def test_visitors_see_sound_pages(shop, url):
    html, _ = seen(browser.visitor(), url)
    assert wrongs(html) == []
    assert html.text("title").endswith("Tollgate")


@pytest.mark.parametrize("url", SIGNED_IN)
def test_members_see_sound_pages(member, url):
    html, _ = seen(member, url)
    assert wrongs(html) == []


def test_titles_differ(member):
    urls = [url for url in [*PUBLIC, *SIGNED_IN] if "?" not in url and url != "/nothing-here/"]
    titles: dict[str, str] = {}
    for url in dict.fromkeys(urls):
        client = member if url in SIGNED_IN else browser.visitor()
        title = page(client.get(url)).text("title")
        if title not in {"Check your inbox · Tollgate", "This link has expired · Tollgate"}:
            assert title not in titles, f"{url} and {titles[title]} are both called {title}"
        titles[title] = url


def test_pages_stand_empty(db):
    for url in ("/", "/apis/"):
        html = page(browser.visitor().get(url))
        assert "No API is published yet" in html.html
        assert wrongs(html) == []


def test_every_internal_link_leads_somewhere(member):
    for client in (browser.visitor(), member):
        broken, known, waiting = [], set(), ["/"]
        while waiting and len(known) < 400:
            url = waiting.pop()
            known.add(url)
            response = client.get(url)
            if response.status_code >= 400:
                broken.append((url, response.status_code))
            if response.get("Content-Type", "").startswith("text/html"):
                waiting += [link for link in page(response).links() if link not in known and link not in waiting]
        assert broken == []
        assert len(known) > 30


def test_an_operation_page_of_a_large_document_stays_small(db):
    listed = shelf.PATHS["/countries"]["get"]
    shelf.open_shop(paths={f"/things/{n}": {"get": listed | {"operationId": f"op{n}"}} for n in range(300)})
    html, _ = seen(browser.visitor(), "/apis/world/docs/op7/")
    assert len(html.html) < 250_000
    assert len(re.findall("/apis/world/docs/op", html.html)) >= 300
