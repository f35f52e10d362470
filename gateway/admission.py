"""Whether a key may make this call: a literal list of checks, then the terms it is made under.

A grant (key × its project's subscription to the API) and an operation are compiled once to `Terms`; what
remains per call is the address check and the period that the call's instant falls into.
"""

import json
from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from msgspec import Struct

from gateway.call import Call, Claim, Refusal, Target
from gateway.names import counter
from gateway.records import Grant, Key, Limit, Period, Upstream
from gateway.routing import SAFE_METHODS, Op
from gateway.settings import GatewaySettings
from kit.problems import PROBLEMS
from kit.secrets import decrypt

EVER = Period("", 0, 0)
LIMITED = 10  # a subscription in dunning keeps a tenth of its rate
_FIRST = {403: 0, 402: 1}  # which refusal answers when several claims are short


class Window(Struct, frozen=True):
    """One period of a subscription, with the claims of a call in it."""

    period: Period
    claims: tuple[Claim, ...]


class Terms(Struct):
    """What one key gets from one operation; shared by all its calls until anything it was made of changes."""

    grant: Grant
    op: Op
    target: Target
    window: Window | None = None  # the one last used

    def at(self, at_ms: int) -> Window:
        """Return the window of an instant. Raises Refusal 503 when no published period covers it."""
        window = self.window
        if window is None or not window.period.start_ms <= at_ms < window.period.end_ms:
            window = self.window = _window(self.grant, at_ms)
        return window


def working(grant: Grant, at_ms: int) -> Grant:
    """Return the grant of a key that works; one that no longer does answers like one that never was (401)."""
    key = grant.key
    if key.state != "active" or (key.expires_ms is not None and at_ms >= key.expires_ms):
        raise Refusal("key_invalid")
    return grant


def admit(call: Call, grant: Grant, op: Op, settings: GatewaySettings) -> Terms:
    """Return the terms of this call, or raise the first Refusal of CHECKS that applies."""
    terms = grant.terms.get(op.id)
    if isinstance(terms, Terms):
        for check in PER_CALL:
            check(call, grant, op)
        return terms
    for check in CHECKS:
        check(call, grant, op)
    terms = grant.terms[op.id] = Terms(grant, op, _target(op, grant.key, settings.encryption_key))
    return terms


# --- checks ---


def _organization_active(call: Call, grant: Grant, op: Op) -> None:
    if grant.organization.state != "active":
        raise Refusal("organization_suspended")


def _api_open(call: Call, grant: Grant, op: Op) -> None:
    if op.api.state == "suspended":
        raise Refusal("api_suspended")


def _scope_covers(call: Call, grant: Grant, op: Op) -> None:
    slug = op.api.slug
    kind = "read" if call.method in SAFE_METHODS else "write"
    wanted = {"*", f"{slug}:*", f"{slug}:{kind}"} | ({f"{slug}:{op.name}"} if op.name else set())
    if wanted.isdisjoint(grant.key.scopes):
        raise Refusal("scope_missing")


def _address_allowed(call: Call, grant: Grant, op: Op) -> None:
    if grant.key.allowed_ips and not address_in(call.client, grant.key.allowed_ips):
        raise Refusal("ip_not_allowed")


def _subscribed(call: Call, grant: Grant, op: Op) -> None:
    subscription = grant.subscription
    if subscription is None or subscription.state != "active" or grant.plan_version is None:
        raise Refusal("no_subscription")


def _sandbox_there(call: Call, grant: Grant, op: Op) -> None:
    if grant.key.kind == "test" and op.version is not None and op.version.test_upstream is None:
        raise Refusal("no_sandbox")


def _not_retired(call: Call, grant: Grant, op: Op) -> None:
    if op.api.state == "retired" or (op.version is not None and op.version.state == "retired"):
        raise Refusal("version_retired")


def _declared(call: Call, grant: Grant, op: Op) -> None:
    if op.refusal:
        raise Refusal(op.refusal, headers=(("allow", op.allow),) if op.allow else ())


def _in_good_standing(call: Call, grant: Grant, op: Op) -> None:
    if grant.standing is not None and grant.standing.state == "suspended":
        raise Refusal("subscription_suspended")


