"""What a new account starts with."""

import re
from datetime import datetime
from typing import Any

from django.http import HttpRequest

from accounts import public as accounts
from marketplace import public as marketplace
from portal.links import next_of
from portal.who import actor_of

_API_PAGE = re.compile(r"/apis/(?P<slug>[-a-zA-Z0-9_]+)/")


def mint_account(request: HttpRequest, *, user: Any, at: datetime) -> marketplace.Minted:
    """Make organization, Default project, both keys and the free subscription; inside the caller's transaction.

    The subscription is to the API whose page the person came from, else to the first that gives a free plan.
    """
    actor = actor_of(request, user=user)
    organization, project = accounts.create_organization(
        owner_id=user.pk, name=name_from(user.get_username()), zone="UTC", actor=actor, at=at
    )
    return marketplace.mint_start(
        organization.id,
        project_id=project.id,
        user_id=user.pk,
        verified=organization.verified,
        api_slug=_wanted_api(request),
        actor=actor,
        at=at,
    )


def name_from(email: str) -> str:
    """ "ada.lovelace+x@example.com" → "Ada Lovelace"."""
    local = email.partition("@")[0].partition("+")[0]
    words = re.sub(r"[^\w]+|_", " ", local).split()
    return " ".join(word[:1].upper() + word[1:] for word in words)[:100] or "My organization"


def _wanted_api(request: HttpRequest) -> str | None:
    """The API whose page `next` leads to, if it gives a free plan; else the first one that does."""
    free = [api.slug for api in marketplace.catalogue() if api.free_plan]
    match = _API_PAGE.match(next_of(request))
    if match and match["slug"] in free:
        return match["slug"]
    return next(iter(free), None)
