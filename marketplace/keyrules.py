"""What a key may be limited to: scopes, addresses, a lifetime. Raises ProblemError invalid for the field."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from ipaddress import ip_network
from uuid import UUID

from kit.errors import FieldError, ProblemError, invalid
from marketplace import queries

MOST = 50
LONGEST_LIFE = timedelta(days=3660)
_SCOPE = re.compile(r"(?P<api>[a-z0-9-]{1,60}):(?P<what>\*|[A-Za-z0-9._-]{1,120})")


def clean_scopes(org: UUID, *, scopes: Sequence[str]) -> list[str]:
    """Check scopes: "*", "trace", "<api>:*", "<api>:read", "<api>:write", "<api>:<operationId>".

    The API must be one that the organization sees, and the operation one that it has: a misspelt scope
    would be found by a refused call.
    """
    wanted = list(dict.fromkeys(scopes))
    if not 1 <= len(wanted) <= MOST:
        raise invalid("scopes", f"Give 1 to {MOST} scopes.")
    errors = [FieldError(f"scopes.{index}", why) for index, scope in enumerate(wanted) if (why := _wrong(org, scope))]
    if errors:
        raise ProblemError("invalid", errors=errors)
    return wanted


def _wrong(org: UUID, scope: str) -> str:
    if scope in ("*", "trace"):
        return ""
    match = _SCOPE.fullmatch(scope)
    if not match:
        return 'Write "*", "<api>:*", "<api>:read", "<api>:write" or "<api>:<operation>".'
    api = queries.visible_apis(org).filter(slug=match["api"]).values_list("id", flat=True).first()
    if api is None:
        return f"There is no API {match['api']!r}."
    if match["what"] in ("*", "read", "write"):
        return ""
    known = queries.operations(api).filter(operation_id=match["what"]).exists()
    return "" if known else f"{match['api']!r} has no operation {match['what']!r}."


def clean_ips(addresses: Sequence[str]) -> list[str]:
    """Check addresses and networks; answer them as CIDRs. An address with host bits set is taken as its network."""
    if len(addresses) > MOST:
        raise invalid("allowed_ips", f"At most {MOST} addresses.")
    found, errors = [], []
    for index, text in enumerate(addresses):
        try:
            found.append(str(ip_network(text.strip(), strict=False)))
        except ValueError:
            errors.append(FieldError(f"allowed_ips.{index}", "Not an IP address or CIDR, such as 203.0.113.0/24."))
    if errors:
        raise ProblemError("invalid", errors=errors)
    return list(dict.fromkeys(found))


def clean_expiry(expires_at: datetime | None, *, at: datetime) -> datetime | None:
    if expires_at is None:
        return None
    if expires_at.utcoffset() is None:
        raise invalid("expires_at", "Give the instant with its zone, such as 2030-01-01T00:00:00Z.")
    if expires_at <= at:
        raise invalid("expires_at", "Choose an instant in the future.")
    if expires_at > at + LONGEST_LIFE:
        raise invalid("expires_at", "At most ten years from now.")
    return expires_at
