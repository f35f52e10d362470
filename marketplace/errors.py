"""What the marketplace refuses.

    MarketplaceError            the caller's fault; `code` names its problem page
    ├─ NotFound          404    not there, or another organization's
    ├─ Conflict          409    it has changed, or exists already: asking again will not help
    └─ Invalid           422    `errors` names each wrong field

A change that is stored but not yet in force at the gateway raises `kit.django.outbox.Undelivered`.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class FieldError:
    field: str  # "tiers.2.up_to"; "" speaks of the whole
    message: str


class MarketplaceError(Exception):
    code = "bad_request"

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail)
        self.detail = detail


class NotFound(MarketplaceError):
    code = "not_found"


class Conflict(MarketplaceError):
    code = "conflict"


class Invalid(MarketplaceError):
    code = "invalid"

    def __init__(self, errors: Iterable[FieldError]) -> None:
        self.errors = tuple(errors)
        super().__init__(
            "; ".join(f"{error.field}: {error.message}" if error.field else error.message for error in self.errors)
        )

    @classmethod
    def of(cls, field: str, message: str) -> "Invalid":
        """One wrong field."""
        return cls((FieldError(field, message),))
