"""The marketplace's endpoints, as a program with a token meets them."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import public as accounts
from accounts.models import AuditEvent
from kit.secrets import key_kind
from marketplace import public
from marketplace.rest.limits import RATES
from tests.accounts.world import member
from tests.marketplace.shop import NOW, ROOT, key_of, open_shop, subscribed

BY = {"actor": ROOT, "at": NOW}


def token_of(who):
    return accounts.issue_token(who.org, user_id=who.owner.id, name="t", actor=ROOT, at=timezone.now())[1]


@pytest.fixture
def call(client, acme):
    """Call the API as Acme's owner (or with another token); answer status and JSON."""
    own = token_of(acme)

    def call(method, path, body=None, *, token="", **headers):
        headers["authorization"] = f"Bearer {token or own}"
        data = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
        response = getattr(client, method)(f"/api/v1/{path}", **data, headers=headers)
        return response.status_code, json.loads(response.content)

    return call


# --- the catalogue ---


def test_apis_are_listed_and_read(shop, call):
    open_shop("moon")
    status, page = call("get", "apis")
    assert (status, [each["slug"] for each in page["items"]]) == (200, ["moon", "world"])
    status, api = call("get", "apis/world")
    assert (status, api["price"], api["operations"], api["free_plan"]) == (
        200, "Free plan, paid plans from $29.00 a month", 1, "world-free",
    )  # fmt: skip
    assert [(each["name"], each["live"], each["sandbox"]) for each in api["versions"]] == [("v1", True, True)]


@pytest.mark.parametrize(
    ("query", "found"), [("q=wrld", ["world"]), ("q=moon", []), ("category=data", ["world"]), ("category=x", [])]
)
def test_apis_are_searched(shop, call, query, found):
    assert [each["slug"] for each in call("get", f"apis?{query}")[1]["items"]] == found


def test_drafts_and_private_apis_are_their_owner_s(shop, acme, evil, call):
    public.create_api(evil.org, slug="secret", name="Secret", **BY)
    public.create_api(acme.org, slug="mine", name="Mine", visibility="private", **BY)
    assert {each["slug"] for each in call("get", "apis")[1]["items"]} == {"world", "mine"}
    assert call("get", "apis/secret")[0] == 404
    assert call("get", "apis/mine")[1]["state"] == "draft"


def test_a_version_comes_with_its_operations_and_document(shop, call):
    _, page = call("get", "versions?api=world")
    assert [(each["id"], each["api"]) for each in page["items"]] == [(str(shop.version), "world")]
    status, version = call("get", f"versions/{shop.version}")
    assert (status, version["document"]["openapi"]) == (200, "3.1.0")
    assert [(each["operation_id"], each["path"]) for each in version["operations"]] == [
        ("getCountry", "/world/v1/countries/{code}")
    ]


def test_plans_say_their_prices_and_limits(shop, call):
    status, page = call("get", "plans?api=world")
    assert (status, [each["slug"] for each in page["items"]]) == (200, ["world-pro", "world-free"])
    _, pro = call("get", "plans/world-pro")
    assert [price["sentence"] for price in pro["version"]["prices"]] == [
        "$29.00 a month", "10,000 calls included, then $0.01 per call",
    ]  # fmt: skip
    assert pro["version"]["prices"][1]["config"] == {"included": 10_000, "unit_amount": "0.01"}


def test_a_private_plan_is_shown_to_nobody_else(shop, call):
    public.create_plan(slug="deal", name="Deal", api_ids=[shop.api], terms=public.Terms(), visibility="private", **BY)
    assert call("get", "plans/deal")[0] == 404


# --- subscriptions ---


