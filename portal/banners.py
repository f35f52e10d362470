"""The one band under the header, by priority: access stopped, then what stops it next.

Each is computed by its own query, so that an outage of one store cannot hide what another knows.
"""

import logging
from dataclasses import dataclass

from django.db import DatabaseError
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from portal.who import Member
from usage.public import usage_report

log = logging.getLogger(__name__)
UNVERIFIED_CALLS = 100  # marketplace publishes this limit with an organization whose owners are not verified

COUNTED = "/app/keys/"  # where the count of live calls is worth its queries


@dataclass(frozen=True)
class Banner:
    kind: str  # info | warn | bad
    text: str
    action: str = ""
    url: str = ""
    post: str = ""


def first(request: HttpRequest, member: Member) -> Banner | None:
    for find in (_suspended, _unverified):
        banner = find(request, member)
        if banner:
            return banner
    return None


def _suspended(request: HttpRequest, member: Member) -> Banner | None:
    if member.organization.state == "active":
        return None
    return Banner(
        "bad",
        f"{member.organization.name} is suspended: its keys answer 403 until it is reinstated.",
        "What this means",
        reverse("error", args=["organization_suspended"]),
    )


def _unverified(request: HttpRequest, member: Member) -> Banner | None:
    if member.organization.verified:
        return None
    left = live_calls_left(member) if request.path.startswith(COUNTED) else None
    kind = "warn" if left is not None and left.calls <= UNVERIFIED_CALLS // 5 else "info"
    counted = f": {left} live calls left until then" if left else f" to make more than {UNVERIFIED_CALLS} live calls"
    return Banner(kind, f"Verify {member.email}{counted}.", "Send the link again", post=reverse("verify_again"))


@dataclass(frozen=True)
class Left:
    """Live calls before the address must be verified. Refused ones do not count against them, but a report
    cannot tell ours from the API's own: with any, the figure is the least that is left."""

    calls: int
    exact: bool

    def __str__(self) -> str:
        return f"{'' if self.exact else 'at least '}{self.calls} of {UNVERIFIED_CALLS}"


def live_calls_left(member: Member) -> Left | None:
    """None while the count cannot be read."""
    start, end = member.organization.created_at, timezone.now()
    try:
        rows = usage_report(member.org, start=start, end=end, mode="live", group_by="status").rows
    except DatabaseError as error:
        log.warning("banner: usage not readable: %s", error)
        return None
    used = sum(row.calls for row in rows)
    return Left(max(0, UNVERIFIED_CALLS - used), exact=not any(row.group == "4xx" for row in rows))
