"""Is it OpenAPI 3.0 or 3.1? The specification's own JSON Schema decides, and names each place that is wrong."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Literal

from marketplace.contract.errors import BadContract, Fault, pointer

Json = Any
Edition = Literal["3.0", "3.1"]

MOST_FAULTS = 100


def checked(root: Json) -> tuple[Mapping[str, Json], Edition]:
    """The document as an object, and its edition. Raises BadContract with a fault per wrong place.

    Evaluated by jsonschema-rs: openapi-spec-validator, whose schemas these are, runs patterns of the document
    through Python's backtracking `re` (docs/decisions/0040-openapi-import.md).
    """
    if not isinstance(root, dict):
        raise BadContract([Fault("This is not an OpenAPI document: expected an object at the top.")])
    edition = _edition(root)
    faults = []
    for error in _validator(edition).iter_errors(root):
        faults.append(Fault(_short(error.message), pointer(error.instance_path)))
        if len(faults) >= MOST_FAULTS:
            break
    if faults:
        raise BadContract(faults)
    return root, edition


def check_schema(schema: Json, *, at: str) -> Fault | None:
    """Whether a self-contained schema can be used to check values; the fault says why not."""
    import jsonschema_rs

    try:
        jsonschema_rs.validator_for(schema)
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        return Fault(f"Not a usable schema: {_short(str(error))}", at)
    return None


def _edition(root: dict[str, Json]) -> Edition:
    said = root.get("openapi")
    if isinstance(said, str) and said.startswith("3.0."):
        return "3.0"
    if isinstance(said, str) and said.startswith("3.1."):
        return "3.1"
    if "swagger" in root:
        raise BadContract([Fault("This is Swagger 2.0: convert it to OpenAPI 3.0 or 3.1.", "/swagger")])
    raise BadContract([Fault('Expected "openapi": "3.0.x" or "3.1.x".', "/openapi" if said else "")])


@cache
def _validator(edition: Edition) -> Any:
    import jsonschema_rs
    from openapi_spec_validator import schemas

    content = schemas.get_schema_content_v30 if edition == "3.0" else schemas.get_schema_content_v31
    return jsonschema_rs.validator_for(dict(content()))


def _short(message: str) -> str:
    text = " ".join(message.split())
    return text if len(text) <= 200 else f"{text[:120]} … {text[-70:]}"
