"""Hostile input is answered with a problem, never with 500, and changes nothing."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Organization
from tests.accounts.world import tenant

TEXTS = [
    "\\u0000", "a\\u0000b", "\\ud800", "\\udfff\\ud800", "", " ", "\\u202e", "x" * 121, "x" * 10_000, "\\n\\r\\t",
    "' or 1=1 --", "<script>alert(1)</script>", "{{7*7}}", "%s%n", "../../etc/passwd", "\\uffff",
]  # fmt: skip
VALUES = [
    *(f'"{text}"' for text in TEXTS),
    "null", "true", "[]", "{}", "0", "-1", "1e308", "1e309", "9" * 30, "9" * 31, "-0.0", "[[]]", '{"a":{"b":{}}}',
    "NaN", "[" * 40 + "]" * 40, '"2026-02-30T00:00:00Z"', '"9999-12-31T23:59:59-23:59"', '"0001-01-01T00:00:00+23:59"',
    '"2026-11-20T12:00:00"',
]  # fmt: skip
BODIES = ["", "null", "[]", '"text"', "0", "{", "{}x", "\x00", '{"name": "a", "name": "b"}', "[" * 10_000]
WRITES = [
    ("patch", "/api/v1/organizations/{org}", "name"), ("patch", "/api/v1/organizations/{org}", "zone"),
    ("post", "/api/v1/projects", "name"), ("post", "/api/v1/tokens", "name"), ("post", "/api/v1/tokens", "expires_at"),
]  # fmt: skip


@pytest.fixture
def send(acme, client):
    def send(method: str, path: str, body: bytes, **headers: str):
        return client.generic(
            method.upper(),
            path.format(org=acme.org, token=acme.token_id),
            body,
            content_type="application/json",
            headers={"authorization": f"Bearer {acme.token}", **headers},
        )

    return send


def calm(response) -> None:
    """Not a crash; and if a refusal, then a problem."""
    assert response.status_code < 500, response.content
    if response.status_code >= 400:
        assert json.loads(response.content)["status"] == response.status_code


@pytest.mark.parametrize(("method", "path", "field"), WRITES)
@pytest.mark.parametrize("value", VALUES, ids=lambda value: value[:20])
def test_any_value_in_any_field(send, method, path, field, value):
    body = {"name": '"x"', field: value}
    calm(send(method, path, ("{" + ",".join(f'"{name}": {text}' for name, text in body.items()) + "}").encode()))


@pytest.mark.parametrize(("method", "path"), sorted({(method, path) for method, path, _ in WRITES}))
@pytest.mark.parametrize("body", BODIES, ids=lambda body: body[:10])
def test_any_body(send, method, path, body):
    calm(send(method, path, body.encode()))


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/organizations/%00", "/api/v1/organizations/1", "/api/v1/organizations/" + "9" * 400,
        "/api/v1/tokens/..%2f..%2f/revoke", "/api/v1/audit-events?cursor=%00", "/api/v1/tokens?limit=%00",
        "/api/v1/projects?cursor=ffffffff-ffff-ffff-ffff-ffffffffffff", "/api/v1/projects?limit=-1",
        "/api/v1/projects?cursor=%ff%fe", "/api/v1//projects", "/api/v1/projects/", "/api/v1/😀", "/api/",
        "/api/v1/openapi.json?format=exe", "/api/v1/me?format=html", "/api/v1/me?lang=" + "x" * 3000,
    ],
)  # fmt: skip
def test_any_path_and_query(send, path):
    calm(send("get", path, b""))


@pytest.mark.parametrize("key", ["", "\x00", "a" * 10_000, "é", "a b", '"quoted"'])
def test_any_idempotency_key(send, key):
    calm(send("post", "/api/v1/projects", b'{"name": "x"}', **{"idempotency-key": key}))


@pytest.mark.parametrize("address", ["", "rubbish", "1.2.3.4, \x00", "999.1.1.1", "::1%\x00", "a" * 10_000])
def test_any_forwarded_address(send, address, settings):
    settings.GATEWAY = type(settings.GATEWAY)(**{**vars(settings.GATEWAY), "trusted_proxies": ("127.0.0.0/8",)})
    calm(send("post", "/api/v1/projects", b'{"name": "x"}', **{"x-forwarded-for": address}))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=JSON, zone=JSON, more=st.dictionaries(st.text(max_size=5), JSON, max_size=2))
def test_any_json(send, name, zone, more):
    calm(send("patch", "/api/v1/organizations/{org}", json.dumps({**more, "name": name, "zone": zone}).encode()))


def test_the_world_is_still_as_it_was(send):
    send("patch", "/api/v1/organizations/{org}", b'{"name": "\\u0000"}')
    tenant("Other", "other@example.com")
    assert set(Organization.objects.values_list("name", flat=True)) == {"Acme", "Other"}
