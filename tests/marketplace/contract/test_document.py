import json
import time

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from marketplace.contract.document import read_contract
from marketplace.contract.errors import BadContract
from tests.marketplace.contract.documents import GET_COUNTRY, Json, document, operation, text


def test_a_document_becomes_operations_that_stand_alone() -> None:
    contract = read_contract(text(document(servers=[{"url": "https://world.example/v1"}])))
    (found,) = contract.operations
    assert (contract.title, contract.base_path) == ("World", "/v1")
    assert (found.method, found.path, found.operation_id, found.tag) == (
        "GET",
        "/countries/{code}",
        "getCountry",
        "countries",
    )
    assert [(each["name"], each["in"], each["required"]) for each in found.parameters] == [
        ("code", "path", True),
        ("lang", "query", False),
        ("limit", "query", False),
    ]
    assert found.example == {
        "path": {"code": "DE"},
        "query": [["lang", "en"]],
        "headers": [],
        "content_type": "",
        "body": "",
    }


@pytest.mark.parametrize(
    ("document_", "given", "base", "path"),
    [
        (document(), None, "", "/countries/{code}"),
        (document(), "/v1", "/v1", "/countries/{code}"),
        (document({"/v1/x": {"get": operation()}}), None, "/v1", "/x"),
        (document({"/v1/x": {"get": operation()}}), "/v1", "/v1", "/x"),
        (document({"/v1/x": {"get": operation()}}), "", "", "/v1/x"),
        (document({"/v1": {"get": operation()}}), None, "/v1", "/"),
        (document({"/v1beta/x": {"get": operation()}}), "/v1", "/v1", "/v1beta/x"),
        (document({"/x": {"get": operation()}}, servers=[{"url": "https://{host}/api/v2/"}]), None, "/api/v2", "/x"),
        (document({"/x": {"get": operation()}}, servers=[{"url": "/"}]), None, "", "/x"),
    ],
)
def test_where_operations_live(document_: Json, given: str | None, base: str, path: str) -> None:
    contract = read_contract(text(document_), base_path=given)
    assert (contract.base_path, contract.operations[0].path) == (base, path)


def test_yaml_says_the_same_as_json() -> None:
    assert read_contract(yaml.safe_dump(document())).operations == read_contract(text(document())).operations


def test_any_method_and_any_tail() -> None:
    (found,) = read_contract(text(document({"/{rest*}": {"x-any-method": operation(parameters=[TAIL])}}))).operations
    assert (found.method, found.path, found.operation_id) == ("*", "/{rest*}", "any-rest")


