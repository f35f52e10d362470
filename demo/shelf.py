"""What the demo sells: World with its three plans, and the echo API with one plan per kind of limit."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

from django.db import transaction

from demo.people import ACTOR
from kit.errors import ProblemError
from marketplace import public as marketplace
from marketplace.public import ApiView, Terms

HERE = Path(__file__).resolve().parent
SECOND_MS = 1000


def _rate(amount: int, *, burst: int = 0, hard: bool = True) -> dict[str, Any]:
    limit = {"kind": "bucket", "name": "rate", "amount": burst or amount, "refill": amount, "refill_ms": SECOND_MS}
    return limit | {"hard": hard}


def _quota(amount: int, *, hard: bool = True) -> dict[str, Any]:
    return {"kind": "quota", "name": "period", "amount": amount, "hard": hard}


@dataclass(frozen=True)
class Offer:
    """A plan and what its first version says."""

    slug: str
    name: str
    description: str
    limits: tuple[dict[str, Any], ...] = ()
    prices: tuple[dict[str, Any], ...] = ()
    given_to_new: bool = False


@dataclass(frozen=True)
class Product:
    """An API as it stands on the shelf."""

    slug: str
    name: str
    summary: str
    category: str
    version: str
    document: Path
    offers: tuple[Offer, ...]
    featured: bool = False
    pass_undeclared: bool = False
    servers: tuple[tuple[Literal["live", "test"], str], ...] = ()  # environment, path below the upstream's address


WORLD = Product(
    slug="world",
    name="World",
    summary="Countries, currencies, time zones, and conversions between times and units.",
    category="Reference",
    version="v1",
    document=HERE / "world" / "openapi.yaml",
    featured=True,
    servers=(("live", ""), ("test", "/test")),
    offers=(
        Offer(
            slug="world-free",
            name="Free",
            description="For trying things out.",
            limits=(_quota(1000), _rate(10)),
            given_to_new=True,
        ),
        Offer(
            slug="world-payg",
            name="Pay as you go",
            description="No base fee; every call costs the same.",
            limits=(_rate(50),),
            prices=({"kind": "per_unit", "name": "Calls", "meter": "calls", "unit_amount": "0.002"},),
        ),
        Offer(
            slug="world-pro",
            name="Pro",
            description="For products: 10,000 calls a month are included.",
            limits=(_rate(100, burst=200),),
            prices=(
                {"kind": "flat", "name": "Pro", "amount": "29.00"},
                {
                    "kind": "included_overage",
                    "name": "Calls",
                    "meter": "calls",
                    "included": 10_000,
                    "unit_amount": "0.01",
                },
            ),
        ),
    ),
)

ECHO = Product(
    slug="echo",
    name="Echo",
    summary="Answers any request with what it received: for tests.",
    category="Tests",
    version="v1",
    document=HERE / "echo.yaml",
    pass_undeclared=True,
    servers=(("live", ""), ("test", "")),
    # The name of the key in the JSON file is the offer's slug without "echo-", with underscores.
    offers=(
        Offer("echo-open", "Open", "No limit at all."),
        Offer("echo-quota-1000", "Quota", "1,000 billable calls a month, then none.", limits=(_quota(1000),)),
        Offer("echo-rate-100", "Rate", "100 calls a second, bursts of 20.", limits=(_rate(100, burst=20),)),
        Offer("echo-soft", "Soft", "1,000 calls a month, overage allowed.", limits=(_quota(1000, hard=False),)),
        Offer(
            "echo-fail-open", "Fail open", "A rate that is watched, not enforced.", limits=(_rate(1000, hard=False),)
        ),
    ),
)


def fingerprint(*addresses: str) -> str:
    """A digest of all that `publish` would put on the shelf at these addresses."""
    digest = hashlib.sha256(repr((WORLD, ECHO, addresses)).encode())
    for product in (WORLD, ECHO):
        digest.update(product.document.read_bytes())
    return digest.hexdigest()


@transaction.atomic
def publish(product: Product, org: UUID, *, upstream: str, at: datetime) -> ApiView:
    """Put an API on the shelf, or bring what stands there up to this file: document, servers, plans."""
    shelved = _api(product, org, at=at)
    version = next((version for version in shelved.versions if version.name == product.version), None)
    document = product.document.read_text()
    if version is None:
        version = marketplace.add_version(
            org, api_id=shelved.id, name=product.version, document=document, actor=ACTOR, at=at
        )
    else:
        marketplace.replace_document(org, version_id=version.id, document=document, actor=ACTOR, at=at)
    for environment, path in product.servers:
        server = marketplace.set_upstream(
            org, api_id=shelved.id, name=environment, base_url=f"{upstream}{path}", actor=ACTOR, at=at
        )
        marketplace.set_route(
            org, version_id=version.id, environment=environment, upstream_id=server, actor=ACTOR, at=at
        )
    for position, offer in enumerate(product.offers):
        _offer(offer, shelved.id, position=position, at=at)
    return marketplace.publish_api(org, id=shelved.id, actor=ACTOR, at=at)


def _api(product: Product, org: UUID, *, at: datetime) -> ApiView:
    try:
        return marketplace.api(product.slug, viewer=org)
    except ProblemError as problem:
        if problem.code != "not_found":
            raise
    return marketplace.create_api(
        org,
        slug=product.slug,
        name=product.name,
        summary=product.summary,
        category=product.category,
        featured=product.featured,
        pass_undeclared=product.pass_undeclared,
        actor=ACTOR,
        at=at,
    )


def _offer(offer: Offer, api_id: UUID, *, position: int, at: datetime) -> None:
    """Create and publish a plan; one that is there stays as its operator left it."""
    try:
        marketplace.plan(offer.slug)
        return
    except ProblemError as problem:
        if problem.code != "not_found":
            raise
    draft = marketplace.create_plan(
        slug=offer.slug,
        name=offer.name,
        description=offer.description,
        api_ids=[api_id],
        terms=Terms(prices=offer.prices, limits=offer.limits),
        position=position,
        given_to_new=offer.given_to_new,
        once_per_person=offer.given_to_new,
        actor=ACTOR,
        at=at,
    )
    marketplace.publish_version(draft.id, actor=ACTOR, at=at)
