"""What there is to read: rows and QuerySets for inside the marketplace; other apps get values through `public`.

What belongs to a tenant takes the organization first, and answers rows of no other. Raises ProblemError not_found.
"""

from collections.abc import Iterable
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.search import SearchQuery, SearchRank, TrigramWordSimilarity
from django.db.models import Count, F, OuterRef, Prefetch, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from kit.errors import ProblemError
from marketplace.mapping import key_view
from marketplace.models import (
    Api,
    ApiKey,
    ApiState,
    Operation,
    Plan,
    PlanState,
    PlanVersion,
    PlanVersionState,
    Route,
    Subscription,
    SubscriptionApi,
    Version,
    VersionState,
    Visibility,
)
from marketplace.values import KeyView
from usage.public import last_used

ALIKE = 0.4  # trigram word similarity from which a misspelt name is still meant

# --- the catalogue ---


def current_versions() -> QuerySet[PlanVersion]:
    """The newest published version of each plan, with its prices and limits."""
    return (
        PlanVersion.objects.filter(state=PlanVersionState.PUBLISHED)
        .select_related("plan")
        .prefetch_related("prices", "limits")
        .order_by("plan_id", "-number")
        .distinct("plan_id")
    )


def plans() -> QuerySet[Plan]:
    """Plans with their APIs and, as the list `current`, their newest published version (or none)."""
    return Plan.objects.prefetch_related("apis", Prefetch("versions", current_versions(), to_attr="current"))


def offered_plans() -> QuerySet[Plan]:
    """Plans that anybody may subscribe to."""
    published = PlanVersion.objects.filter(state=PlanVersionState.PUBLISHED).values("plan")
    return plans().filter(visibility=Visibility.PUBLIC, state=PlanState.ACTIVE, id__in=published)


def plan(slug: str) -> Plan:
    row = plans().filter(slug=clean(slug)).first()
    if row is None:
        raise ProblemError("not_found")
    return row


def _priced_plans() -> QuerySet[Plan]:
    """Offered plans as far as a price in few words needs them."""
    published = PlanVersion.objects.filter(state=PlanVersionState.PUBLISHED)
    newest = published.prefetch_related("prices").order_by("plan_id", "-number").distinct("plan_id")
    offered = Plan.objects.filter(visibility=Visibility.PUBLIC, state=PlanState.ACTIVE, id__in=published.values("plan"))
    return offered.prefetch_related(Prefetch("versions", newest, to_attr="current"))


def apis(*, priced: bool = True) -> QuerySet[Api]:
    """APIs with all that their pages say: provider, versions newest first, number of operations, and if `priced`
    their offers."""
    operations = (
        Operation.objects.filter(version__api=OuterRef("pk"))
        .exclude(version__state=VersionState.RETIRED)
        .order_by()
        .values("version__api")
        .annotate(found=Count("id"))
        .values("found")
    )
    served = ArraySubquery(Route.objects.filter(version=OuterRef("pk")).order_by().values("environment"))
    versions = Version.objects.defer("document").annotate(served=served).order_by("-id")
    found = (
        Api.objects.defer("search")
        .select_related("provider", "free_plan")
        .annotate(operation_count=Coalesce(Subquery(operations), Value(0)))
        .prefetch_related(Prefetch("versions", versions))
    )
    return found.prefetch_related(Prefetch("plans", _priced_plans(), to_attr="offered")) if priced else found


def catalogue(*, q: str = "", category: str = "") -> QuerySet[Api]:
    """Public, published APIs; featured first, or the best match of `q` first."""
    found = apis().filter(state=ApiState.PUBLISHED, visibility=Visibility.PUBLIC)
    return matching(found.order_by("-featured", "name", "id"), q=q, category=category)


def matching(rows: QuerySet[Api], *, q: str, category: str) -> QuerySet[Api]:
    """The rows of a category, and with `q` those it means, the best match first; typing errors are forgiven."""
    if category:
        rows = rows.filter(category__iexact=clean(category))
    words = " ".join(clean(q).split())
    if not words:
        return rows
    query = SearchQuery(words, config="english", search_type="websearch")
    return (
        rows.annotate(rank=SearchRank(F("search"), query), alike=TrigramWordSimilarity(words, "name"))
        .filter(Q(search=query) | Q(alike__gte=ALIKE) | Q(name__icontains=words) | Q(slug__icontains=words))
        .order_by("-rank", "-alike", "name", "id")
    )


def clean(text: str) -> str:
    """What of a search can be asked of PostgreSQL: no NUL, no lone surrogate, 200 characters."""
    return text[:200].encode("utf-8", "ignore").decode().replace("\x00", "")


