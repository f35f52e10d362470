"""The nouns of a call: what a door reads, what the flow decides, what is written down.

All are `msgspec.Struct`s: building one costs about as much as a tuple (docs/decisions), and an event
of the journal is encoded without a copy. Instants are Unix milliseconds on Redis time (`_ms`).
"""

from typing import Literal

from msgspec import Struct

from gateway.records import Api

Headers = list[tuple[str, str]]  # in wire order; names lower-cased by the door


class Credential(Struct, frozen=True):
    """A key or token as presented. `kind` is read off its prefix; `secret` never leaves memory.

    What cannot be a credential carries the `refusal` that waits until its turn comes.
    """

    kind: Literal["live", "test", ""]
    secret: str
    refusal: str = ""  # "two_credentials" | "key_missing" | "key_invalid"


class Call(Struct):
    """One request as the door read it; `path` starts with the API's slug: `/world/v1/countries`."""

    id: str  # UUIDv7 text, minted by us: X-Request-Id and the event's id
    at_ms: int  # the instant inside `id`; decides the period
    method: str  # upper-case
    path: str  # raw, still percent-encoded, no query
    query: str  # raw, without "?"
    headers: Headers
    client: str  # client address, after trusted proxies
    scheme: str = "http"
    host: str = ""
    body_len: int | None = None  # None: chunked or unknown
    console: bool = False  # made by the portal's Run panel
    credential: Credential | None = None  # None: not read yet, the flow reads it from the headers


class Claim(Struct, frozen=True):
    """Units that one call needs from one counter. All claims of a call are granted together or none is.

    quota:  `limit` units per window that ends at `window_end_ms`.
    bucket: `limit` is the burst; `refill` tokens come back every `refill_ms`.
    """

    counter: str  # the whole Redis key; carries the hash tag {organization} and the window's start
    kind: Literal["quota", "bucket"]
    name: str  # the policy's name in RateLimit fields
    meter: Literal["billable", "admitted"]  # quota only: which endings use a unit up
    limit: int
    version: int  # the limit's version: an older one never lowers a newer
    hard: bool  # False: counted, never refused
    refusal: str  # problem code when refused
    window_start_ms: int = 0
    window_end_ms: int = 0
    refill: int = 0
    refill_ms: int = 0
    units: int = 1
    period_id: str = ""  # quota over a rated period: which one (for the rebuild)


class LimitState(Struct, frozen=True):
    """One counter as it stood after the claim: what RateLimit fields and receipts show."""

    name: str
    limit: int
    remaining: int
    reset_ms: int  # until the window ends, or the bucket is full again
    window_ms: int  # the policy's own window
    hard: bool = True


class Left(Struct, frozen=True):
    """The answer to a claim that was granted."""

    states: tuple[LimitState, ...] = ()


class UsageEvent(Struct, omit_defaults=False):
    """What one ending of one call is worth writing down: the columns of `usage_event`, and no more."""

    event_id: str
    ts: int  # ms; the id's own instant
    organization: str
    project: str
    key: str
    subscription: str
    plan_version: str
    period_id: str
    api: str
    version: str
    operation: str
    method: str
    status: int  # what the client was answered; 499: client gone, 0: nothing
    problem: str  # our problem code, "" if the upstream answered
    billable: bool
    accepted: bool  # the request head was sent upstream
    test: bool
    console: bool = False
    cached: bool = False
    count: int = 1  # more than one: collapsed refusals of one second
    bytes_in: int = 0  # body bytes on the client's wire
    bytes_out: int = 0
    latency_ms: int = 0
    upstream_ms: int = 0
    client_request_id: str = ""
    end_user: str = ""
    units: dict[str, int] = {}  # extra meters, by name
    dimensions: dict[str, str] = {}
    call_id: str = ""  # parts of one long stream share it; "" = event_id
    part: int = 0


class Refusal(Exception):
    """The call is answered by us, with the problem `code` of `kit.problems`.

    Raised by policies and desks, or thrown into the flow by its driver. Names whose fault it is by its
    code's status; `retry_after` is seconds; `states` are the limits to show beside it.
    """

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        retry_after: int | None = None,
        fix_path: str = "",
        states: tuple[LimitState, ...] = (),
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail
        self.retry_after = retry_after
        self.fix_path = fix_path
        self.states = states
        self.headers = headers


class ClientGone(Exception):
    """The client went away; `sent` says how much of an answer it had by then."""

    def __init__(self, sent: "Sent") -> None:
        super().__init__("client gone")
        self.sent = sent


class Sent(Struct, frozen=True):
    """How the answer to the client ended."""

    status: int
    bytes_in: int = 0
    bytes_out: int = 0
    whole: bool = True  # the whole body was delivered
    accepted: bool = False  # the request's head had been sent upstream
    request_whole: bool = True  # the whole request body had reached the upstream
    cut: bool = False  # the upstream broke off its body, and so did we
    upstream_ms: int = 0
    latency_ms: int = 0


class Reply(Struct):
    """The upstream's answer: head parsed, body still streaming past the flow."""

    status: int
    headers: Headers
    reason: str = ""


# --- commands: what the flow asks of its driver; the driver's answer is noted ---


class FindGrant(Struct, frozen=True):
    """Answer: Grant. Throws Refusal 401, ClientGone."""

    credential: Credential
    api: Api


class Spend(Struct, frozen=True):
    """Answer: Left, all claims granted. Throws Refusal 402/403/429/503, ClientGone: nothing granted."""

    claims: tuple[Claim, ...]


class Forward(Struct, frozen=True):
    """Send the request upstream. Answer: Reply. Throws Refusal 502/503/504, ClientGone."""

    target: "Target"
    method: str
    path: str  # byte for byte what was matched, without the API's prefix, with the query
    headers: Headers


class Respond(Struct, frozen=True):
    """Answer the client. `body` None: the upstream's body streams past. Answer: Sent, however it ended.

    Throws Refusal only while the client has seen nothing of the upstream's answer, ClientGone at any time.
    """

    status: int
    headers: Headers
    body: bytes | None = None


class Target(Struct, frozen=True):
    """An upstream as the gateway connects to it."""

    id: str
    base_url: str  # scheme://host[:port][/prefix]
    headers: tuple[tuple[str, str], ...] = ()  # injected credentials
    connect_s: float = 3.0
    first_byte_s: float = 30.0
    between_bytes_s: float = 60.0