def test_a_free_plan_is_taken_and_left(shop, acme, call):
    status, held = call("post", "subscriptions", {"api": "world"})
    assert (status, held["plan"], held["apis"], held["project"]) == (201, "world-free", ["world"], str(acme.project))
    assert (
        call("post", "subscriptions", {"api": "world", "plan": "world-free", "project": str(acme.project)})[1]["id"]
        == held["id"]
    )
    assert call("get", f"subscriptions/{held['id']}")[1] == held
    status, ending = call("post", f"subscriptions/{held['id']}/cancel")
    assert (status, ending["change_at"]) == (200, held["period"]["end_at"])
    assert AuditEvent.objects.get(action="subscription.cancelled").actor_kind == "token"


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 422, "api"),
        ({"api": "world", "plan": "world-pro"}, 422, "plan"),
        ({"api": "world", "project": "x"}, 422, "project"),
        ({"api": "world", "colour": "red"}, 422, "colour"),
        ({"api": "mars"}, 404, None),
        ({"api": "world", "project": "0192f0c1-0000-7000-8000-000000000001"}, 404, None),
    ],
)
def test_bad_subscriptions(shop, call, body, status, field):
    answered, problem = call("post", "subscriptions", body)
    assert answered == status
    assert [error["field"] for error in problem.get("errors", [])] == ([field] if field else [])


def test_a_conflict_says_why(shop, acme, call):
    second = accounts.create_project(acme.org, name="Second", **BY)
    call("post", "subscriptions", {"api": "world"})
    status, problem = call("post", "subscriptions", {"api": "world", "project": str(second.id)})
    assert (status, problem["code"]) == (409, "conflict")
    assert "another project" in problem["detail"]


# --- keys ---


def test_a_key_is_minted_and_its_secret_shown_once(shop, acme, call):
    status, key = call("post", "keys", {"name": "CI", "scopes": ["world:read"], "allowed_ips": ["10.0.0.1"]})
    assert (status, key_kind(key["secret"]), key["kind"]) == (201, "live", "live")
    assert (key["scopes"], key["allowed_ips"], key["project"]) == (["world:read"], ["10.0.0.1/32"], str(acme.project))
    shown = call("get", f"keys/{key['id']}")[1]
    assert shown == {name: value for name, value in key.items() if name != "secret"}
    assert [each["id"] for each in call("get", f"keys?project={acme.project}")[1]["items"]] == [key["id"]]


def test_a_repeated_request_mints_once_and_shows_nothing(shop, call):
    first = call("post", "keys", {"name": "CI"}, **{"idempotency-key": "one"})[1]
    again = call("post", "keys", {"name": "CI"}, **{"idempotency-key": "one"})[1]
    assert (again["id"], again["secret"], again["replayed"]) == (first["id"], None, True)
    assert len(call("get", "keys")[1]["items"]) == 1


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["name"]),
        ({"name": "a\x00"}, ["name"]),
        ({"name": "a", "kind": "prod"}, ["kind"]),
        ({"name": "a", "scopes": "*"}, ["scopes"]),
        ({"name": "a", "scopes": []}, ["scopes"]),
        ({"name": "a", "scopes": ["nobody:*"]}, ["scopes.0"]),
        ({"name": "a", "scopes": [3, None]}, ["scopes.1"]),
        ({"name": "a", "allowed_ips": ["x"]}, ["allowed_ips.0"]),
        ({"name": "a", "expires_at": "2020-01-01T00:00:00Z"}, ["expires_at"]),
        ({"name": "a", "expires_at": "soon"}, ["expires_at"]),
        ({"name": "a", "expires_at": "9999-12-31T23:59:59-23:59"}, ["expires_at"]),
        ({"name": "a", "digest": "x"}, ["digest"]),
        ({"name": "a", "last4": "x"}, ["last4"]),
    ],
)
def test_a_bad_key_names_its_field(shop, call, body, fields):
    status, problem = call("post", "keys", body)
    assert (status, [error["field"] for error in problem["errors"]]) == (422, fields), problem


def test_rename_roll_revoke_reveal(shop, acme, call):
    view, secret = key_of(acme, kind="test")
    assert call("patch", f"keys/{view.id}", {"name": "New"})[1]["name"] == "New"
    assert call("patch", f"keys/{view.id}", {"state": "active"})[0] == 422
    assert call("post", f"keys/{view.id}/reveal")[1] == {"id": str(view.id), "secret": secret}
    status, rolled = call("post", f"keys/{view.id}/roll", {"overlap": "1h"})
    assert (status, rolled["replaces"], rolled["secret"] == secret) == (201, str(view.id), False)
    status, revoked = call("post", f"keys/{view.id}/revoke")
    assert (status, revoked["state"]) == (200, "revoked")
    assert call("post", f"keys/{view.id}/roll", {})[0] == 409


