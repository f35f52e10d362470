"""The endpoints of usage, as a program with a token meets them."""

import json
from datetime import datetime
from uuid import UUID, uuid4

import pytest

from kit.ids import uuid7
from tests.accounts import world
from tests.usage.journal import KEY, NOW, beat, line, message, refused
from usage.intake import store
from usage.lines import read_message

pytestmark = pytest.mark.django_db(transaction=True)

SPAN = "from=2026-03-01T00:00:00Z&to=2026-04-01T00:00:00Z"


@pytest.fixture
def acme(settings):
    settings.OUTBOX_HANDLERS = {"directory": "tests.accounts.world.take"}
    return world.tenant("Acme", "alice@acme.example")


@pytest.fixture
def evil(acme):
    return world.tenant("Evil", "mallory@evil.example")


@pytest.fixture
def get(client):
    def get(path: str, token: str):
        response = client.get(f"/api/v1/{path}", headers={"authorization": f"Bearer {token}"})
        return response.status_code, json.loads(response.content)

    return get


def take(org, *said) -> None:
    for one in said:
        if hasattr(one, "organization"):
            one.organization = str(org)
    store(read_message(message(said)), at=NOW)


def test_a_report(acme, get):
    take(acme.org, beat(0), line(1, units={"tokens": 7}), refused(2, count=4))
    status, body = get(f"usage?{SPAN}&group_by=status", acme.token)
    assert status == 200
    assert body == {
        "from": "2026-03-01T00:00:00Z",
        "to": "2026-04-01T00:00:00Z",
        "calls": 5,
        "billable": 1,
        "units": {"tokens": 7},
        "distinct_event_ids": 2,
        "cost": None,
        "as_of": "2026-03-14T12:30:00Z",
        "group_by": "status",
        "rows": [
            {"group": "4xx", "calls": 4, "billable": 0, "units": {}},
            {"group": "2xx", "calls": 1, "billable": 1, "units": {"tokens": 7}},
        ],
    }


def test_without_parameters_the_last_30_days(acme, get):
    status, body = get("usage", acme.token)
    assert (status, body["calls"], body["rows"], body["as_of"]) == (200, 0, [], None)
    start, end = (datetime.fromisoformat(body[name]) for name in ("from", "to"))
    assert (end - start).days == 30


def test_filters_by_key_and_subscription(acme, get):
    other = str(uuid7())
    take(acme.org, line(1), line(2, key=other))
    assert get(f"usage?{SPAN}&key={KEY}", acme.token)[1]["calls"] == 1
    assert get(f"usage?{SPAN}&subscription={uuid4()}", acme.token)[1]["calls"] == 0


def test_another_organizations_key_looks_like_one_that_does_not_exist(acme, evil, get):
    take(acme.org, line(1))
    theirs = get(f"usage?{SPAN}&key={KEY}", evil.token)
    nobodys = get(f"usage?{SPAN}&key={uuid4()}", evil.token)
    assert theirs == nobodys
    assert theirs[1]["calls"] == 0
    assert get(f"events?key={KEY}", evil.token)[1] == {"items": [], "next": None}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("key=nonsense", "key"),
        ("subscription=%00", "subscription"),
        ("from=2026-03-01T00:00:00", "from"),
        ("from=2026-03-01", "from"),
        ("from=yesterday", "from"),
        ("from=2026-03-01T00:00:00+01:00", "from"),  # an unescaped plus is a space
        ("from=0001-01-01T00:00:00%2B14:00", "from"),
        ("to=0001-01-02T00:00:00Z", "to"),
        ("to=", "to"),
        ("from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z", "from"),
        ("from=2025-01-01T00:00:00Z&to=2026-03-01T00:00:00Z", "from"),
        ("to=9998-12-31T23:59:59Z&from=2026-03-01T00:00:00Z", "from"),
        ("to=9999-12-31T23:59:59Z", "to"),
        ("group_by=colour", "group_by"),
        ("group_by=", "group_by"),
        ("mode=dead", "mode"),
        ("zone=Mars/Olympus", "zone"),
        ("zone=../etc/passwd", "zone"),
        ("form=2026-03-01T00:00:00Z", "form"),
        ("key=a&key=b", "key"),
    ],
)
def test_a_bad_parameter_is_named(acme, get, query, field):
    status, problem = get(f"usage?{query}", acme.token)
    assert (status, problem["code"], [error["field"] for error in problem["errors"]]) == (422, "invalid", [field])
    assert problem["errors"][0]["message"]


@pytest.mark.parametrize("year", ["1971", "9998"])
def test_extreme_but_good_instants(acme, get, year):
    span = f"from={year}-12-01T00:00:00Z&to={year}-12-31T23:59:59.999999Z"
    for zone in ("Pacific/Kiritimati", "Pacific/Niue"):
        assert get(f"usage?{span}&group_by=day&zone={zone}", acme.token)[0] == 200


@pytest.mark.parametrize("path", ["usage", "events"])
def test_without_a_token_nothing(client, path):
    assert client.get(f"/api/v1/{path}").status_code == 401


def test_the_request_log_pages(acme, get):
    take(acme.org, *(line(n, at=NOW.replace(minute=n)) for n in range(1, 8)))
    seen, path = [], "events?limit=3"
    while path:
        status, body = get(path, acme.token)
        assert status == 200
        seen += body["items"]
        path = (body["next"] or "").partition("/api/v1/")[2]
    assert [event["at"] for event in seen] == [f"2026-03-14T12:0{n}:00Z" for n in range(7, 0, -1)]
    assert (seen[0]["status"], seen[0]["operation"], seen[0]["key"]) == (200, "getCountry", KEY)


@pytest.mark.parametrize(
    ("query", "field"),
    [("limit=0", "limit"), ("limit=101", "limit"), ("limit=x", "limit"), ("cursor=x", "cursor"),
     (f"cursor={UUID('3f0f6e1e-6d0b-4c39-9c0a-9d6f0f3b7a51')}", "cursor"), ("key=x", "key"), ("page=2", "page")],
)  # fmt: skip
def test_a_bad_page_is_named(acme, get, query, field):
    status, problem = get(f"events?{query}", acme.token)
    assert (status, [error["field"] for error in problem["errors"]]) == (422, [field])


def test_a_cursor_of_any_instant_is_good(acme, get):
    assert get(f"events?cursor={uuid7((1 << 48) - 1)}", acme.token)[0] == 200
    assert get(f"events?cursor={uuid7(0)}", acme.token)[0] == 200
