"""What the portal's Run panel calls with: the same grants that the gateway joins for a key, built from the rows."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from django.db.models import Q

from accounts import public as accounts
from gateway import public as gateway
from kit.errors import ProblemError
from marketplace import queries, records
from marketplace.models import Api, ApiKey, ApiState, KeyState, PlanVersion, Subscription, SubscriptionApi

_NOBODY = str(UUID(int=0))
_FOREVER_MS = 1 << 52


def run_grant(org: UUID, *, api_slug: str, kind: Literal["live", "test"], at: datetime) -> gateway.Grant | None:
    """The grant of the newest working key of this kind that reaches the API.

    A key whose project is not subscribed gives a grant that is refused (no_subscription), as at the gateway;
    None: the organization has no working key of this kind. Raises ProblemError not_found.
    """
    api = queries.visible_api(api_slug, viewer=org)
    working = Q(expires_at=None) | Q(expires_at__gt=at)
    keys = list(queries.keys(org).filter(working, kind=kind, state=KeyState.ACTIVE))
    covers = SubscriptionApi.objects.filter(api=api, live=True, project__in={key.project_id for key in keys})
    held = {cover.project_id: cover.subscription_id for cover in covers}
    key = next((key for key in keys if key.project_id in held), keys[0] if keys else None)
    if key is None:
        return None
    return _joined(org, key, held.get(key.project_id), at=at)


def visitor_grant(api_slug: str, *, at: datetime) -> gateway.Grant:
    """The shared grant of people without an account: the API's test upstream, nothing counted.

    Raises ProblemError not_found.
    """
    api = queries.visible_api(api_slug, viewer=None)
    return gateway.Grant(
        key=gateway.Key(
            id=_NOBODY,
            rev=0,
            digests=(),
            organization=_NOBODY,
            project=_NOBODY,
            kind="test",
            scopes=(f"{api.slug}:*",),
        ),
        organization=gateway.Organization(id=_NOBODY, rev=0),
        subscription=gateway.Subscription(
            id=_NOBODY,
            rev=0,
            organization=_NOBODY,
            project=_NOBODY,
            apis=(str(api.id),),
            plan_version=_NOBODY,
            periods=(gateway.Period(_NOBODY, 0, _FOREVER_MS),),
        ),
        plan_version=gateway.PlanVersion(id=_NOBODY, rev=0, number=0, plan="visitor"),
        visitor=True,
    )


def api_record(api_slug: str) -> gateway.Api:
    """The API as the gateway knows it. Raises ProblemError not_found."""
    rows = Api.objects.filter(slug=queries.clean(api_slug)).exclude(state=ApiState.DRAFT)
    for row in records.with_api_parts(rows):
        return records.api(row)
    raise ProblemError("not_found")


def _joined(org: UUID, key: ApiKey, held: UUID | None, *, at: datetime) -> gateway.Grant:
    row = records.with_covers(Subscription.objects.filter(id=held)).first() if held else None
    versions = PlanVersion.objects.select_related("plan").prefetch_related("limits")
    terms = versions.filter(id=row.plan_version_id).first() if row else None
    return gateway.Grant(
        key=records.key(key),
        organization=records.organization(accounts.organization(org)),
        subscription=records.subscription(row, at=at) if row else None,
        plan_version=records.plan_version(terms) if terms else None,
    )
