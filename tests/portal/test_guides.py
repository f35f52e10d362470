"""Guides and error pages: each code has one, each has its Markdown twin, each link in them leads somewhere."""

import re

import pytest

from kit.problems import PROBLEMS
from portal.guides.pages import CONTENT, error_page, guides
from tests.portal import browser
from tests.portal.browser import page
from tests.portal.test_pages import wrongs


@pytest.mark.parametrize("code", sorted(PROBLEMS))
def test_every_code_has_a_page_and_a_twin(db, code):
    client = browser.visitor()
    html = page(client.get(f"/docs/errors/{code}/"))
    assert wrongs(html) == []
    assert code in html.text("title")
    twin = client.get(f"/docs/errors/{code}.md")
    assert twin["Content-Type"].startswith("text/markdown")
    assert twin.content.decode().startswith("# ")


def test_no_page_without_a_code():
    assert {path.stem for path in (CONTENT / "errors").glob("*.md")} == set(PROBLEMS)


def test_guides_are_pages_with_titles_and_leads():
    assert [guide.slug for guide in guides()] == ["quickstart", "keys", "limits", "sandbox", "errors"]
    for guide in guides():
        assert guide.title and guide.lead and "{gateway}" not in guide.text
        assert not re.search(r"\*\*|`|\]\(", guide.lead)


@pytest.mark.parametrize("slug", [guide.slug for guide in guides()])
def test_links_inside_guides_lead_somewhere(member, slug):
    html = page(member.get(f"/docs/{slug}/"))
    broken = [link for link in html.links() if member.get(link).status_code >= 400]
    assert broken == []
    assert member.get(f"/docs/{slug}.md").content.decode().startswith("# ")


def test_the_index_lists_them_all(db):
    html = page(browser.visitor().get("/docs/errors/"))
    assert {f"/docs/errors/{code}/" for code in PROBLEMS} <= html.links()


def test_codes_that_look_like_paths_are_not_read():
    assert error_page("../guides/keys") is None
    assert error_page("none") is None
