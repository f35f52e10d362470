"""The command that makes a project's first call."""

from django.conf import settings
from django.utils import timezone

from marketplace import public as marketplace
from portal.docs.form import example_values
from portal.docs.outgoing import compose
from portal.docs.pick import first_to_try, newest
from portal.docs.samples import curl
from portal.docs.samples.values import sampled
from portal.who import Member


def subscribed_apis(member: Member) -> list[str]:
    """Slugs of the APIs that the project's keys reach."""
    found = marketplace.subscriptions(member.org, at=timezone.now(), project=member.project.id)
    return list(dict.fromkeys(slug for row in found if row.state == "active" for slug in row.api_slugs))


def first_call(member: Member, *, key: str) -> str:
    """A curl that works as it stands; "" without a key or a subscription."""
    slugs = subscribed_apis(member) if key else []
    operation = (
        first_to_try(newest(marketplace.operations(marketplace.api(slugs[0], viewer=member.org).id))) if slugs else None
    )
    if operation is None:
        return ""
    return curl.render(sampled(compose(operation, example_values(operation)), gateway=settings.GATEWAY_URL, key=key))
