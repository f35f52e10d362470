"""What other apps get to see of the marketplace: frozen values, no model among them. Instants are aware UTC."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from marketplace.periods import Period

Json = Any  # what `json.loads` answers


@dataclass(frozen=True)
class VersionView:
    id: UUID
    api_id: UUID
    name: str  # "v1"
    base_path: str  # "/v1"; "" when paths carry no version
    state: str  # active | deprecated | retired
    deprecated_at: datetime | None
    sunset_at: datetime | None
    live: bool  # has an upstream for live keys
    sandbox: bool  # has an upstream for test keys


@dataclass(frozen=True)
class ApiView:
    id: UUID
    slug: str
    name: str
    summary: str
    description_md: str
    category: str
    visibility: str  # public | private
    state: str  # draft | published | suspended | retired
    featured: bool
    provider_id: UUID
    provider_name: str
    pass_undeclared: bool
    free_plan: str | None  # slug of the plan given to new accounts
    price: str  # one sentence: "Free plan, then from $29.00 a month"
    operations: int
    versions: tuple[VersionView, ...]  # newest first


@dataclass(frozen=True)
class ContentView:
    """One media type of a body, and its self-contained JSON Schema."""

    type: str  # "application/json"
    schema: Json


@dataclass(frozen=True)
class ParameterView:
    name: str
    where: Literal["path", "query", "header", "cookie"]
    required: bool
    description: str
    schema: Json
    style: str
    explode: bool
    example: str  # as it is typed into the form: "" when there is none


@dataclass(frozen=True)
class BodyView:
    required: bool
    description: str
    content: tuple[ContentView, ...]


@dataclass(frozen=True)
class ResponseView:
    status: str  # "200", "4XX", "default"
    description: str
    content: tuple[ContentView, ...]


@dataclass(frozen=True)
class ExampleView:
    """Values that a first request can be sent with; all text, as typed."""

    path: Mapping[str, str]
    query: tuple[tuple[str, str], ...]
    headers: tuple[tuple[str, str], ...]
    content_type: str  # "" without a body
    body: str
    target: str  # "/world/v1/countries/DE?lang=en": the API's slug, the path and query with the values filled in


@dataclass(frozen=True)
class OperationView:
    id: UUID
    api_slug: str
    version_id: UUID
    version: str
    operation_id: str
    method: str
    path: str  # template below the version's base path
    full_path: str  # "/world/v1/countries/{code}": what follows the gateway's address
    tag: str
    summary: str
    description: str  # Markdown
    deprecated: bool
    parameters: tuple[ParameterView, ...]
    body: BodyView | None
    responses: tuple[ResponseView, ...]
    example: ExampleView


@dataclass(frozen=True)
class PriceView:
    id: UUID
    position: int
    name: str
    kind: str
    meter: str
    filters: Mapping[str, Any]
    config: Mapping[str, Any]  # the kind's fields, decimals as text
    sentence: str  # "$0.01 per call after 10,000 included calls"


@dataclass(frozen=True)
class LimitView:
    id: str  # stable over versions: "quota:billable:period"
    kind: str  # quota | bucket
    name: str
    amount: int
    meter: str
    window: str
    hard: bool
    refill: int
    refill_ms: int
    per: str
    refusal: str
    sentence: str  # "10,000 calls a month, then calls are refused (429)"


@dataclass(frozen=True)
class PlanVersionView:
    id: UUID
    plan_id: UUID
    plan_slug: str
    plan_name: str
    number: int
    state: str  # draft | published | retired
    published_at: datetime | None
    currency: str
    interval: str  # month | year
    rounding: str
    free: bool
    price_hash: str
    limits_hash: str
    prices: tuple[PriceView, ...]
    limits: tuple[LimitView, ...]


@dataclass(frozen=True)
class PlanView:
    id: UUID
    slug: str
    name: str
    description: str
    visibility: str
    state: str  # active | retired
    family: str
    api_slugs: tuple[str, ...]
    given_to_new: bool  # the default free plan of one of its APIs
    version: PlanVersionView | None  # the newest published one


@dataclass(frozen=True)
class SubscriptionView:
    id: UUID
    organization_id: UUID
    project_id: UUID
    state: str  # incomplete | trialing | active | paused | cancelled
    version: PlanVersionView
    api_ids: tuple[UUID, ...]
    api_slugs: tuple[str, ...]
    started_at: datetime
    zone: str
    anchor_day: int
    period: Period  # the one that holds the instant asked for
    change_at: datetime | None
    cancelled_at: datetime | None


@dataclass(frozen=True)
class KeyView:
    """A key without its secret."""

    id: UUID
    organization_id: UUID
    project_id: UUID
    project_name: str
    name: str
    kind: str  # live | test
    prefix: str
    last4: str
    state: str  # active | revoked
    scopes: tuple[str, ...]
    allowed_ips: tuple[str, ...]
    created_at: datetime
    created_by: UUID | None
    expires_at: datetime | None
    last_used_at: datetime | None  # None: never, or not asked for
    revoked_at: datetime | None
    replaces: UUID | None  # the key that this one was rolled from

    def works(self, at: datetime) -> bool:
        """Whether calls with it are let through at that instant."""
        return self.state == "active" and (self.expires_at is None or at < self.expires_at)


@dataclass(frozen=True)
class Minted:
    """What a new account starts with. `live_secret` is shown once and stored nowhere.

    `subscription` is None when no API has a free plan to give, or the person holds it in another organization.
    """

    subscription: SubscriptionView | None
    test_key: KeyView
    live_key: KeyView
    live_secret: str
