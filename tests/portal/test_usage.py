"""The usage page: the same figures in chart, table and log, whatever the address says."""

import re
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Organization
from marketplace import public as marketplace
from tests.portal import browser, shelf
from tests.portal.browser import page
from tests.portal.test_pages import MOST_QUERIES, wrongs
from tests.usage.conftest import empty_tables
from tests.usage.journal import beat, line, message, refused
from usage.intake import store
from usage.lines import read_message

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def caller() -> Client:
    """A member with a short history: 5 live calls (a 404, a 502 among them), 40 collapsed refusals, 2 sandbox calls."""
    empty_tables()
    shelf.open_shop()
    client = browser.visitor()
    browser.sign_up(client)
    organization = Organization.objects.get(name="Ada Lovelace").id
    keys = {key.kind: key for key in marketplace.keys(organization)}
    held = marketplace.subscriptions(organization, at=timezone.now())[0]
    now = timezone.now()

    def of(kind: str, **more: object) -> dict[str, object]:
        key = keys[kind]
        told = {"organization": str(organization), "project": str(key.project_id), "key": str(key.id)}
        told |= {"subscription": str(held.id), "period_id": str(held.period.id), "at": now}
        return told | {"test": kind == "test", "billable": kind == "live"} | more

    said = [line(n, **of("live")) for n in range(1, 4)]
    said += [line(4, **of("live", status=404)), line(5, **of("live", status=502, billable=False, accepted=True))]
    said += [refused(6, **of("live", billable=False), count=40)]
    said += [line(7, **of("test")), line(8, **of("test", console=True))]
    store(read_message(message([*said, beat(8, clock=now)])), at=now)
    return client


def shown(client: Client, url: str = "/app/usage/") -> browser.Page:
    response = client.get(url)
    assert response.status_code == 200
    return page(response)


def totals(html: browser.Page) -> list[int]:
    return [int(text.replace(",", "")) for text in html.texts["dd"][:4]]


def test_every_view_says_the_same_numbers(caller):
    html = shown(caller)
    assert totals(html) == [47, 4, 41, 1]
    assert "Total 47 4 41 1" in html.text("table")
    assert "47 calls in 24 hours" in html.text("desc")
    titles = [text for text in html.texts["title"] if "calls," in text]
    assert sum(int(re.findall(r"([\d,]+) calls", text)[0]) for text in titles) == 47


@pytest.mark.parametrize(
    ("address", "calls"),
    [
        ("?mode=live", 45),
        ("?mode=test", 2),
        ("?range=7d", 47),
        ("?range=30d&mode=test", 2),
        ("?range=nonsense&mode=x&key=y", 47),
        ("?key=018f6b1e-7c3a-7d52-9d0e-0a1b2c3d4e5f", 0),
    ],
)
def test_the_address_says_what_is_shown(caller, address, calls):
    html = shown(caller, f"/app/usage/{address}")
    assert totals(html)[0] == calls
    assert wrongs(html) == []


def test_the_log_follows_the_environment(caller):
    assert "billable" not in shown(caller, "/app/usage/?mode=test").texts["table"][-1].replace("Billable", "")
    assert "sandbox" not in shown(caller, "/app/usage/?mode=live").texts["table"][-1]


def test_one_key_alone(caller):
    keys = [attrs["value"] for attrs in shown(caller).all("option") if attrs.get("value")]
    assert sorted(totals(shown(caller, f"/app/usage/?key={key}"))[0] for key in keys) == [2, 45]


def test_the_log_names_operation_status_and_way_out(caller):
    html = shown(caller)
    assert "getCountry ×40" in html.text("table")
    assert "/docs/errors/quota_exceeded/" in {str(attrs.get("href")) for attrs in html.all("a")}
    assert "sandbox" in html.text("table") and "billable" in html.text("table")


def test_home_shows_state_and_what_is_used_up(caller):
    html = shown(caller, "/app/")
    assert totals(html) == [47, 4, 41, 1]
    assert "4 of 1,000 billable calls" in html.text("article")
    assert "3 of 4" in html.text("section")
    assert wrongs(html) == []


def test_pages_with_history_stay_within_their_queries(caller):
    for url in ("/app/", "/app/usage/", "/app/usage/?range=30d", "/app/keys/", "/apis/world/docs/getCountry/"):
        with CaptureQueriesContext(connection) as queries:
            caller.get(url)
        assert len(queries) <= MOST_QUERIES, url


def test_how_fresh_it_is_is_said(caller):
    assert re.search(r"as of \d\d:\d\d:\d\d UTC|no gateway has reported yet", shown(caller).text("main"))


def test_another_organization_sees_nothing_of_it(caller):
    other = browser.visitor()
    browser.sign_up(other, "mallory@example.com")
    key = next(attrs["value"] for attrs in shown(caller).all("option") if attrs.get("value"))
    for url in ("/app/usage/", f"/app/usage/?key={key}", "/app/"):
        html = shown(other, url)
        assert totals(html) == [0, 0, 0, 0]
        assert "getCountry" not in html.text("table")
    assert UUID(str(key))


def test_the_banner_counts_live_calls(caller):
    banner = shown(caller, "/app/keys/").text("aside")
    assert "at least 55 of 100 live calls left" in banner
