"""Pages by key: each row exactly once, while others are added and removed."""

import json

import pytest

from accounts.models import Organization
from kit.ids import uuid7

pytestmark = [pytest.mark.urls("tests.kit.rest_views"), pytest.mark.django_db]


def add(*names: str) -> None:
    for name in names:
        Organization.objects.create(name=name, slug=name)


def get(client, url: str):
    response = client.get(url)
    return response.status_code, json.loads(response.content)


def test_newest_first_and_null_at_the_end(client):
    for at, name in enumerate(("a", "b", "c")):
        Organization.objects.create(id=uuid7(1_000 + at), name=name, slug=name)
    assert get(client, "/api/rows") == (200, {"items": ["c", "b", "a"], "next": None})


def test_all_pages_hold_each_row_once_while_rows_come_and_go(client):
    add(*(f"r{n}" for n in range(10)))
    seen, url = [], "/api/rows?limit=3"
    while url:
        _, page = get(client, url)
        seen += page["items"]
        url = page["next"]
        add(f"late{len(seen)}")
        Organization.objects.filter(name=seen[-1]).delete()  # even the row the cursor names
    assert sorted(seen) == [f"r{n}" for n in range(10)]


def test_an_exact_page_has_no_next(client):
    add("a", "b")
    assert get(client, "/api/rows?limit=2")[1]["next"] is None


def test_next_keeps_the_other_parameters(client):
    add("a", "b")
    following = get(client, "/api/rows?limit=1&colour=red")[1]["next"]
    assert following.startswith("http://testserver/api/rows?")
    assert "colour=red" in following
    assert "limit=1" in following


def test_the_limit_is_capped(client):
    add(*(f"r{n}" for n in range(101)))
    assert len(get(client, "/api/rows?limit=100000")[1]["items"]) == 100
    assert len(get(client, "/api/rows")[1]["items"]) == 25


@pytest.mark.parametrize("limit", ["0", "-1", "x", "1.5", "", "٣", "9" * 30, "%00"])
def test_a_bad_limit_is_invalid(client, limit):
    status, problem = get(client, f"/api/rows?limit={limit}")
    assert (status, problem["errors"][0]["field"]) == (422, "limit")


@pytest.mark.parametrize("cursor", ["x", "%00", "1", "9" * 99, "0198-", "%F0%9F%98%80", "' or 1=1"])
def test_a_bad_cursor_is_invalid(client, cursor):
    status, problem = get(client, f"/api/rows?cursor={cursor}")
    assert (status, problem["errors"][0]["field"]) == (422, "cursor")
