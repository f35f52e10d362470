"""The OpenAPI document as an attacker reads it: schemathesis makes requests of it, and none is answered with 5xx."""

import json

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode

PATHS = "^/api/v1/(me|organizations|projects|tokens|audit-events)"


@pytest.fixture
def operations(client, db):
    document = json.loads(client.get("/api/v1/openapi.json").content)
    schema = schemathesis.openapi.from_dict(document).include(path_regex=PATHS)
    return [result.ok() for result in schema.get_all_operations()]


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_no_request_is_answered_with_a_crash(acme, client, operations, mode):
    assert len(operations) == 10
    for operation in operations:
        seen = statuses(client, acme, operation.as_strategy(generation_mode=mode))
        assert max(seen) < 500, operation.label
        if mode is GenerationMode.POSITIVE and operation.label == "POST /api/v1/projects":
            assert 201 in seen  # the document is true enough to make something with it


def statuses(client, tenant, cases) -> list[int]:
    """Send a dozen generated requests."""
    seen: list[int] = []

    @settings(
        max_examples=12,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def attack(case):
        seen.append(send(client, tenant, case))

    attack()
    return seen


def send(client, tenant, case) -> int:
    """Send a generated request through Django's test client; answer the status."""
    request = case.as_transport_kwargs(base_url="http://testserver")
    body = request.get("data")
    if "json" in request:
        body = json.dumps(request["json"], default=str)
    response = client.generic(
        case.operation.method.upper(),
        case.formatted_path,
        body or b"",
        content_type="application/json",
        query_params=[(name, value) for name, value in (case.query or {}).items()],
        headers={"authorization": f"Bearer {tenant.token}"},
    )
    return response.status_code
