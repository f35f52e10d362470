"""What others write stays text; what we serve comes from here, under the policy it says."""

import pytest

from portal.guides.markdown import page_html, small_html
from tests.portal import browser, shelf
from tests.portal.browser import hx, page
from tests.portal.test_pages import wrongs

HOSTILE = shelf.SCRIPT
URLS = ["/", "/apis/", "/apis/?q=alert", "/apis/hostile/", "/apis/hostile/docs/", "/apis/hostile/docs/hostile/"]


ASKED = [
    ("/apis/", "q"),
    ("/apis/", "category"),
    ("/apis/", "page"),
    ("/apis/world/docs/", "q"),
    ("/apis/world/docs/getCountry/", "path.code"),
    ("/apis/world/docs/getCountry/", "version"),
    ("/login/", "next"),
    ("/signup/", "email"),
]


@pytest.fixture
def hostile(db):
    words = {"name": f"{HOSTILE} {{{{7*7}}}}", "summary": '"><img src=x onerror=alert(1)>', "category": "<b>odd</b>"}
    links = "[click](javascript:alert(1)) [data](data:text/html;base64,x)"
    markdown = f"{HOSTILE}\n\n{links} **bold** <img src=x onerror=alert(1)>"
    return shelf.open_shop("hostile", paths=shelf.HOSTILE_PATHS, description_md=markdown, **words)


@pytest.mark.parametrize("url", URLS)
def test_hostile_words_stay_words(hostile, url):
    html = page(browser.visitor().get(url))
    assert wrongs(html) == []
    assert "49" not in html.text("h1")
    assert html.all("img") == []
    assert not [
        a
        for _, a in html.tags
        for name, a in [(n, a) for n, a in a.items()]
        if str(a).lower().startswith(("javascript:", "data:text"))
    ]


@pytest.mark.parametrize(
    "value", ['"><script>alert(1)</script>', "'-alert(1)-'", "{{7*7}}", "javascript:alert(1)", "\x1b[31m"]
)
def test_hostile_addresses_stay_text(shop, value):
    client = browser.visitor()
    for url, name in ASKED:
        html = page(client.get(url, {name: value}))
        assert wrongs(html) == []
        assert "\x1b" not in html.html


def test_samples_follow_what_is_typed_and_stay_text(shop):
    client = browser.visitor()
    part = client.get("/apis/world/docs/getCountry/", {"path.code": "F'R", "query.lang": "<b>"}, headers=hx("samples"))
    html = page(part)
    assert "<html" not in html.html
    assert "countries/F%27R?lang=%3Cb%3E" in html.text("pre")
    client.cookies["language"] = "go"
    chosen = page(client.get("/apis/world/docs/getCountry/"))
    assert [a["value"] for a in chosen.all("input") if a.get("name") == "language" and "checked" in a] == ["go"]
    client.cookies["language"] = "cobol"
    chosen = page(client.get("/apis/world/docs/getCountry/"))
    assert [a["value"] for a in chosen.all("input") if a.get("name") == "language" and "checked" in a] == ["curl"]


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("[x](javascript:alert(1))", 'href="javascript'),
        ("[x](JaVaScRiPt:alert(1))", "href="),
        ("[x](data:text/html,x)", "href="),
        ("<script>alert(1)</script>", "<script"),
        ('<a href="javascript:x" onclick="y">z</a>', "<a"),
        ("![x](https://evil.example/track.gif)", "<img"),
        ("<style>*{display:none}</style>", "<style"),
        ('<iframe src="https://evil.example"></iframe>', "<iframe"),
        ("[x](vbscript:y)", "href="),
        ("# big", "<h1"),
        ('```html"><script>\nx\n```', "<script"),
    ],
)
def test_markdown_of_others_is_cleaned(text, gone):
    assert gone not in small_html(text)


def test_markdown_of_ours_has_anchors_and_colours():
    html = page_html('## What it *is*\n\n```json\n{"a": 1}\n```\n\n[here](/docs/) [there](https://example.com)')
    assert '<h2 id="what-it-is">' in html
    assert 'class="t-w"' in html
    assert 'rel="noopener nofollow"' in html


def test_headers_of_every_page(member):
    for url in ("/", "/apis/world/docs/getCountry/", "/app/keys/", "/login/", "/nothing/"):
        response = member.get(url)
        policy = response["Content-Security-Policy"]
        assert "default-src 'self'" in policy and "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy and "script-src 'self'" in policy
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["X-Frame-Options"] == "DENY"
        assert response["Referrer-Policy"] == "same-origin"
    assert member.get("/app/keys/")["Cache-Control"] == "no-store, private"
    assert member.get("/apis/world/docs/getCountry/")["Cache-Control"] == "private, no-store"


def test_cookies_are_closed(member):
    for name in ("tg_session", "tg_once", "tg_once_waiting"):
        cookie = member.cookies[name]
        assert cookie["httponly"], name
        assert cookie["samesite"] in ("Lax", "Strict"), name
