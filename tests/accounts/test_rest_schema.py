"""The OpenAPI document: valid, and true to what the endpoints answer."""

import json

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator


@pytest.fixture
def document(client):
    response = client.get("/api/v1/openapi.json")
    assert response.status_code == 200
    return json.loads(response.content)


def test_it_is_valid_openapi_3_1(document, db):
    assert document["openapi"].startswith("3.1")
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_it_names_every_endpoint_of_accounts(document, db):
    assert {
        "/api/v1/me", "/api/v1/organizations", "/api/v1/organizations/{id}", "/api/v1/projects", "/api/v1/tokens",
        "/api/v1/tokens/{id}/revoke", "/api/v1/audit-events",
    } <= set(document["paths"])  # fmt: skip


def test_every_operation_may_answer_a_problem_and_wants_the_token(document, db):
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    for path in document["paths"].values():
        for verb in path.keys() & {"get", "post", "patch", "put", "delete"}:
            assert path[verb]["responses"]["4XX"] == {"$ref": "#/components/responses/Problem"}
            assert {"token": []} in path[verb]["security"]


def test_lists_are_pages(document, db):
    schema = document["paths"]["/api/v1/tokens"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    page = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    assert set(page["properties"]) == {"items", "next"}
    parameters = {each["name"] for each in document["paths"]["/api/v1/tokens"]["get"]["parameters"]}
    assert {"limit", "cursor"} <= parameters


def test_a_secret_stands_only_in_the_answer_that_issues_it(document, db):
    schemas = document["components"]["schemas"]
    assert "secret" in schemas["IssuedToken"]["properties"]
    assert "secret" not in schemas["Token"]["properties"]
    assert "digest" not in json.dumps(document)


def test_requests_are_told_to_be_strict(document, db):
    request = document["components"]["schemas"]["ProjectRequest"]
    assert request["additionalProperties"] is False
    assert set(request["properties"]) == {"name"}
    assert (request["properties"]["name"]["minLength"], request["properties"]["name"]["maxLength"]) == (1, 120)
