"""What drf-spectacular cannot see: that any call may answer a problem, and that requests are read strictly."""

from typing import Any

from kit.django.rest.problems import MEDIA_TYPE
from kit.problems import PROBLEMS

PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "A problem (RFC 9457). `type` is the page that explains `code`.",
    "required": ["type", "title", "status", "detail", "instance", "code", "request_id", "retry_after", "fix_url"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "code": {"type": "string", "enum": sorted(PROBLEMS)},
        "request_id": {"type": "string"},
        "retry_after": {"type": ["integer", "null"], "description": "Seconds"},
        "fix_url": {"type": ["string", "null"]},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}

_VERBS = ("get", "put", "post", "patch", "delete")


def tell_the_rest(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """drf-spectacular's postprocessing hook."""
    _refuse_unknown_fields(result)
    return _add_problems(result)


def _refuse_unknown_fields(result: dict[str, Any]) -> None:
    for name, schema in result.get("components", {}).get("schemas", {}).items():
        if name.endswith("Request") and schema.get("type") == "object":  # COMPONENT_SPLIT_REQUEST names them so
            schema.setdefault("additionalProperties", False)


def _add_problems(result: dict[str, Any]) -> dict[str, Any]:
    parts = result.setdefault("components", {})
    parts.setdefault("schemas", {})["Problem"] = PROBLEM
    parts.setdefault("responses", {})["Problem"] = {
        "description": "A problem",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for path in result.get("paths", {}).values():
        for verb in _VERBS:
            if verb in path:
                path[verb].setdefault("responses", {}).update(
                    {kind: {"$ref": "#/components/responses/Problem"} for kind in ("4XX", "5XX")}
                )
    return result
