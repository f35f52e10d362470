"""The command that makes a project's first call."""

from collections.abc import Sequence

from django.conf import settings
from django.utils import timezone

from marketplace import public as marketplace
from portal.docs.form import example_values
from portal.docs.outgoing import compose
from portal.docs.pick import first_to_try, newest
from portal.docs.samples import curl
from portal.docs.samples.values import sampled
from portal.who import Member

Held = Sequence[marketplace.SubscriptionView]


def held_now(member: Member) -> Held:
    """The subscriptions that let keys through."""
    found = marketplace.subscriptions(member.org, at=timezone.now())
    return [row for row in found if row.state in ("active", "trialing")]


def api_slugs(held: Held) -> list[str]:
    return list(dict.fromkeys(slug for row in held for slug in row.api_slugs))


def first_call(held: Held, *, key: str) -> str:
    """A curl that works as it stands; "" without a key or a subscription."""
    api_ids = [api_id for row in held for api_id in row.api_ids] if key else []
    operation = first_to_try(newest(marketplace.operations(api_ids[0]))) if api_ids else None
    if operation is None:
        return ""
    return curl.render(sampled(compose(operation, example_values(operation)), gateway=settings.GATEWAY_URL, key=key))
