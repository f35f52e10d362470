"""Records to publish in tests: one organization with a key to one API, and a bit of everything around."""

from gateway.records import (
    Api,
    Key,
    Limit,
    Operation,
    Organization,
    Period,
    PlanVersion,
    Subscription,
    Upstream,
    Version,
)

PEPPERS = ("pepper-one",)


def organization(rev: int = 1, *, id: str = "org-1", state: str = "active") -> Organization:
    return Organization(id=id, rev=rev, state=state)


def key(rev: int = 1, *, id: str = "key-1", digests: tuple[str, ...] = ("d1",), state: str = "active", **more) -> Key:
    fields = {"organization": "org-1", "project": "prj-1", "kind": "live"} | more
    return Key(id=id, rev=rev, digests=digests, state=state, **fields)


def subscription(rev: int = 1, *, id: str = "sub-1", apis: tuple[str, ...] = ("api-1",), **more) -> Subscription:
    fields = {"organization": "org-1", "project": "prj-1", "plan_version": "ver-1"} | more
    return Subscription(id=id, rev=rev, apis=apis, periods=(Period("per-1", 0, 1000),), **fields)


def plan_version(rev: int = 1, *, id: str = "ver-1", amount: int = 10) -> PlanVersion:
    return PlanVersion(id=id, rev=rev, number=rev, plan="free", limits=(Limit("quota", "quota", "period", amount),))


def api(rev: int = 1, *, id: str = "api-1", slug: str = "world") -> Api:
    upstream = Upstream("up-1", "http://127.0.0.1:1")
    operations = (Operation("op-1", "list", "GET", "/countries"),)
    return Api(id=id, rev=rev, slug=slug, versions=(Version("v-1", "v1", "/v1", upstream, operations=operations),))


def everything() -> list:
    return [organization(), key(), subscription(), plan_version(), api()]