TAIL: Json = {"name": "rest", "in": "path", "required": True, "schema": {"type": "string"}}
NO_CODE: Json = {**GET_COUNTRY, "parameters": []}
FAULTS: dict[str, tuple[Json, str]] = {
    "not an object": ([1], "expected an object"),
    "swagger": ({"swagger": "2.0"}, "Swagger 2.0"),
    "no edition": ({"info": {}}, '"openapi"'),
    "4.0": (document(openapi="4.0.0"), '"openapi"'),
    "no info": ({"openapi": "3.1.0", "paths": {}}, "required property"),
    "bad place": (
        document({"/x": {"get": operation(parameters=[{"name": "a", "in": "nowhere", "schema": {}}])}}),
        "line 18, /paths/~1x/get/parameters/0/in: ",
    ),
    "undeclared": (document({"/countries/{code}": {"get": NO_CODE}}), "{code} is not declared"),
    "unused": (document({"/countries": {"get": GET_COUNTRY}}), "holds no {code}"),
    "same calls": (
        document(
            {"/a/{x}": {"get": operation(parameters=[{**TAIL, "name": "x"}])}}
            | {"/a/{y}": {"get": operation(parameters=[{**TAIL, "name": "y"}])}}
        ),
        "Means the same calls as /a/{x}",
    ),
    "dots": (document({"/a/../b": {"get": operation()}}), "dot segments"),
    "open brace": (document({"/a/{b": {"get": operation()}}), "brace"),
    "query": (document({"/a?b=1": {"get": operation()}}), "cannot hold"),
    "tail inside": (document({"/{rest*}/x": {"get": operation()}}), "last segment"),
    "external": (
        document({"/x": {"get": operation(parameters=[{"$ref": "https://evil.example/p.json"}])}}),
        "inside the document",
    ),
    "file": (document({"/x": {"$ref": "file:///etc/passwd"}}), "inside the document"),
    "nowhere": (
        document({"/x": {"get": operation(parameters=[{"$ref": "#/components/parameters/P"}])}}),
        "names nothing",
    ),
    "circle": (
        document(
            {"/x": {"get": operation(parameters=[{"$ref": "#/components/parameters/A"}])}},
            components={
                "parameters": {"A": {"$ref": "#/components/parameters/B"}, "B": {"$ref": "#/components/parameters/A"}}
            },
        ),
        "refers to itself",
    ),
    "no schema": (
        document({"/x": {"get": operation(parameters=[{"name": "a", "in": "query", "schema": {"type": "nonsense"}}])}}),
        "Not a usable schema",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_says_what_is_wrong_and_where(name: str) -> None:
    given, reason = FAULTS[name]
    with pytest.raises(BadContract) as caught:
        read_contract(text(given))
    shown = [error.message for error in caught.value.errors]
    assert any(reason in message for message in shown), shown
    assert {error.field for error in caught.value.errors} == {"document"}


def test_all_faults_at_once() -> None:
    with pytest.raises(BadContract) as caught:
        read_contract(text(document({f"/{number}?": {"get": operation()} for number in range(30)})))
    assert len(caught.value.faults) == 30
    assert caught.value.errors[-1].message == "… and 10 more."


def test_operation_ids_are_fit_for_urls_and_unique() -> None:
    paths = {
        "/a": {"get": operation(operationId="list all/ä")},
        "/b": {"get": operation(operationId="list all/ö")},
        "/c/d": {"post": operation()},
    }
    names = [found.operation_id for found in read_contract(text(document(paths))).operations]
    assert names == ["list-all", "list-all-2", "post-c-d"]


def test_the_operation_s_parameter_wins_over_the_path_s() -> None:
    item = {
        "parameters": [{**TAIL, "name": "x", "description": "above"}],
        "get": operation(parameters=[{**TAIL, "name": "x", "description": "own"}]),
    }
    (found,) = read_contract(text(document({"/{x}": item}))).operations
    assert [each["description"] for each in found.parameters] == ["own"]


def test_bodies_offer_json_first_with_the_author_s_example() -> None:
    content = {
        "text/csv": {"schema": {"type": "string"}},
        "application/json": {"schema": {"type": "object"}, "example": {"a": 1}},
    }
    (found,) = read_contract(
        text(document({"/x": {"post": operation(requestBody={"required": True, "content": content})}}))
    ).operations
    assert found.request_body is not None
    assert [each["type"] for each in found.request_body["content"]] == ["application/json", "text/csv"]
    assert (found.example["content_type"], json.loads(found.example["body"])) == ("application/json", {"a": 1})


def test_xml_with_an_entity_is_refused_at_once() -> None:
    bomb = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'
    with pytest.raises(BadContract):
        read_contract(bomb)


def test_a_large_document_takes_seconds_at_most() -> None:
    schemas = {
        f"S{n}": {
            "type": "object",
            "properties": {f"p{m}": {"type": "string", "description": "d" * 80} for m in range(25)}
            | {"next": {"$ref": f"#/components/schemas/S{(n * 7 + 1) % 400}"}},
        }
        for n in range(400)
    }
    paths = {
        f"/r{n}/{{id}}": {
            "get": operation(
                parameters=[{**TAIL, "name": "id"}],
                responses={
                    "200": {
                        "description": "ok",
                        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/S{n % 400}"}}},
                    }
                },
            )
        }
        for n in range(600)
    }
    source = text(document(paths, components={"schemas": schemas}))
    started = time.monotonic()
    operations = read_contract(source).operations
    assert time.monotonic() - started < 15
    assert len(operations) == 600
    assert sum(len(json.dumps(found.responses)) for found in operations) < 40_000_000
    assert len(source) > 1_500_000


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.sampled_from(["", "#/components/schemas/S", "object", "query", "path", "x", "{x}", "3.1.0"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "get",
                    "parameters",
                    "$ref",
                    "schema",
                    "name",
                    "in",
                    "responses",
                    "200",
                    "content",
                    "items",
                    "properties",
                    "type",
                    "enum",
                    "allOf",
                    "/x",
                    "/{x}",
                    "tags",
                    "servers",
                    "url",
                    "x-any-method",
                    "requestBody",
                    "example",
                    "examples",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(
    st.dictionaries(st.sampled_from(["/x", "/{x}", "x-y"]), json_values),
    json_values,
    st.sampled_from(["3.0.3", "3.1.0"]),
)
def test_nothing_crashes_it(paths: Json, schema: Json, openapi: str) -> None:
    given = document(
        {**paths, "/ok": {"get": operation(parameters=[{"name": "a", "in": "query", "schema": schema}])}},
        openapi=openapi,
        components={"schemas": {"S": schema}},
    )
    try:
        read_contract(text(given))
    except BadContract as bad:
        assert bad.errors
