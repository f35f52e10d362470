"""What other apps publish to the gateway: the records of the directory.

Each record carries `v` (the schema's number) and `rev` (grows with every change of its aggregate: an
older one never replaces a newer). `marketplace` publishes all of them but `Standing`, which is billing's.
"""

from msgspec import Struct, field

SCHEMA = 1


class Period(Struct, frozen=True):
    """A rated period, half-open; its id is derived by `marketplace.periods.period_id`."""

    id: str
    start_ms: int
    end_ms: int


class Limit(Struct, frozen=True):
    """One limit of a plan version. `id` is stable over versions, so that counters survive a change.

    quota: `amount` units of `meter` per `window` ("period" or "ever"), hard or soft.
    bucket: `amount` = burst, `refill` tokens every `refill_ms`.
    """

    id: str  # e.g. "quota:billable:period", "bucket:second"
    kind: str  # "quota" | "bucket"
    name: str  # shown in RateLimit fields: "period", "burst"
    amount: int
    meter: str = "billable"
    window: str = "period"
    hard: bool = True
    refill: int = 0
    refill_ms: int = 0
    per: str = "subscription"  # whose counter: "subscription" | "key" | "organization"
    refusal: str = "quota_exceeded"


class Organization(Struct, frozen=True):
    id: str
    rev: int
    state: str = "active"  # active | suspended
    limits: tuple[Limit, ...] = ()  # e.g. 100 live calls before the e-mail is verified
    v: int = SCHEMA


class Key(Struct, frozen=True):
    """Found by digest; `digests` holds one per pepper in the rotation window (hex)."""

    id: str
    rev: int
    digests: tuple[str, ...]
    organization: str
    project: str
    kind: str  # live | test
    state: str = "active"  # active | revoked
    expires_ms: int | None = None
    scopes: tuple[str, ...] = ("*",)  # "*", "<api>:*", "<api>:read", "<api>:write", "<api>:<operationId>", "trace"
    allowed_ips: tuple[str, ...] = ()  # CIDRs; empty: any
    v: int = SCHEMA


class Subscription(Struct, frozen=True):
    """The `terms` of one subscription: which plan version, which APIs, which periods."""

    id: str
    rev: int
    organization: str
    project: str
    apis: tuple[str, ...]  # ids; a bundle covers several
    plan_version: str
    periods: tuple[Period, ...]  # the current one and the next three
    state: str = "active"  # active | cancelled
    v: int = SCHEMA


class PlanVersion(Struct, frozen=True):
    id: str
    rev: int
    number: int
    plan: str  # slug
    limits: tuple[Limit, ...] = ()
    v: int = SCHEMA


class Upstream(Struct, frozen=True):
    id: str
    base_url: str
    secret_headers: str = ""  # encrypted JSON [[name, value]…]; opened by the gateway
    connect_s: float = 3.0
    first_byte_s: float = 30.0
    between_bytes_s: float = 60.0


class Operation(Struct, frozen=True):
    id: str
    operation_id: str
    method: str  # upper-case; "*" = any
    path: str  # template below the version's base path: "/countries/{code}", "/{rest*}" = any tail


class Version(Struct, frozen=True):
    id: str
    name: str  # "v1"
    base_path: str  # "/v1"; "" for an API without a version in its path
    upstream: Upstream
    test_upstream: Upstream | None = None
    operations: tuple[Operation, ...] = ()
    state: str = "active"  # active | deprecated | retired
    deprecated_at_ms: int | None = None
    sunset_at_ms: int | None = None


class Api(Struct, frozen=True):
    id: str
    rev: int
    slug: str
    versions: tuple[Version, ...] = ()
    pass_undeclared: bool = False
    state: str = "active"  # active | suspended | retired
    v: int = SCHEMA


class Standing(Struct, frozen=True):
    """What billing says of a subscription; absent means active."""

    subscription: str
    rev: int
    state: str = "active"  # active | limited | suspended
    v: int = SCHEMA


KINDS: dict[str, type] = {
    "organization": Organization,
    "key": Key,
    "subscription": Subscription,
    "plan_version": PlanVersion,
    "api": Api,
    "standing": Standing,
}

Record = Organization | Key | Subscription | PlanVersion | Api | Standing


class Grant(Struct):
    """A key joined with all that decides its calls to one API; `None` parts are refusals waiting."""

    key: Key
    organization: Organization
    subscription: Subscription | None
    plan_version: PlanVersion | None
    standing: Standing | None = None
    visitor: bool = False  # the portal's anonymous Run: nothing is counted
    terms: dict[str, object] = field(default_factory=dict)  # operation id → compiled Terms
