"""From rows to the records of the gateway's directory, and to the grants of the portal's Run panel."""

from datetime import datetime

from django.db.models import Prefetch, QuerySet

from accounts.public import OrganizationView
from gateway import public as gateway
from marketplace.mapping import limit_spec
from marketplace.models import (
    Api,
    ApiKey,
    ApiState,
    Environment,
    Limit,
    PlanVersion,
    Subscription,
    SubscriptionState,
    Upstream,
    Version,
)
from marketplace.periods import Period, periods_from, to_ms

# What an organization may call before one of its owners has a verified address: live calls, whatever they end in.
UNVERIFIED = gateway.Limit(
    id="quota:admitted:ever",
    kind="quota",
    name="unverified",
    amount=100,
    meter="admitted",
    window="ever",
    per="organization",
    refusal="email_unverified",
)

_API_STATES = {ApiState.PUBLISHED: "active", ApiState.SUSPENDED: "suspended", ApiState.RETIRED: "retired"}
_HELD = (SubscriptionState.ACTIVE, SubscriptionState.TRIALING)


def organization(view: OrganizationView) -> gateway.Organization:
    return gateway.Organization(
        id=str(view.id), rev=view.rev, state=view.state, limits=() if view.verified else (UNVERIFIED,)
    )


def key(row: ApiKey) -> gateway.Key:
    return gateway.Key(
        id=str(row.id),
        rev=row.rev,
        digests=tuple(digest for digest in (row.digest, row.previous_digest) if digest),
        organization=str(row.organization_id),
        project=str(row.project_id),
        kind=row.kind,
        state=row.state,
        expires_ms=to_ms(row.expires_at) if row.expires_at else None,
        scopes=tuple(row.scopes),
        allowed_ips=tuple(row.allowed_ips),
    )


# --- subscriptions and plan versions ---


def with_covers(rows: QuerySet[Subscription]) -> QuerySet[Subscription]:
    """What `subscription` reads."""
    return rows.select_related("plan_version").prefetch_related("covers").order_by("id")


def subscription(row: Subscription, *, at: datetime) -> gateway.Subscription:
    """The terms of a subscription, with the period that holds `at` and the next three."""
    return gateway.Subscription(
        id=str(row.id),
        rev=row.rev,
        organization=str(row.organization_id),
        project=str(row.project_id),
        apis=tuple(sorted(str(cover.api_id) for cover in row.covers.all())),
        plan_version=str(row.plan_version_id),
        periods=tuple(period(each) for each in periods_from(row.chain, max(at, row.period_start_at))),
        state="active" if row.state in _HELD else "cancelled",
    )


def period(value: Period) -> gateway.Period:
    return gateway.Period(id=str(value.id), start_ms=to_ms(value.start_at), end_ms=to_ms(value.end_at))


def plan_version(row: PlanVersion) -> gateway.PlanVersion:
    return gateway.PlanVersion(
        id=str(row.id),
        rev=row.rev,
        number=row.number,
        plan=row.plan.slug,
        limits=tuple(limit(each) for each in row.limits.all()),
    )


def limit(row: Limit) -> gateway.Limit:
    return gateway.Limit(id=row.limit_id, **vars(limit_spec(row)))


# --- APIs ---


def with_api_parts(rows: QuerySet[Api]) -> QuerySet[Api]:
    """What `api` reads."""
    versions = Version.objects.defer("document").order_by("id")
    parts = versions.prefetch_related("routes__upstream", "operations")
    return rows.defer("search").prefetch_related(Prefetch("versions", parts)).order_by("id")


def api(row: Api) -> gateway.Api:
    """An API with its versions; one that has no server for live calls yet is not there for the gateway."""
    published = [_version(version) for version in row.versions.all()]
    return gateway.Api(
        id=str(row.id),
        rev=row.rev,
        slug=row.slug,
        versions=tuple(version for version in published if version is not None),
        pass_undeclared=row.pass_undeclared,
        state=_API_STATES[ApiState(row.state)],
    )


def _version(row: Version) -> gateway.Version | None:
    servers = {route.environment: route.upstream for route in row.routes.all()}
    live, test = servers.get(Environment.LIVE), servers.get(Environment.TEST)
    if live is None:
        return None
    return gateway.Version(
        id=str(row.id),
        name=row.name,
        base_path=row.base_path,
        upstream=_upstream(live),
        test_upstream=_upstream(test) if test else None,
        operations=tuple(
            gateway.Operation(id=str(each.id), operation_id=each.operation_id, method=each.method, path=each.path)
            for each in row.operations.all()
        ),
        state=row.state,
        deprecated_at_ms=to_ms(row.deprecated_at) if row.deprecated_at else None,
        sunset_at_ms=to_ms(row.sunset_at) if row.sunset_at else None,
    )


def _upstream(row: Upstream) -> gateway.Upstream:
    return gateway.Upstream(
        id=str(row.id),
        base_url=row.base_url,
        secret_headers=row.secret_headers,
        connect_s=row.connect_s,
        first_byte_s=row.first_byte_s,
        between_bytes_s=row.between_bytes_s,
    )
