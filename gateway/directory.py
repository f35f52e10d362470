"""Everything published, in memory: what a worker knows of organizations, keys, terms and routes.

A table is only ever moved forward: `apply` ignores an older or equal rev, so entries may come late,
twice or in any order. Reads take no lock; every read sees the state of this instant, and nothing
decided before a revoke is kept over it. No I/O, no clock.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from gateway.records import Api, Grant, Key, Organization, PlanVersion, Record, Standing, Subscription

Compiled = TypeVar("Compiled")
GRANTS_KEPT = 50_000


def record_id(record: Record) -> str:
    """Return the id a record is stored under; a standing has its subscription's."""
    return record.subscription if isinstance(record, Standing) else record.id


class Directory:
    """The table. Look-ups return None for what was never published."""

    def __init__(self) -> None:
        self.organizations: dict[str, Organization] = {}
        self.keys: dict[str, Key] = {}
        self.subscriptions: dict[str, Subscription] = {}
        self.plan_versions: dict[str, PlanVersion] = {}
        self.apis: dict[str, Api] = {}
        self.standings: dict[str, Standing] = {}
        self._key_of_digest: dict[str, str] = {}
        self._api_of_slug: dict[str, str] = {}
        self._subscribed: dict[tuple[str, str], tuple[str, ...]] = {}  # (project, api) → ids, the one that counts first
        self._grants: dict[tuple[str, str], tuple[Api, Grant]] = {}
        self._compiled: dict[str, tuple[Api, object]] = {}

    # --- look-ups ---

    def key(self, digest: str) -> Key | None:
        """Find a key, in whatever state, by one of its digests (`kit.secrets.key_digests`)."""
        return self.keys.get(self._key_of_digest.get(digest, ""))

    def api(self, slug: str) -> Api | None:
        return self.apis.get(self._api_of_slug.get(slug, ""))

    def subscription(self, *, project: str, api: str) -> Subscription | None:
        """Return the project's subscription that covers the API (by id): the live one if there is one."""
        ids = self._subscribed.get((project, api))
        return self.subscriptions.get(ids[0]) if ids else None

    def grant(self, key: Key, *, api: Api) -> Grant | None:
        """Join a key with what decides its calls to one API; None while its organization is unknown.

        The same Grant, with the terms compiled into it, is returned until any of its parts changes.
        """
        organization = self.organizations.get(key.organization)
        if organization is None:
            return None
        subscription = self.subscription(project=key.project, api=api.id)
        version = self.plan_versions.get(subscription.plan_version) if subscription else None
        standing = self.standings.get(subscription.id) if subscription else None
        known = self._grants.get((key.id, api.id))
        if known is not None:
            grant = known[1]
            same = (
                known[0] is api
                and grant.key is key
                and grant.organization is organization
                and grant.subscription is subscription
                and grant.plan_version is version
                and grant.standing is standing
            )
            if same:
                return grant
        grant = Grant(key, organization, subscription, version, standing)
        if len(self._grants) >= GRANTS_KEPT:
            self._grants.clear()
        self._grants[key.id, api.id] = (api, grant)
        return grant

    def compiled(self, api: Api, compile_api: Callable[[Api], Compiled]) -> Compiled:
        """Return `compile_api(api)`, computed once per published state of the API."""
        known = self._compiled.get(api.id)
        if known is None or known[0] is not api:
            known = self._compiled[api.id] = (api, compile_api(api))
        return known[1]  # type: ignore[return-value]  # one compiler per process

    def records(self) -> Iterator[Record]:
        """Yield every record; what is applied meanwhile may be left out."""
        tables: tuple[Mapping[str, Record], ...] = (
            self.organizations,
            self.keys,
            self.subscriptions,
            self.plan_versions,
            self.apis,
            self.standings,
        )
        for table in tables:
            yield from list(table.values())

    # --- changes ---

    def apply(self, record: Record) -> bool:
        """Take a record unless a newer or equal one is known. Returns whether it was taken."""
        return _APPLY[type(record)](self, record)

    def _apply_organization(self, new: Organization) -> bool:
        return _newer(self.organizations, new.id, new)

    def _apply_plan_version(self, new: PlanVersion) -> bool:
        return _newer(self.plan_versions, new.id, new)

    def _apply_standing(self, new: Standing) -> bool:
        return _newer(self.standings, new.subscription, new)

    def _apply_key(self, new: Key) -> bool:
        old = self.keys.get(new.id)
        if not _newer(self.keys, new.id, new):
            return False
        for digest in new.digests:
            self._key_of_digest[digest] = new.id
        for digest in old.digests if old else ():
            if digest not in new.digests and self._key_of_digest.get(digest) == new.id:
                del self._key_of_digest[digest]
        return True

    def _apply_api(self, new: Api) -> bool:
        old = self.apis.get(new.id)
        if not _newer(self.apis, new.id, new):
            return False
        self._api_of_slug[new.slug] = new.id
        if old and old.slug != new.slug and self._api_of_slug.get(old.slug) == new.id:
            del self._api_of_slug[old.slug]
        return True

    def _apply_subscription(self, new: Subscription) -> bool:
        old = self.subscriptions.get(new.id)
        if not _newer(self.subscriptions, new.id, new):
            return False
        places = {(new.project, api) for api in new.apis}
        gone = {(old.project, api) for api in old.apis} - places if old else set()
        for place in places | gone:
            ids = set(self._subscribed.get(place, ()))
            ids = ids - {new.id} if place in gone else ids | {new.id}
            self._subscribed[place] = tuple(sorted(ids, key=self._standing_order))
        return True

    def _standing_order(self, subscription_id: str) -> tuple[bool, str]:
        """A project may hold cancelled subscriptions beside its live one: that one comes first."""
        return self.subscriptions[subscription_id].state != "active", subscription_id


def _newer(table: dict, name: str, new: Record) -> bool:
    old = table.get(name)
    if old is not None and old.rev >= new.rev:
        return False
    table[name] = new
    return True


_APPLY: dict[type, Callable[..., bool]] = {
    Organization: Directory._apply_organization,
    Key: Directory._apply_key,
    Subscription: Directory._apply_subscription,
    PlanVersion: Directory._apply_plan_version,
    Api: Directory._apply_api,
    Standing: Directory._apply_standing,
}
