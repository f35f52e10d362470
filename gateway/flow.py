"""A call, from the first byte to the event: one generator that asks, is answered, and returns what to write down.

It yields a command of `gateway.call` only where this worker must ask; refusals and a client that leaves are
thrown in. Pure: no loop, no socket, no clock. Drivers: `gateway/sync.py`, and the asyncio one of the tests.
"""

from collections.abc import Generator
from typing import Any, Protocol

from gateway import policies
from gateway.admission import admit, working
from gateway.call import (
    Call,
    Claim,
    ClientGone,
    Credential,
    FindGrant,
    Forward,
    Left,
    Refusal,
    Respond,
    Spend,
    UsageEvent,
)
from gateway.case import Case
from gateway.endings import usage_event
from gateway.framing import framed
from gateway.policies.credentials import presented, recognised, unambiguous
from gateway.policies.request_headers import refuse_loop
from gateway.records import Api, Grant
from gateway.routing import Op, forwarded, normal
from gateway.settings import GatewaySettings

Command = FindGrant | Spend | Forward | Respond
Flow = Generator[Command, Any, UsageEvent | None]  # each command's docstring says what answers it


class Desk(Protocol):
    """What a worker knows without asking. It answers at once, or with None: then the flow asks its driver."""

    settings: GatewaySettings

    def match(self, method: str, path: str) -> Op:
        """Raises Refusal api_unknown 404; an unknown operation is an Op too."""

    def grant(self, credential: Credential, api: Api) -> Grant | None: ...

    def spend(self, claims: tuple[Claim, ...]) -> Left | None:
        """All claims or none. Raises Refusal when one is known to be spent."""


def handle(call: Call, desk: Desk) -> Flow:
    """Decide one call; return its usage event, or None when no known key made it."""
    case = Case(call, desk.settings)
    try:
        try:
            credential = parsed(case)  # 400, 405 TRACE, 508
            op = case.op = desk.match(call.method, call.path)  # 404 API; an unknown operation is an op too
            recognised(credential)  # 401
            grant = desk.grant(credential, op.api) or (yield FindGrant(credential, op.api))  # 401
            case.grant = working(grant, call.at_ms)  # 401
            terms = case.terms = admit(call, grant, op, desk.settings)  # 403 410 404 405 402
            window = case.window = terms.at(call.at_ms)
            case.left = desk.spend(window.claims) or (yield Spend(window.claims))  # 402, 429: all or nothing
            reply = case.reply = yield Forward(terms.target, call.method, target(call), policies.on_request(case))
            sent = yield Respond(reply.status, policies.on_reply(case))  # the body streams past the flow
        except Refusal as refusal:  # Forward's: 502, 503, 504
            case.refusal = refusal
            sent = yield policies.problem(case, refusal)
    except ClientGone as gone:
        sent = gone.sent
    return usage_event(case, sent)


def parsed(case: Case) -> Credential:
    """Refuse what cannot be read in one way only; return who claims to call."""
    framed(case.call)
    normal(case.call)
    refuse_loop(case)
    return unambiguous(case.call.credential or presented(case.call.headers))


def target(call: Call) -> str:
    """What the upstream is asked for: the raw path without the API's prefix, and the raw query."""
    path = forwarded(call.path)
    return f"{path}?{call.query}" if call.query else path
