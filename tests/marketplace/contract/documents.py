"""Small documents that the tests of the importer share."""

import json
from typing import Any

Json = Any

GET_COUNTRY: Json = {
    "operationId": "getCountry",
    "summary": "One country",
    "tags": ["countries"],
    "parameters": [
        {"name": "code", "in": "path", "required": True, "schema": {"type": "string"}, "example": "DE"},
        {"name": "lang", "in": "query", "schema": {"type": "string", "examples": ["en"]}},
        {"name": "limit", "in": "query", "schema": {"type": "integer"}},
    ],
    "responses": {"200": {"description": "Found", "content": {"application/json": {"schema": {"type": "object"}}}}},
}


def document(paths: Json | None = None, *, openapi: str = "3.1.0", **more: Json) -> Json:
    shown = {"/countries/{code}": {"get": GET_COUNTRY}} if paths is None else paths
    return {"openapi": openapi, "info": {"title": "World", "version": "1"}, "paths": shown, **more}


def operation(**more: Json) -> Json:
    return {"responses": {"200": {"description": "ok"}}, **more}


def text(value: Json) -> str:
    return json.dumps(value, indent=1)
