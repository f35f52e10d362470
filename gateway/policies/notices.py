"""What a client should know of a version's age: Deprecation (RFC 9745) and Sunset (RFC 8594)."""

from email.utils import formatdate

from gateway.call import Headers
from gateway.case import Case


def announce_age(headers: Headers, case: Case) -> Headers:
    """Add our own notices; without one the upstream's pass."""
    version = case.op.version if case.op else None
    if version is None or (version.deprecated_at_ms is None and version.sunset_at_ms is None):
        return headers
    kept = [line for line in headers if line[0] not in ("deprecation", "sunset")]
    if version.deprecated_at_ms is not None:
        kept.append(("deprecation", f"@{version.deprecated_at_ms // 1000}"))
    if version.sunset_at_ms is not None:
        kept.append(("sunset", formatdate(version.sunset_at_ms / 1000, usegmt=True)))
    return kept
