"""What is sold and to whom, for other apps: frozen values in and out.

`org` is the organization's id. What is not there, or is another organization's, raises ProblemError not_found.
Verbs raise ProblemError invalid, conflict; those that must be in force before they are answered (revoke, suspend,
adopt) raise kit.django.outbox.Undelivered when their transaction commits and the gateway has not taken it.
"""

from datetime import datetime
from uuid import UUID

from marketplace import queries
from marketplace.actions.apis import create_api, publish_api, retire_api, suspend_api, update_api
from marketplace.actions.keys import OVERLAPS, create_key, rename_key, reveal_test_key, revoke_key, roll_key
from marketplace.actions.plan_versions import Terms, adopt_version, new_version, publish_version, set_terms
from marketplace.actions.plans import create_plan, retire_plan
from marketplace.actions.start import mint_start
from marketplace.actions.subscriptions import cancel_subscription, subscribe_free
from marketplace.actions.versions import (
    add_version,
    deprecate_version,
    replace_document,
    retire_version,
    set_route,
    set_upstream,
)
from marketplace.contract.examples import example_of
from marketplace.grants import api_record, run_grant, visitor_grant
from marketplace.mapping import api_view, key_view, operation_view, plan_view, subscription_view
from marketplace.periods import Period, period_id
from marketplace.publish import publish_everything
from marketplace.queries import categories, reaches
from marketplace.values import (
    ApiView,
    BodyView,
    ContentView,
    ExampleView,
    KeyView,
    LimitView,
    Minted,
    OperationView,
    ParameterView,
    PlanVersionView,
    PlanView,
    PriceView,
    ResponseView,
    SubscriptionView,
    VersionView,
)

__all__ = [
    "OVERLAPS",
    "ApiView",
    "BodyView",
    "ContentView",
    "ExampleView",
    "KeyView",
    "LimitView",
    "Minted",
    "OperationView",
    "ParameterView",
    "Period",
    "PlanVersionView",
    "PlanView",
    "PriceView",
    "ResponseView",
    "SubscriptionView",
    "Terms",
    "VersionView",
    "add_version",
    "adopt_version",
    "api",
    "api_record",
    "cancel_subscription",
    "catalogue",
    "catalogue_size",
    "categories",
    "create_api",
    "create_key",
    "create_plan",
    "deprecate_version",
    "example_of",
    "key",
    "keys",
    "mint_start",
    "new_version",
    "operation",
    "operations",
    "period_id",
    "plan",
    "plans",
    "publish_api",
    "publish_everything",
    "publish_version",
    "reaches",
    "rename_key",
    "replace_document",
    "retire_api",
    "retire_plan",
    "retire_version",
    "reveal_test_key",
    "revoke_key",
    "roll_key",
    "run_grant",
    "set_route",
    "set_terms",
    "set_upstream",
    "subscribe_free",
    "subscription",
    "subscriptions",
    "suspend_api",
    "update_api",
    "visitor_grant",
]


def catalogue(*, q: str = "", category: str = "", start: int = 0, count: int = 100) -> list[ApiView]:
    """Published public APIs, featured first; with `q` the best match first, typing errors forgiven."""
    return [api_view(row) for row in queries.catalogue(q=q, category=category)[start : start + count]]


def catalogue_size(*, q: str = "", category: str = "") -> int:
    """How many APIs `catalogue` holds for the same question."""
    return queries.catalogue(q=q, category=category).count()


def api(slug: str, *, viewer: UUID | None = None, priced: bool = True) -> ApiView:
    """One API as its page shows it. A private one only to its provider and its subscribers (`viewer`: an org).

    Without `priced` its `price` stays "", and is not looked up.
    """
    return api_view(queries.visible_api(slug, viewer=viewer, priced=priced))


def operations(api_id: UUID) -> list[OperationView]:
    """All operations of the versions in service, newest version first, in the document's order."""
    return [operation_view(row) for row in queries.operations(api_id)]


def operation(api_slug: str, operation_id: str, *, version: str = "", viewer: UUID | None = None) -> OperationView:
    """One operation; without `version` that of the newest version that has it."""
    found = queries.visible_api(api_slug, viewer=viewer)
    return operation_view(queries.operation(found.id, operation_id=operation_id, version=version))


def plans(api_id: UUID) -> list[PlanView]:
    """Public, active plans of an API, each with its newest published version, in the page's order."""
    return [plan_view(row) for row in queries.offered_plans().filter(apis=api_id)]


def plan(slug: str) -> PlanView:
    """One plan by its slug, whatever its state."""
    return plan_view(queries.plan(slug))


def keys(org: UUID, *, project: UUID | None = None, used: bool = False) -> list[KeyView]:
    """Newest first, revoked ones included. `used`: with when each was last used, which costs a look at usage."""
    rows = queries.keys(org)
    rows = rows.filter(project=project) if project else rows
    return queries.key_views(org, rows) if used else [key_view(row) for row in rows]


def key(org: UUID, *, id: UUID) -> KeyView:
    return queries.key_views(org, [queries.key(org, id=id)])[0]


def subscriptions(org: UUID, *, at: datetime, project: UUID | None = None) -> list[SubscriptionView]:
    """Newest first, cancelled ones included; `period` is the one that holds `at`."""
    rows = queries.subscriptions(org)
    return [subscription_view(row, at=at) for row in (rows.filter(project=project) if project else rows)]


def subscription(org: UUID, *, id: UUID, at: datetime) -> SubscriptionView:
    return subscription_view(queries.subscription(org, id=id), at=at)
