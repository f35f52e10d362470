"""The one way in: a document's text becomes a contract."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from marketplace.contract.check import checked
from marketplace.contract.errors import BadContract, Fault
from marketplace.contract.lines import with_lines
from marketplace.contract.operations import Compiler, Operation, base_path_of
from marketplace.contract.parse import decoded, parsed
from marketplace.contract.paths import why_bad

Json = Any


@dataclass(frozen=True)
class Contract:
    """A document that was read: `root` is the document itself, `base_path` where its operations live."""

    title: str
    version: str
    description: str
    base_path: str
    root: Mapping[str, Json]
    operations: tuple[Operation, ...]


def read_contract(source: str | bytes, *, base_path: str | None = None) -> Contract:
    """Read an OpenAPI 3.0 or 3.1 document (JSON or YAML). `base_path`: where it lives; None: as it says itself.

    Raises BadContract (a ProblemError invalid) with the JSON Pointer and line of each fault.
    """
    text = decoded(source)
    try:
        root, edition = checked(parsed(text))
        base = base_path_of(root) if base_path is None else base_path.rstrip("/")
        if base and why_bad(base):
            raise BadContract([Fault(f"Base path: {why_bad(base)}")])
        operations = Compiler(root, edition, base).operations()
    except BadContract as bad:
        raise BadContract(with_lines(bad.faults, text)) from bad
    told = root["info"]
    return Contract(
        title=str(told.get("title", "")),
        version=str(told.get("version", "")),
        description=str(told.get("description", "")),
        base_path=base,
        root=root,
        operations=operations,
    )
