"""The marketplace for other apps: frozen values in and out."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from accounts.public import Actor
from gateway.records import Api as ApiRecord
from gateway.records import Grant
from marketplace.periods import Period, period_id
from marketplace.values import (
    ApiView,
    KeyView,
    LimitView,
    Minted,
    OperationView,
    ParameterView,
    PlanVersionView,
    PlanView,
    PriceView,
    SubscriptionView,
    VersionView,
)


# --- nouns; they raise NotFound where one thing is asked for ---
def catalogue(*, q: str = "", category: str = "") -> list[ApiView]:
    """Published public APIs, featured first; with `q` the best match first, typing errors forgiven."""
    raise NotImplementedError


def categories() -> list[tuple[str, int]]:
    """Categories of the catalogue and how many APIs each holds."""
    raise NotImplementedError


def api(slug: str, *, viewer: UUID | None = None) -> ApiView:
    """One API as the page shows it. A private one only to its provider and its subscribers (`viewer`: an org)."""
    raise NotImplementedError


def operations(api_id: UUID) -> list[OperationView]:
    """All operations of an API's live versions, newest version first, in the document's order."""
    raise NotImplementedError


def operation(api_slug: str, operation_id: str, *, version: str = "", viewer: UUID | None = None) -> OperationView:
    """One operation; without `version` that of the newest version that has it."""
    raise NotImplementedError


def plans(api_id: UUID) -> list[PlanView]:
    """Public, active plans with a published version, in the page's order."""
    raise NotImplementedError


def keys(org: UUID, *, project: UUID | None = None) -> list[KeyView]:
    """Newest first, revoked ones included."""
    raise NotImplementedError


def key(org: UUID, *, id: UUID) -> KeyView:
    raise NotImplementedError


def subscriptions(org: UUID, *, at: datetime, project: UUID | None = None) -> list[SubscriptionView]:
    """Newest first, cancelled ones included."""
    raise NotImplementedError


# --- verbs; they raise NotFound, Conflict, Invalid, and kit.django.outbox.Undelivered after their commit ---
def mint_start(
    org: UUID, *, project_id: UUID, user_id: UUID, verified: bool, api_slug: str | None, actor: Actor, at: datetime
) -> Minted:
    """Give a new organization its test key, live key and free subscription; inside the caller's transaction."""
    raise NotImplementedError


def create_key(
    org: UUID,
    *,
    project_id: UUID,
    name: str,
    kind: Literal["live", "test"],
    actor: Actor,
    at: datetime,
    scopes: Sequence[str] = ("*",),
    expires_at: datetime | None = None,
    allowed_ips: Sequence[str] = (),
) -> tuple[KeyView, str]:
    """Mint a key; its secret is the second value, shown now and (live) never again."""
    raise NotImplementedError


def rename_key(org: UUID, *, id: UUID, name: str, actor: Actor, at: datetime) -> KeyView:
    raise NotImplementedError


def roll_key(
    org: UUID, *, id: UUID, overlap: Literal["now", "1h", "24h", "7d", "30d"] = "24h", actor: Actor, at: datetime
) -> tuple[KeyView, str]:
    """Mint a successor with the same rights; the old key works for `overlap` longer."""
    raise NotImplementedError


def revoke_key(org: UUID, *, id: UUID, actor: Actor, at: datetime) -> KeyView:
    """Returns once the gateway's directory has it; else raises Undelivered. Twice is once."""
    raise NotImplementedError


def reveal_test_key(org: UUID, *, id: UUID) -> str:
    """A test key's secret, derived again. Raises Invalid for a live key: that is stored nowhere."""
    raise NotImplementedError


def subscribe_free(
    org: UUID, *, project_id: UUID, api_slug: str, user_id: UUID, actor: Actor, at: datetime, plan_slug: str = ""
) -> SubscriptionView:
    """Subscribe a project to a free plan (default: the API's own). Twice is once."""
    raise NotImplementedError


def cancel_subscription(org: UUID, *, id: UUID, actor: Actor, at: datetime) -> SubscriptionView:
    """End a free subscription now. Twice is once."""
    raise NotImplementedError


# --- what the Run panel sends calls with ---
def run_grant(org: UUID, *, api_slug: str, kind: Literal["live", "test"] = "test", at: datetime) -> Grant | None:
    """The grant of the newest working key of the organization that reaches the API; None without such a key."""
    raise NotImplementedError


def visitor_grant(api_slug: str, *, at: datetime) -> Grant:
    """The shared grant of people without an account: test upstream, nothing counted."""
    raise NotImplementedError


def api_record(api_slug: str) -> ApiRecord:
    """The API as the gateway knows it."""
    raise NotImplementedError


__all__ = (
    "ApiView",
    "KeyView",
    "LimitView",
    "Minted",
    "OperationView",
    "ParameterView",
    "Period",
    "PlanVersionView",
    "PlanView",
    "PriceView",
    "SubscriptionView",
    "VersionView",
    "api",
    "api_record",
    "cancel_subscription",
    "catalogue",
    "categories",
    "create_key",
    "key",
    "keys",
    "mint_start",
    "operation",
    "operations",
    "period_id",
    "plans",
    "rename_key",
    "reveal_test_key",
    "revoke_key",
    "roll_key",
    "run_grant",
    "subscribe_free",
    "subscriptions",
    "visitor_grant",
)