def test_the_default_overlap_is_a_day(shop, acme, call):
    view, _ = key_of(acme)
    call("post", f"keys/{view.id}/roll", {})
    left = public.key(acme.org, id=view.id).expires_at - timezone.now()
    assert timedelta(hours=23) < left <= timedelta(hours=24)
    assert call("post", f"keys/{view.id}/roll", {"overlap": "2h"})[0] == 422


def test_a_live_key_is_not_revealed(shop, acme, call):
    view, _ = key_of(acme)
    assert call("post", f"keys/{view.id}/reveal")[0] == 409


@pytest.mark.django_db(transaction=True)
def test_a_revoke_that_the_gateway_has_not_taken_says_so(shop, acme, call, settings):
    view, _ = key_of(acme)
    settings.OUTBOX_HANDLERS = {"directory": "tests.marketplace.shop.refuse"}
    status, problem = call("post", f"keys/{view.id}/revoke")
    assert (status, problem["code"], problem["retry_after"]) == (503, "propagation_pending", 1)
    assert public.key(acme.org, id=view.id).state == "revoked"


# --- whose, and by whom ---

OWN = ["keys/{key}", "subscriptions/{held}"]
ACTS = ["keys/{key}/revoke", "keys/{key}/roll", "keys/{key}/reveal", "subscriptions/{held}/cancel"]


def test_what_another_organization_holds_is_not_found(shop, acme, evil, call):
    names = {"key": key_of(acme, kind="test")[0].id, "held": subscribed(shop, acme).id}
    token = token_of(evil)
    for path in OWN:
        assert call("get", path.format(**names), token=token)[0] == 404
    for path in ACTS:
        assert call("post", path.format(**names), {}, token=token)[0] == 404
    assert call("patch", f"keys/{names['key']}", {"name": "x"}, token=token)[0] == 404
    assert call("post", "keys", {"name": "x", "project": str(acme.project)}, token=token)[0] == 404
    assert call("get", f"keys?project={acme.project}", token=token)[1]["items"] == []
    assert public.key(acme.org, id=names["key"]).state == "active"


@pytest.mark.parametrize(
    ("role", "keys", "subscriptions"),
    [("developer", 201, 201), ("billing", 403, 201), ("read_only", 403, 403), ("admin", 201, 201)],
)
def test_the_role_decides(shop, acme, call, role, keys, subscriptions):
    _, token = member(acme.org, f"{role}@acme.example", role)
    assert call("get", "keys", token=token)[0] == 200
    assert call("post", "keys", {"name": "x"}, token=token)[0] == keys
    assert call("post", "subscriptions", {"api": "world"}, token=token)[0] == subscriptions


@pytest.mark.parametrize("path", ["apis", "plans", "versions", "keys", "subscriptions"])
def test_unknown_parameters_and_missing_tokens(shop, call, client, path):
    status, problem = call("get", f"{path}?colour=red")
    assert (status, problem["errors"][0]["field"]) == (422, "colour")
    assert call("get", f"{path}?limit=0")[0] == 422
    assert call("get", f"{path}?limit=1")[0] == 200
    assert client.get(f"/api/v1/{path}").status_code == 401


@pytest.mark.parametrize(
    "path", ["apis/%00", "apis/nothing", "plans/nothing", "versions/0192f0c1-0000-7000-8000-000000000001", "keys/x"]
)
def test_what_is_not_there(shop, call, path):
    assert call("get", path)[0] == 404


def test_pages_follow_each_other(acme, call):
    for number in range(5):
        key_of(acme, name=f"k{number}")
    seen, path = [], "keys?limit=2"
    while path:
        page = call("get", path)[1]
        seen += [each["name"] for each in page["items"]]
        path = page["next"] and page["next"].partition("/api/v1/")[2]
    assert seen == ["k4", "k3", "k2", "k1", "k0"]


def test_minting_has_a_rate(shop, call, settings, monkeypatch):
    settings.RATELIMIT_ENABLE = True
    monkeypatch.setitem(RATES, "keys", "2/h")
    assert [call("post", "keys", {"name": "x"})[0] for _ in range(3)] == [201, 201, 429]
