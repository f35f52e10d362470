"""Which operation a newcomer meets first, and how a reference is grouped."""

from collections.abc import Sequence
from dataclasses import dataclass

from marketplace.public import OperationView
from portal.docs.form import example_values, shown_parameters
from portal.docs.outgoing import field_name


@dataclass(frozen=True)
class Group:
    """The operations under one tag, in the document's order."""

    tag: str
    operations: tuple[OperationView, ...]


def newest(operations: Sequence[OperationView]) -> list[OperationView]:
    """Those of the newest version only."""
    return [operation for operation in operations if operation.version == operations[0].version] if operations else []


def grouped(operations: Sequence[OperationView]) -> tuple[Group, ...]:
    tags = dict.fromkeys(operation.tag for operation in operations)
    return tuple(Group(tag, tuple(o for o in operations if o.tag == tag)) for tag in tags)


def first_to_try(operations: Sequence[OperationView]) -> OperationView | None:
    """The one that answers something concrete: a GET whose required values are known, best with one in its path."""
    ready = [o for o in operations if o.method == "GET" and not o.deprecated and _ready(o)]
    with_value = [o for o in ready if o.example.path]
    return next(iter([*with_value, *ready, *operations]), None)


def _ready(operation: OperationView) -> bool:
    values = example_values(operation)
    return all(values.get(field_name(p)) for p in shown_parameters(operation) if p.required)
