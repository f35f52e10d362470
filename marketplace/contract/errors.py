"""What is wrong with a document: each fault with the place it stands at."""

from collections.abc import Iterable
from dataclasses import dataclass

from kit.errors import FieldError, ProblemError

MOST_SHOWN = 20


@dataclass(frozen=True)
class Fault:
    """`pointer` is a JSON Pointer (RFC 6901), "" for the whole; `line` counts from 1, 0 where it is not known."""

    message: str
    pointer: str = ""
    line: int = 0

    def __str__(self) -> str:
        place = ", ".join(part for part in (f"line {self.line}" if self.line else "", self.pointer) if part)
        return f"{place}: {self.message}" if place else self.message


class BadContract(ProblemError):
    """A document that cannot be taken: problem "invalid", one error per fault for the field "document"."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        shown = [FieldError("document", str(fault)) for fault in self.faults[:MOST_SHOWN]]
        more = len(self.faults) - MOST_SHOWN
        if more > 0:
            shown.append(FieldError("document", f"… and {more} more."))
        super().__init__("invalid", errors=shown)


def pointer(path: Iterable[str | int]) -> str:
    """Write a path as a JSON Pointer."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)
