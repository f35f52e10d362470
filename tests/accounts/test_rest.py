"""The endpoints of accounts, as a program with a token meets them."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import public
from accounts.models import AuditEvent, ManagementToken
from tests.accounts.world import NOW, ROOT, member


@pytest.fixture
def call(client):
    """Call the API with a token; answer status and JSON."""

    def call(method: str, path: str, body: object = None, *, token: str = "", **headers: str):
        if token:
            headers["authorization"] = f"Bearer {token}"
        data = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
        response = getattr(client, method)(f"/api/v1/{path}", **data, headers=headers)
        return response.status_code, json.loads(response.content)

    return call


def test_me_says_whom_the_token_speaks_for(acme, call):
    status, body = call("get", "me", token=acme.token)
    assert status == 200
    assert body["user"] == {
        "id": str(acme.owner.id), "email": "alice@acme.example", "name": "", "verified": False,
    }  # fmt: skip
    assert (body["organization"]["id"], body["role"]) == (str(acme.org), "owner")
    assert "keys.write" in body["permissions"]
    assert body["token_id"] == str(acme.token_id)


def test_organizations_is_a_list_of_one(acme, evil, call):
    status, body = call("get", "organizations", token=acme.token)
    assert (status, [each["slug"] for each in body["items"]], body["next"]) == (200, ["acme"], None)


def test_an_organization_is_read_and_changed(acme, call):
    path = f"organizations/{acme.org}"
    assert call("get", path, token=acme.token)[1]["name"] == "Acme"
    status, body = call("patch", path, {"name": "Acme & Co", "zone": "Asia/Tokyo"}, token=acme.token)
    assert (status, body["name"], body["zone"]) == (200, "Acme & Co", "Asia/Tokyo")
    assert AuditEvent.objects.get(action="organization.updated").actor_kind == "token"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"slug": "x"}, "slug"), ({"state": "active"}, "state"), ({"rev": 9}, "rev"), ({"zone": "Mars"}, "zone"),
        ({"name": ""}, "name"), ({"name": None}, "name"), ({"nmae": "x"}, "nmae"), ({"id": "x"}, "id"),
    ],
)  # fmt: skip
def test_a_bad_change_names_its_field(acme, call, body, field):
    status, problem = call("patch", f"organizations/{acme.org}", body, token=acme.token)
    assert (status, [each["field"] for each in problem["errors"]]) == (422, [field])


def test_projects_are_listed_and_created(acme, call):
    status, made = call("post", "projects", {"name": "Checkout"}, token=acme.token)
    assert (status, made["slug"]) == (201, "checkout")
    assert {each["slug"] for each in call("get", "projects", token=acme.token)[1]["items"]} == {"default", "checkout"}
    assert call("post", "projects", {"name": "Checkout"}, token=acme.token)[1]["code"] == "conflict"


def test_head_is_get_without_a_body_and_options_is_not_answered(acme, client):
    headers = {"authorization": f"Bearer {acme.token}"}
    assert client.head("/api/v1/projects", headers=headers).status_code == 200
    response = client.options("/api/v1/projects", headers=headers)
    assert (response.status_code, json.loads(response.content)["code"]) == (405, "method_not_allowed")
    assert "POST" in response.headers["Allow"]


def test_a_token_s_secret_is_answered_once(acme, call):
    expires = (timezone.now() + timedelta(days=1)).isoformat()
    body = {"name": "ci", "expires_at": expires}
    status, issued = call("post", "tokens", body, token=acme.token, **{"idempotency-key": "k"})
    assert (status, issued["name"], issued["last4"]) == (201, "ci", issued["secret"][-4:])
    assert call("get", "me", token=issued["secret"])[0] == 200
    replayed = call("post", "tokens", body, token=acme.token, **{"idempotency-key": "k"})[1]
    assert (replayed["id"], replayed["secret"], replayed["replayed"]) == (issued["id"], None, True)
    listed = call("get", "tokens", token=acme.token)[1]["items"]
    assert len(listed) == 2
    assert not any("secret" in each or "digest" in each for each in listed)


def test_a_revoked_token_is_refused_from_the_next_request_on(acme, call):
    status, body = call("post", f"tokens/{acme.token_id}/revoke", token=acme.token)
    assert status == 200
    assert body["revoked_at"]
    assert call("get", "me", token=acme.token)[1]["code"] == "token_invalid"


def test_a_removed_member_s_token_is_refused_from_the_next_request_on(acme, call):
    bob, token = member(acme.org, "bob@acme.example", "developer")
    assert call("get", "me", token=token)[0] == 200
    public.remove_member(acme.org, user_id=bob.id, actor=ROOT, at=NOW)
    assert call("get", "me", token=token)[0] == 401


def test_others_tokens_are_revoked_by_those_who_manage_members(acme, call):
    _, bob = member(acme.org, "bob@acme.example", "developer")
    _, carol = member(acme.org, "carol@acme.example", "admin")
    assert call("post", f"tokens/{acme.token_id}/revoke", token=bob)[1]["code"] == "permission_denied"
    assert call("post", f"tokens/{acme.token_id}/revoke", token=carol)[0] == 200


def test_the_audit_log_is_read_newest_first_with_who_and_from_where(acme, call):
    call("post", "projects", {"name": "Checkout"}, token=acme.token)
    newest = call("get", "audit-events", token=acme.token)[1]["items"][0]
    assert (newest["action"], newest["target"]["label"]) == ("project.created", "Checkout")
    assert newest["actor"]["label"].startswith("alice@acme.example · tgm_…")
    assert newest["actor"]["ip"] == "127.0.0.1"


WRITES = [
    ("patch", "organizations/{org}"),
    ("post", "projects"),
    ("post", "tokens"),
    ("post", "tokens/{token_id}/revoke"),
]
READS = ["me", "organizations", "organizations/{org}", "projects", "tokens", "audit-events"]


@pytest.mark.parametrize(("method", "path"), [*WRITES, *(("get", path) for path in READS)])
@pytest.mark.parametrize(
    "header", [None, "Bearer", "Bearer ", "Basic dTpw", "Bearer tgm_x", "tgm_x", "Bearer \xff", "Bearer a b c"]
)
def test_without_a_valid_token_nothing_is_answered(acme, client, method, path, header):
    headers = {"authorization": header} if header else {}
    response = client.generic(
        method.upper(),
        "/api/v1/" + path.format(org=acme.org, token_id=acme.token_id),
        "{}",
        content_type="application/json",
        headers=headers,
    )
    assert response.status_code == 401
    assert json.loads(response.content)["code"] == "token_invalid"
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_a_role_that_only_reads_changes_nothing(acme, call, method, path):
    _, token = member(acme.org, "eve@acme.example", "read_only")
    before = AuditEvent.objects.count()
    path = path.format(org=acme.org, token_id=acme.token_id)
    assert call(method, path, {"name": "x"}, token=token)[1]["code"] == "permission_denied"
    assert AuditEvent.objects.count() == before


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_a_suspended_organization_reads_and_does_not_write(acme, call, method, path):
    public.suspend_organization(acme.org, actor=ROOT, at=NOW)
    path = path.format(org=acme.org, token_id=acme.token_id)
    assert call(method, path, {"name": "x"}, token=acme.token)[1]["code"] == "organization_suspended"
    assert call("get", "organizations", token=acme.token)[0] == 200


FOREIGN = [
    ("get", "organizations/{org}"),
    ("patch", "organizations/{org}"),
    ("post", "tokens/{token_id}/revoke"),
]


@pytest.mark.parametrize(("method", "path"), FOREIGN)
def test_what_another_organization_owns_is_not_found(acme, evil, client, method, path):
    path = path.format(org=acme.org, token_id=acme.token_id)
    response = client.generic(
        method.upper(),
        f"/api/v1/{path}",
        "{}",
        content_type="application/json",
        headers={"authorization": f"Bearer {evil.token}"},
    )
    assert (response.status_code, json.loads(response.content)["code"]) == (404, "not_found")
    assert b"cme" not in response.content
    assert ManagementToken.objects.get(id=acme.token_id).revoked_at is None


@pytest.mark.parametrize("path", READS)
def test_no_byte_of_another_organization_is_answered(acme, evil, client, path):
    path = path.format(org=evil.org)
    response = client.get(f"/api/v1/{path}?limit=100", headers={"authorization": f"Bearer {evil.token}"})
    assert response.status_code == 200
    for secret in ("acme", "Acme", str(acme.org), str(acme.owner.id), str(acme.token_id), str(acme.project)):
        assert secret.encode() not in response.content
