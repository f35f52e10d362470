"""World keeps its word: every documented example is what it answers, every answer fits its schema."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import jsonschema_rs
import pytest
import yaml
from openapi_spec_validator import OpenAPIV31SpecValidator

from demo.world.regions import REGION_OF, REGIONS
from demo.world.units import QUANTITY_OF
from demo.world.wsgi import application

DOCUMENT: dict[str, Any] = yaml.safe_load(Path("demo/world/openapi.yaml").read_text())


def call(path: str, query: str = "", method: str = "GET") -> tuple[int, dict[str, str], Any]:
    seen: list[Any] = []
    environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query}
    body = b"".join(application(environ, lambda status, headers: seen.extend((status, headers))))
    return int(seen[0][:3]), dict(seen[1]), json.loads(body) if body else None


def lookup(node: dict[str, Any]) -> dict[str, Any]:
    """Follow a $ref into the document's components."""
    if "$ref" not in node:
        return node
    _, kind, name = node["$ref"].removeprefix("#/").split("/")
    found: dict[str, Any] = DOCUMENT["components"][kind][name]
    return found


def operations() -> list[Any]:
    return [pytest.param(path, item["get"], id=item["get"]["operationId"]) for path, item in DOCUMENT["paths"].items()]


def first_call(path: str, operation: dict[str, Any]) -> tuple[str, str]:
    """The call that the documented parameter examples make."""
    query = {}
    for parameter in map(lookup, operation.get("parameters", ())):
        if "example" not in parameter:
            continue
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", quote(parameter["example"]))
        else:
            query[parameter["name"]] = parameter["example"]
    return f"/v1{path}", urlencode(query)


def check(operation: dict[str, Any], status: int, media_type: str, body: Any) -> None:
    """Compare an answer with the schema the document gives for it."""
    response = lookup(operation["responses"][str(status)])
    schema = response["content"][media_type]["schema"] | {"components": DOCUMENT["components"]}
    jsonschema_rs.validate(schema, body)


def test_the_document_is_valid() -> None:
    OpenAPIV31SpecValidator(DOCUMENT).validate()


@pytest.mark.parametrize(("path", "operation"), operations())
def test_the_documented_call_is_answered_as_documented(path: str, operation: dict[str, Any]) -> None:
    status, headers, body = call(*first_call(path, operation))
    assert status == 200
    check(operation, 200, headers["Content-Type"], body)
    for example in operation["responses"]["200"]["content"]["application/json"].get("examples", {}).values():
        assert body == example["value"]


@pytest.mark.parametrize(
    ("operation_id", "path", "query", "status", "parameter"),
    [
        ("listCountries", "/v1/countries", "region=Atlantis", 400, "region"),
        ("listCountries", "/v1/countries", "currency=XYZ", 400, "currency"),
        ("listCountries", "/v1/countries", "limit=0", 400, "limit"),
        ("listCountries", "/v1/countries", "limit=251", 400, "limit"),
        ("listCountries", "/v1/countries", "limit=²", 400, "limit"),
        ("listCountries", "/v1/countries", "limit=1&limit=2", 400, "limit"),
        ("listCountries", "/v1/countries", "colour=blue", 400, "colour"),
        ("getCountry", "/v1/countries/XX", "", 404, None),
        ("getCurrency", "/v1/currencies/DEM", "", 404, None),
        ("listTimezones", "/v1/timezones", "country=ch", 400, "country"),
        ("getTimezone", "/v1/timezones/Europe/Atlantis", "", 404, None),
        ("getTimezone", "/v1/timezones/../etc", "", 404, None),
        ("getTimezone", "/v1/timezones/Europe/Zurich", "at=yesterday", 400, "at"),
        ("convertTime", "/v1/convert/time", "at=2026-01-01&from=Europe/Zurich", 400, "to"),
        ("convertTime", "/v1/convert/time", "at=0001-01-01&from=Asia/Tokyo&to=Europe/Zurich", 400, "at"),
        ("convertTime", "/v1/convert/time", "at=9999-12-31T23:00&from=Asia/Tokyo&to=America/Lima", 400, "at"),
        ("convertUnits", "/v1/convert/units", "value=1e999&from=mile&to=metre", 400, "value"),
        ("convertUnits", "/v1/convert/units", "value=NaN&from=mile&to=metre", 400, "value"),
        ("convertUnits", "/v1/convert/units", "value=1&from=mile&to=gram", 400, "to"),
        ("convertUnits", "/v1/convert/units", "value=1&from=parsec&to=metre", 400, "from"),
    ],
)
def test_what_is_wrong_is_said(operation_id: str, path: str, query: str, status: int, parameter: str | None) -> None:
    operation = next(item["get"] for item in DOCUMENT["paths"].values() if item["get"]["operationId"] == operation_id)
    answered, headers, body = call(path, query)
    assert (answered, body.get("parameter")) == (status, parameter)
    check(operation, status, headers["Content-Type"], body)


@pytest.mark.parametrize(
    "name", [name for name, schema in DOCUMENT["components"]["schemas"].items() if "examples" in schema]
)
def test_the_examples_of_schemas_fit_them(name: str) -> None:
    schema = DOCUMENT["components"]["schemas"][name] | {"components": DOCUMENT["components"]}
    for example in schema["examples"]:
        jsonschema_rs.validate(schema, example)


def test_a_path_nobody_serves_and_a_method_nobody_takes() -> None:
    assert call("/v1/planets")[0] == 404
    status, headers, body = call("/v1/countries", method="POST")
    assert (status, headers["Allow"], body["status"]) == (405, "GET, HEAD", 405)


def test_head_has_the_length_and_no_body() -> None:
    _, full, _ = call("/v1/countries/CH")
    status, headers, body = call("/v1/countries/CH", method="HEAD")
    assert (status, headers["Content-Length"], body) == (200, full["Content-Length"], None)


def test_the_test_upstream_serves_the_same_data() -> None:
    live, test = call("/v1/countries/CH"), call("/test/v1/countries/CH")
    assert live[2] == test[2]
    assert (live[1]["X-World-Environment"], test[1]["X-World-Environment"]) == ("live", "test")


def test_pages_join_without_a_gap() -> None:
    codes: list[str] = []
    after: str | None = ""
    while after is not None:
        _, _, page = call("/v1/countries", urlencode({"limit": 100, "after": after}))
        codes += [item["code"] for item in page["items"]]
        after = page["next"]
    assert codes == sorted(REGION_OF)


def test_every_country_lies_in_one_region() -> None:
    assert len(REGION_OF) == sum(map(len, REGIONS.values())) == 249  # ISO 3166-1 has 249
    assert DOCUMENT["components"]["schemas"]["Region"]["enum"] == list(REGIONS)


def test_the_documented_units_are_the_known_ones() -> None:
    assert DOCUMENT["components"]["schemas"]["Unit"]["enum"] == list(QUANTITY_OF)
