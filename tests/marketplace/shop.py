"""A small shop for tests: Acme's people, World's API with a free and a paid plan, and a directory that remembers."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from accounts.models import User
from accounts.public import Actor, create_organization
from marketplace import public as marketplace
from tests.marketplace.contract.documents import document, text

NOW = datetime(2026, 11, 20, 12, 0, 0, 512_345, tzinfo=UTC)
ROOT = Actor("system", None, "tests")
QUOTA = {"kind": "quota", "name": "period", "amount": 1000}
BURST = {"kind": "bucket", "name": "burst", "amount": 20, "refill": 10, "refill_ms": 1000}
BASE = {"kind": "flat", "name": "Base", "amount": "29"}
OVERAGE = {"kind": "included_overage", "name": "Calls", "meter": "calls", "included": 10_000, "unit_amount": "0.01"}
FREE = marketplace.Terms(limits=[QUOTA, BURST])
PRO = marketplace.Terms(prices=[BASE, OVERAGE], limits=[{**QUOTA, "amount": 10_000, "hard": False}, BURST])

told: list[str] = []  # what the directory's handler was given


def take(key: str, payload: dict[str, Any]) -> None:
    told.append(key)


def refuse(key: str, payload: dict[str, Any]) -> None:
    raise ConnectionError("the directory is away")


@dataclass(frozen=True)
class Tenant:
    org: UUID
    project: UUID
    owner: User


@dataclass(frozen=True)
class Shop:
    provider: UUID
    api: UUID
    slug: str
    version: UUID
    free: UUID  # plan versions, published
    pro: UUID


def tenant(name: str, *, zone: str = "UTC") -> Tenant:
    owner = User.objects.create_user(f"{name.lower()}@example.com")
    organization, project = create_organization(owner_id=owner.id, name=name, zone=zone, actor=ROOT, at=NOW)
    return Tenant(organization.id, project.id, owner)


def open_shop(slug: str = "world", *, featured: bool = True) -> Shop:
    """An API in service, with the plans Free (given to new accounts) and Pro."""
    by: dict[str, Any] = {"actor": ROOT, "at": NOW}
    provider = tenant(f"{slug.title()} Data").org
    api = marketplace.create_api(provider, slug=slug, name=slug.title(), category="Data", featured=featured, **by)
    version = marketplace.add_version(
        provider, api_id=api.id, name="v1", document=text(document()), base_path="/v1", **by
    )
    live = marketplace.set_upstream(provider, api_id=api.id, name="live", base_url="https://world.example", **by)
    for environment in ("live", "test"):
        marketplace.set_route(provider, version_id=version.id, environment=environment, upstream_id=live, **by)
    marketplace.publish_api(provider, id=api.id, **by)
    free = plan_of(api.id, f"{slug}-free", FREE, given_to_new=True)
    return Shop(provider, api.id, slug, version.id, free, plan_of(api.id, f"{slug}-pro", PRO))


def plan_of(api: UUID, slug: str, terms: marketplace.Terms, **more: Any) -> UUID:
    """A plan over one API with a published version; answers the version's id."""
    name = slug.rpartition("-")[2].title()
    draft = marketplace.create_plan(slug=slug, name=name, api_ids=[api], terms=terms, actor=ROOT, at=NOW, **more)
    return marketplace.publish_version(draft.id, actor=ROOT, at=NOW).id


def subscribed(shop: Shop, who: Tenant, **more: Any) -> marketplace.SubscriptionView:
    by: dict[str, Any] = {"actor": ROOT, "at": NOW} | more
    return marketplace.subscribe_free(who.org, project_id=who.project, api_slug=shop.slug, user_id=who.owner.id, **by)


def key_of(who: Tenant, **more: Any) -> tuple[marketplace.KeyView, str]:
    asked: dict[str, Any] = {"name": "CI", "kind": "live", "actor": ROOT, "at": NOW} | more
    return marketplace.create_key(who.org, project_id=who.project, **asked)
