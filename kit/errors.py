"""The one exception that an action raises to be answered with a problem of `kit.problems`.

ProblemError(code)            whose fault and what status: the code's row says it
  errors=[FieldError…]        which fields, with code "invalid"
  retry_after=seconds         worth trying again
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one field of the input; `field` is a dotted path, "" for the whole."""

    field: str
    message: str


class ProblemError(Exception):
    """A refusal for the caller's eyes: `code` of `kit.problems.PROBLEMS`, `detail` of this one occurrence."""

    def __init__(
        self, code: str, detail: str = "", *, errors: Iterable[FieldError] = (), retry_after: int | None = None
    ) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail
        self.errors = tuple(errors)
        self.retry_after = retry_after


def invalid(field: str, message: str) -> ProblemError:
    """The problem "invalid" for one field."""
    return ProblemError("invalid", errors=[FieldError(field, message)])
