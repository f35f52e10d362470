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
UNVERIFIED_CALLS = 100


@dataclass(frozen=True)
class Banner:
    kind: str  # info | warn | bad
    text: str
    action: str = ""
    url: str = ""
    post: str = ""


def first(request: HttpRequest, member: Member) -> Banner | None:
    for find in (_suspended, _unverified):
        banner = find(member)
        if banner:
            return banner
    return None


def _suspended(member: Member) -> Banner | None:
    if member.organization.state == "active":
        return None
    return Banner(
        "bad",
        f"{member.organization.name} is suspended: its keys answer 403 until it is reinstated.",
        "What this means",
        reverse("error", args=["organization_suspended"]),
    )


def _unverified(member: Member) -> Banner | None:
    if member.organization.verified:
        return None
    left = live_calls_left(member)
    kind = "warn" if left is not None and left <= UNVERIFIED_CALLS // 5 else "info"
    counted = "" if left is None else f": {left} of {UNVERIFIED_CALLS} live calls left until then"
    return Banner(kind, f"Verify {member.email}{counted}.", "Send the link again", post=reverse("verify_again"))


def live_calls_left(member: Member) -> int | None:
    """Live calls before the address must be verified; None while the count cannot be read."""
    start = member.organization.created_at
    try:
        used = usage_report(member.org, start=start, end=timezone.now()).calls
    except DatabaseError as error:
        log.warning("banner: usage not readable: %s", error)
        return None
    return max(0, UNVERIFIED_CALLS - used)
