"""On which line of the text a JSON Pointer stands: read again only when there is a fault to show."""

from collections.abc import Iterable
from dataclasses import replace

import yaml

from marketplace.contract.errors import Fault, pointer
from marketplace.contract.parse import LOADER


def with_lines(faults: Iterable[Fault], text: str) -> list[Fault]:
    """Add lines to faults that have none; a fault below a missing key gets the line of what lacks it."""
    found = list(faults)
    lines = _lines(text, {fault.pointer for fault in found})
    return [fault if fault.line else replace(fault, line=lines.get(fault.pointer, 0)) for fault in found]


def _lines(text: str, wanted: set[str]) -> dict[str, int]:
    """JSON reads as YAML well enough for this; where it does not, there are no lines."""
    found: dict[str, int] = {}
    stack: list[list[str | int | None]] = []  # per open container: the current key, or index
    try:
        for event in yaml.parse(text, Loader=LOADER):
            _step(event, stack, wanted, found)
    except yaml.YAMLError:
        return found
    return found


def _step(event: yaml.Event, stack: list[list[str | int | None]], wanted: set[str], found: dict[str, int]) -> None:
    """Follow one event; `[name]` waits for its value, `[None]` for a key, `[index]` is a sequence."""
    if isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
        stack.pop()
        _passed(stack)
        return
    if not isinstance(event, yaml.NodeEvent):
        return
    if stack and stack[-1][0] is None and isinstance(event, yaml.ScalarEvent):
        stack[-1][0] = event.value
        _note(stack, event, wanted, found)
        return
    if not stack or isinstance(stack[-1][0], int):
        _note(stack, event, wanted, found)
    if isinstance(event, yaml.MappingStartEvent):
        stack.append([None])
    elif isinstance(event, yaml.SequenceStartEvent):
        stack.append([0])
    else:
        _passed(stack)


def _note(stack: list[list[str | int | None]], event: yaml.Event, wanted: set[str], found: dict[str, int]) -> None:
    place = pointer(part for (part,) in stack if part is not None)
    if place in wanted and event.start_mark:
        found.setdefault(place, event.start_mark.line + 1)


def _passed(stack: list[list[str | int | None]]) -> None:
    """The value of the current key or index is over."""
    if stack:
        top = stack[-1][0]
        stack[-1][0] = top + 1 if isinstance(top, int) else None