def categories() -> list[tuple[str, int]]:
    rows = Api.objects.filter(state=ApiState.PUBLISHED, visibility=Visibility.PUBLIC).exclude(category="")
    return list(rows.values_list("category").annotate(found=Count("id")).order_by("category"))


def visible_apis(viewer: UUID | None, *, priced: bool = False) -> QuerySet[Api]:
    """Published APIs that an organization may see (public, its own, or subscribed), and its own in any state."""
    published = Q(state=ApiState.PUBLISHED)
    if viewer is None:
        return apis(priced=priced).filter(published, visibility=Visibility.PUBLIC)
    subscribed = SubscriptionApi.objects.filter(subscription__organization=viewer, live=True).values("api")
    open_to = Q(visibility=Visibility.PUBLIC) | Q(id__in=subscribed)
    return apis(priced=priced).filter((published & open_to) | Q(provider=viewer))


def visible_api(slug: str, *, viewer: UUID | None, priced: bool = False) -> Api:
    row = visible_apis(viewer, priced=priced).filter(slug=clean(slug)).first()
    if row is None:
        raise ProblemError("not_found")
    return row


def operations(api_id: UUID) -> QuerySet[Operation]:
    """Operations of the versions in service, newest version first, in the document's order."""
    return (
        Operation.objects.filter(version__api=api_id)
        .exclude(version__state=VersionState.RETIRED)
        .select_related("version__api")
        .defer("version__document", "version__api__search")
        .order_by("-version_id", "position", "id")
    )


def operation(api_id: UUID, *, operation_id: str, version: str = "") -> Operation:
    rows = operations(api_id).filter(operation_id=clean(operation_id))
    row = (rows.filter(version__name=clean(version)) if version else rows).first()
    if row is None:
        raise ProblemError("not_found")
    return row


def visible_versions(viewer: UUID) -> QuerySet[Version]:
    """Versions of the APIs that an organization may see, without their documents."""
    return (
        Version.objects.filter(api__in=visible_apis(viewer).values("id"))
        .select_related("api")
        .defer("document", "api__search")
        .prefetch_related("routes")
        .order_by("-id")
    )


def visible_version(viewer: UUID, *, id: UUID) -> Version:
    row = visible_versions(viewer).filter(id=id).first()
    if row is None:
        raise ProblemError("not_found")
    return row


def visible_plans(viewer: UUID) -> QuerySet[Plan]:
    """Plans that an organization may read: those on offer for the APIs it sees, and those it holds."""
    held = Subscription.objects.filter(organization=viewer).values("plan_version__plan")
    offered = offered_plans().filter(apis__in=visible_apis(viewer).values("id")).values("id")
    return plans().filter(Q(id__in=offered) | Q(id__in=held)).order_by("-id")


def visible_plan(viewer: UUID, *, slug: str) -> Plan:
    row = visible_plans(viewer).filter(slug=clean(slug)).first()
    if row is None:
        raise ProblemError("not_found")
    return row


# --- the tenant's own ---


def own_apis(org: UUID) -> QuerySet[Api]:
    """APIs that the organization provides, in any state."""
    return Api.objects.filter(provider=org)


def own_api(org: UUID, *, id: UUID) -> Api:
    row = own_apis(org).filter(id=id).first()
    if row is None:
        raise ProblemError("not_found")
    return row


def keys(org: UUID) -> QuerySet[ApiKey]:
    return ApiKey.objects.filter(organization=org).select_related("project").order_by("-id")


def key(org: UUID, *, id: UUID) -> ApiKey:
    row = keys(org).filter(id=id).first()
    if row is None:
        raise ProblemError("not_found")
    return row


def key_views(org: UUID, rows: Iterable[ApiKey]) -> list[KeyView]:
    """Keys as values, with when each was last used: usage knows that."""
    rows = list(rows)
    used = last_used(org, keys=[row.id for row in rows])
    return [key_view(row, last_used_at=used.get(row.id)) for row in rows]


def _covers() -> Prefetch:
    return Prefetch("covers", SubscriptionApi.objects.select_related("api"))


def reaches(org: UUID, *, api_slug: str) -> bool:
    """Whether a live subscription of the organization covers the API."""
    return SubscriptionApi.objects.filter(subscription__organization=org, api__slug=clean(api_slug), live=True).exists()


def subscriptions(org: UUID) -> QuerySet[Subscription]:
    """With the pinned version, its prices and limits, and the APIs covered."""
    return (
        Subscription.objects.filter(organization=org)
        .select_related("plan_version__plan")
        .prefetch_related("plan_version__prices", "plan_version__limits", _covers())
        .order_by("-id")
    )


def subscription(org: UUID, *, id: UUID) -> Subscription:
    row = subscriptions(org).filter(id=id).first()
    if row is None:
        raise ProblemError("not_found")
    return row
