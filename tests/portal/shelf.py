"""An API on the shelf for the portal's tests, with a document that has one of everything, and a hostile one."""

from typing import Any

from marketplace import public as marketplace
from tests.marketplace import shop as shops
from tests.marketplace.contract.documents import document, text

COUNTRY: dict[str, Any] = {
    "type": "object",
    "required": ["code"],
    "properties": {
        "code": {"type": "string", "description": "Two letters", "example": "DE"},
        "languages": {"type": "array", "items": {"type": "object", "properties": {"code": {"type": "string"}}}},
    },
}
OK = {"200": {"description": "Found", "content": {"application/json": {"schema": COUNTRY}}}}
PATHS: dict[str, Any] = {
    "/countries": {
        "get": {
            "operationId": "listCountries",
            "summary": "List countries",
            "tags": ["Places"],
            "parameters": [
                {"name": "lang", "in": "query", "schema": {"type": "string", "enum": ["en", "de"]}},
                {"name": "fields", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}},
                {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 250}},
                {"name": "X-Trace", "in": "header", "schema": {"type": "string"}},
            ],
            "responses": OK,
        }
    },
    "/countries/{code}": {
        "get": {
            "operationId": "getCountry",
            "summary": "Get a country",
            "description": "One country. See [codes](https://example.com/codes).",
            "tags": ["Places"],
            "parameters": [
                {"name": "code", "in": "path", "required": True, "schema": {"type": "string"}, "example": "DE"},
                {"name": "lang", "in": "query", "schema": {"type": "string"}},
            ],
            "responses": OK,
        }
    },
    "/dates": {
        "post": {
            "operationId": "formatDates",
            "summary": "Format dates",
            "tags": ["Time"],
            "deprecated": True,
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {
                        "schema": {
                            "type": "object",
                            "properties": {"dates": {"type": "array", "items": {"type": "string"}}},
                        },
                        "example": {"dates": ["2026-01-31"]},
                    }
                },
            },
            "responses": OK,
        }
    },
}

SCRIPT = "<script>alert(1)</script>"
HOSTILE_PROPERTY: dict[str, Any] = {"type": "string", "description": SCRIPT, "example": SCRIPT}
HOSTILE_SCHEMA: dict[str, Any] = {"type": "object", "properties": {SCRIPT: HOSTILE_PROPERTY}}
HOSTILE_PATHS: dict[str, Any] = {
    "/x": {
        "get": {
            "operationId": "hostile",
            "summary": f"{SCRIPT} {{{{7*7}}}}",
            "description": f"{SCRIPT} [click](javascript:alert(2)) <img src=x onerror=alert(3)> **bold**",
            "tags": ["<b>tag</b>"],
            "parameters": [
                {"name": 'a"><img src=x>', "in": "query", "description": SCRIPT, "schema": {"type": "string"}},
                {"name": "pattern", "in": "query", "schema": {"type": "string", "pattern": SCRIPT, "example": SCRIPT}},
            ],
            "responses": {"200": {"description": SCRIPT, "content": {"application/json": {"schema": HOSTILE_SCHEMA}}}},
        }
    }
}


def open_shop(
    slug: str = "world", *, paths: dict[str, Any] | None = None, base_url: str = "https://world.example", **words: Any
) -> shops.Shop:
    """An API in service, sandbox and all, with a free plan that new accounts get, and Pro."""
    by: dict[str, Any] = {"actor": shops.ROOT, "at": shops.NOW}
    provider = shops.tenant(f"{slug.title()} Data").org
    named = {"name": slug.title(), "category": "Data", "summary": f"All about {slug}.", "featured": True} | words
    api = marketplace.create_api(provider, slug=slug, **named, **by)
    shown = text(document(PATHS if paths is None else paths))
    version = marketplace.add_version(provider, api_id=api.id, name="v1", document=shown, base_path="/v1", **by)
    upstream = marketplace.set_upstream(provider, api_id=api.id, name="one", base_url=base_url, **by)
    for environment in ("live", "test"):
        marketplace.set_route(provider, version_id=version.id, environment=environment, upstream_id=upstream, **by)
    marketplace.publish_api(provider, id=api.id, **by)
    free = shops.plan_of(api.id, f"{slug}-free", shops.FREE, given_to_new=True)
    return shops.Shop(provider, api.id, slug, version.id, free, shops.plan_of(api.id, f"{slug}-pro", shops.PRO))
