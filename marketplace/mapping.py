"""The one place where a row becomes the frozen value that other apps see."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from kit.errors import ProblemError
from marketplace.limits import LimitSpec
from marketplace.models import Api, ApiKey, Limit, Operation, Plan, PlanVersion, Price, Subscription, Version
from marketplace.periods import period_at
from marketplace.pricing.price import Price as PriceValue
from marketplace.pricing.price import read_prices
from marketplace.pricing.teaser import teaser
from marketplace.values import (
    ApiView,
    BodyView,
    ContentView,
    ExampleView,
    KeyView,
    LimitView,
    OperationView,
    ParameterView,
    PlanVersionView,
    PlanView,
    PriceView,
    ResponseView,
    SubscriptionView,
    VersionView,
)

# --- APIs ---


def version_view(row: Version) -> VersionView:
    """Map a version; `queries.apis` brings the environments it serves along as `served`."""
    environments = row.served if hasattr(row, "served") else {route.environment for route in row.routes.all()}
    return VersionView(
        id=row.id,
        api_id=row.api_id,
        name=row.name,
        base_path=row.base_path,
        state=row.state,
        deprecated_at=row.deprecated_at,
        sunset_at=row.sunset_at,
        live="live" in environments,
        sandbox="test" in environments,
    )


def api_view(row: Api) -> ApiView:
    """Map a row of `queries.apis`, which carries its provider, versions, `operation_count` and (if priced) offers."""
    offers = [version for plan in getattr(row, "offered", ()) for version in plan.current]
    return ApiView(
        id=row.id,
        slug=row.slug,
        name=row.name,
        summary=row.summary,
        description_md=row.description_md,
        category=row.category,
        visibility=row.visibility,
        state=row.state,
        featured=row.featured,
        provider_id=row.provider_id,
        provider_name=row.provider.name,
        pass_undeclared=row.pass_undeclared,
        free_plan=row.free_plan.slug if row.free_plan else None,
        price=teaser([(prices_of(version), version.currency, version.interval) for version in offers]),
        operations=row.operation_count,  # type: ignore[attr-defined]
        versions=tuple(version_view(version) for version in row.versions.all()),
    )


def operation_view(row: Operation) -> OperationView:
    """Map an operation with its version and API joined."""
    prefix = f"/{row.version.api.slug}{row.version.base_path}"
    example = row.example
    typed = {**dict(example["path"]), **_first_of_each(example["query"]), **_first_of_each(example["headers"])}
    return OperationView(
        id=row.id,
        api_slug=row.version.api.slug,
        version_id=row.version_id,
        version=row.version.name,
        operation_id=row.operation_id,
        method=row.method,
        path=row.path,
        full_path=f"{prefix}{row.path}",
        tag=row.tag,
        summary=row.summary,
        description=row.description,
        deprecated=row.deprecated,
        parameters=tuple(_parameter(raw, typed) for raw in row.parameters),
        body=_body(row.request_body),
        responses=tuple(_response(raw) for raw in row.responses),
        example=_example(example, f"{prefix}{row.path}"),
    )


def _first_of_each(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    return dict(reversed([(name, value) for name, value in pairs]))


def _parameter(raw: Mapping[str, Any], typed: Mapping[str, str]) -> ParameterView:
    return ParameterView(
        name=raw["name"],
        where=raw["in"],
        required=raw["required"],
        description=raw["description"],
        schema=raw["schema"],
        style=raw["style"],
        explode=raw["explode"],
        example=typed.get(raw["name"], ""),
    )


def _contents(raw: Iterable[Mapping[str, Any]]) -> tuple[ContentView, ...]:
    return tuple(ContentView(type=content["type"], schema=content["schema"]) for content in raw)


def _body(raw: Mapping[str, Any] | None) -> BodyView | None:
    if raw is None:
        return None
    return BodyView(required=raw["required"], description=raw["description"], content=_contents(raw["content"]))


def _response(raw: Mapping[str, Any]) -> ResponseView:
    return ResponseView(status=raw["status"], description=raw["description"], content=_contents(raw["content"]))


def _example(raw: Mapping[str, Any], template: str) -> ExampleView:
    path = template
    for name, value in raw["path"].items():
        path = path.replace(f"{{{name}}}", quote(value, safe=""))
    query = tuple((name, value) for name, value in raw["query"])
    return ExampleView(
        path=raw["path"],
        query=query,
        headers=tuple((name, value) for name, value in raw["headers"]),
        content_type=raw["content_type"],
        body=raw["body"],
        target=f"{path}?{urlencode(query)}" if query else path,
    )


# --- plans ---


def price_json(row: Price) -> dict[str, Any]:
    """A stored price as the one flat object that `read_prices` takes."""
    return {"name": row.name, "kind": row.kind, "meter": row.meter, "filters": row.filters, **row.config}


def limit_json(row: Limit) -> dict[str, Any]:
    """A stored limit as the object that `read_limits` takes: only the fields of its kind."""
    shared = {"kind": row.kind, "name": row.name, "amount": row.amount, "hard": row.hard, "per": row.per}
    if row.kind == "bucket":
        return shared | {"refill": row.refill, "refill_ms": row.refill_ms}
    return shared | {"meter": row.meter, "window": row.window, "refusal": row.refusal}


def prices_of(row: PlanVersion) -> tuple[PriceValue, ...]:
    """Raises ProblemError invalid: only a draft can hold prices that do not read."""
    return read_prices([price_json(price) for price in row.prices.all()], currency=row.currency)


def plan_version_view(row: PlanVersion) -> PlanVersionView:
    """Map a version with its plan, prices and limits; a draft whose prices do not read yet says nothing of them."""
    try:
        said = [price.sentence(currency=row.currency, interval=row.interval) for price in prices_of(row)]
    except ProblemError:
        said = [""] * len(row.prices.all())
    return PlanVersionView(
        id=row.id,
        plan_id=row.plan_id,
        plan_slug=row.plan.slug,
        plan_name=row.plan.name,
        number=row.number,
        state=row.state,
        published_at=row.published_at,
        currency=row.currency,
        interval=row.interval,
        rounding=row.rounding,
        free=row.free,
        price_hash=row.price_hash,
        limits_hash=row.limits_hash,
        prices=tuple(_price(price, sentence) for price, sentence in zip(row.prices.all(), said, strict=True)),
        limits=tuple(_limit(limit, row.interval) for limit in row.limits.all()),
    )


def _price(row: Price, sentence: str) -> PriceView:
    return PriceView(
        id=row.id,
        position=row.position,
        name=row.name,
        kind=row.kind,
        meter=row.meter,
        filters=row.filters,
        config=row.config,
        sentence=sentence,
    )


def limit_spec(row: Limit) -> LimitSpec:
    return LimitSpec(
        kind=row.kind,
        name=row.name,
        amount=row.amount,
        meter=row.meter,
        window=row.window,
        hard=row.hard,
        refill=row.refill,
        refill_ms=row.refill_ms,
        per=row.per,
        refusal=row.refusal,
    )


def _limit(row: Limit, interval: str) -> LimitView:
    spec = limit_spec(row)
    return LimitView(
        id=row.limit_id,
        kind=spec.kind,
        name=spec.name,
        amount=spec.amount,
        meter=spec.meter,
        window=spec.window,
        hard=spec.hard,
        refill=spec.refill,
        refill_ms=spec.refill_ms,
        per=spec.per,
        refusal=spec.refusal,
        sentence=spec.sentence(interval),
    )


def plan_view(row: Plan) -> PlanView:
    """Map a row of `queries.plans`, which carries its APIs and `current` version."""
    current = row.current  # type: ignore[attr-defined]
    apis = list(row.apis.all())
    return PlanView(
        id=row.id,
        slug=row.slug,
        name=row.name,
        description=row.description,
        visibility=row.visibility,
        state=row.state,
        family=row.family,
        api_slugs=tuple(api.slug for api in apis),
        given_to_new=any(api.free_plan_id == row.id for api in apis),
        version=plan_version_view(current[0]) if current else None,
    )


# --- what customers hold ---


def subscription_view(row: Subscription, *, at: datetime) -> SubscriptionView:
    """Map a row of `queries.subscriptions`; `period` is the one that holds `at`."""
    apis = [cover.api for cover in row.covers.all()]
    return SubscriptionView(
        id=row.id,
        organization_id=row.organization_id,
        project_id=row.project_id,
        state=row.state,
        version=plan_version_view(row.plan_version),
        api_ids=tuple(api.id for api in apis),
        api_slugs=tuple(api.slug for api in apis),
        started_at=row.started_at,
        zone=row.zone,
        anchor_day=row.anchor_day,
        period=period_at(row.chain, max(at, row.period_start_at)),
        change_at=row.change_at,
        cancelled_at=row.cancelled_at,
    )


def key_view(row: ApiKey, *, last_used_at: datetime | None = None) -> KeyView:
    """Map a key with its project joined."""
    return KeyView(
        id=row.id,
        organization_id=row.organization_id,
        project_id=row.project_id,
        project_name=row.project.name,
        name=row.name,
        kind=row.kind,
        prefix=row.prefix,
        last4=row.last4,
        state=row.state,
        scopes=tuple(row.scopes),
        allowed_ips=tuple(row.allowed_ips),
        created_at=row.created_at,
        created_by=row.created_by,
        expires_at=row.expires_at,
        last_used_at=last_used_at,
        revoked_at=row.revoked_at,
        replaces=row.replaces_id,
    )