Check = Callable[[Call, Grant, Op], None]
CHECKS: tuple[Check, ...] = (  # 403, 410, 404 or 405, 402: the first that applies answers
    _organization_active,
    _api_open,
    _scope_covers,
    _address_allowed,
    _subscribed,
    _sandbox_there,
    _not_retired,
    _declared,
    _in_good_standing,
)
PER_CALL: tuple[Check, ...] = (_address_allowed,)  # the rest was decided when the terms were compiled


def address_in(address: str, networks: tuple[str, ...]) -> bool:
    """Whether an IP address lies in one of the CIDRs; an IPv4 address mapped into IPv6 counts as IPv4."""
    try:
        ip = ip_address(address)
    except ValueError:  # a peer without an address (a Unix socket) is in no network
        return False
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return any(ip in network for network in _networks(networks))


@lru_cache(maxsize=4096)
def _networks(cidrs: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(cidr, strict=False) for cidr in cidrs)


# --- compiling ---


def _target(op: Op, key: Key, encryption_key: str) -> Target:
    assert op.version is not None  # _declared let it pass
    upstream = op.version.test_upstream if key.kind == "test" else op.version.upstream
    assert upstream is not None  # _sandbox_there let it pass
    return Target(
        id=upstream.id,
        base_url=upstream.base_url.rstrip("/"),
        headers=_opened(upstream, encryption_key),
        connect_s=upstream.connect_s,
        first_byte_s=upstream.first_byte_s,
        between_bytes_s=upstream.between_bytes_s,
    )


def _opened(upstream: Upstream, encryption_key: str) -> tuple[tuple[str, str], ...]:
    """Open the credentials that the provider wants on every call. Raises kit.secrets.NotOpened."""
    if not upstream.secret_headers:
        return ()
    pairs = json.loads(decrypt(encryption_key, upstream.secret_headers, aad=f"upstream:{upstream.id}:headers"))
    return tuple((name.lower(), value) for name, value in pairs)


def _window(grant: Grant, at_ms: int) -> Window:
    assert grant.subscription is not None
    for period in grant.subscription.periods:
        if period.start_ms <= at_ms < period.end_ms:
            return Window(period, claims(grant, period))
    raise Refusal("directory_stale", "No billing period is known for this instant.")


def claims(grant: Grant, period: Period) -> tuple[Claim, ...]:
    """Build the claims of one call: refusals about money come before those about rate and quota.

    A visitor of the portal counts nothing; an organization's own limits hold for live calls only.
    """
    plan = grant.plan_version
    if grant.visitor or plan is None:
        return ()
    bound = [_claim(grant, limit, period, plan.number) for limit in plan.limits]
    if grant.key.kind == "live":
        bound += [_claim(grant, limit, period, grant.organization.rev) for limit in grant.organization.limits]
    return tuple(sorted(bound, key=lambda claim: _FIRST.get(PROBLEMS[claim.refusal].status, 2)))


def _claim(grant: Grant, limit: Limit, period: Period, version: int) -> Claim:
    assert grant.subscription is not None
    subjects = {"subscription": grant.subscription.id, "key": grant.key.id, "organization": grant.organization.id}
    window = period if limit.kind == "quota" and limit.window == "period" else EVER
    slowed = LIMITED if limit.kind == "bucket" and grant.standing and grant.standing.state == "limited" else 1
    return Claim(
        counter=counter(
            grant.organization.id,
            subject=subjects[limit.per],
            limit=limit.id,
            window_start_ms=window.start_ms,
            test=grant.key.kind == "test",
        ),
        kind="bucket" if limit.kind == "bucket" else "quota",
        name=limit.name,
        meter="admitted" if limit.meter == "admitted" else "billable",
        limit=limit.amount,
        version=version,
        hard=limit.hard,
        refusal=limit.refusal,
        window_start_ms=window.start_ms,
        window_end_ms=window.end_ms,
        refill=limit.refill,
        refill_ms=limit.refill_ms * slowed,
        period_id=window.id,
    )
