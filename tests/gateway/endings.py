"""Every ending of a call, as a table: the playbook and the asyncio driver play each one."""

from dataclasses import dataclass, field
from typing import Any

from gateway.call import Call, ClientGone, FindGrant, Forward, Left, Refusal, Reply, Respond, Sent, Spend
from gateway.records import Api
from tests.gateway.playbook import Step, a_call, a_grant, an_api


@dataclass(frozen=True)
class Case:
    """A conversation, and the fields of the event it must leave; None: no event."""

    name: str
    call: Call
    steps: tuple[Step, ...]
    event: dict[str, Any] | None
    used: bool | None = None  # whether units of the meter `billable` are used up; None: nothing was spent
    api: Api = field(default_factory=an_api)


def admitted(kind: str = "live") -> tuple[Step, ...]:
    return (FindGrant, a_grant(kind)), (Spend, Left())


def answered(status: int, **sent: Any) -> tuple[Step, ...]:
    return (Forward, Reply(status, [])), (Respond, Sent(status, accepted=True, **sent))


def ended(
    status: int, problem: str = "", *, billable: bool = False, accepted: bool = True, **more: Any
) -> dict[str, Any]:
    return {"status": status, "problem": problem, "billable": billable, "accepted": accepted, **more}


def refused(status: int, *, accepted: bool = False) -> Step:
    return Respond, Sent(status, accepted=accepted)


def gone(**sent: Any) -> ClientGone:
    return ClientGone(Sent(499, whole=False, **sent))


FORWARD_FAULTS = [
    ("upstream_busy", 503, False),
    ("upstream_unreachable", 502, False),
    ("upstream_forbidden", 502, False),
    ("upstream_invalid", 502, True),
    ("upstream_timeout", 504, True),
]

STATUSES = [
    *((status, True) for status in (200, 201, 204, 301, 304, 400, 401, 404, 499)),
    *((status, False) for status in (429, 500, 502, 503, 599)),
]

ENDINGS = [
    # --- answered by the upstream ---
    *(
        Case(f"answered {status}", a_call(), (*admitted(), *answered(status)), ended(status, billable=bills), bills)
        for status, bills in STATUSES
    ),
    Case("HEAD bills", a_call("HEAD"), (*admitted(), *answered(200)), ended(200, billable=True), True),
    Case("OPTIONS does not", a_call("OPTIONS"), (*admitted(), *answered(204)), ended(204), False),
    Case(
        "a test key never bills but uses its own quota up",
        a_call(),
        (*admitted("test"), *answered(200)),
        ended(200, test=True),
        True,
    ),
    Case(
        "the upstream cuts its body",
        a_call(),
        (*admitted(), *answered(200, whole=False, cut=True)),
        ended(200, "upstream_truncated"),
        False,
    ),
    Case(
        "the client leaves in the body",
        a_call(),
        (*admitted(), (Forward, Reply(200, [])), (Respond, Sent(499, whole=False, accepted=True))),
        ended(499, billable=True),
        True,
    ),
    Case(
        "the client leaves in the body, thrown in",
        a_call(),
        (*admitted(), (Forward, Reply(200, [])), (Respond, gone(accepted=True))),
        ended(499, billable=True),
        True,
    ),
    Case(
        "the client leaves in the body of a 500",
        a_call(),
        (*admitted(), (Forward, Reply(500, [])), (Respond, gone(accepted=True))),
        ended(499),
        False,
    ),
    # --- the client leaves before there is an answer ---
    Case("gone while the key is looked up", a_call(), ((FindGrant, gone()),), None),
    Case(
        "gone while counters are asked",
        a_call(),
        ((FindGrant, a_grant()), (Spend, gone())),
        ended(499, accepted=False),
    ),
    Case(
        "gone after its whole request was sent upstream",
        a_call(),
        (*admitted(), (Forward, gone(accepted=True, request_whole=True))),
        ended(499, billable=True),
        True,
    ),
    Case(
        "gone before its whole request was sent upstream",
        a_call("POST"),
        (*admitted(), (Forward, gone(accepted=True, request_whole=False))),
        ended(499),
        False,
    ),
    Case(
        "gone before the head was sent",
        a_call(),
        (*admitted(), (Forward, gone(accepted=False))),
        ended(499, accepted=False),
        False,
    ),
    Case(
        "gone while it is refused",
        a_call(),
        ((FindGrant, a_grant()), (Spend, Refusal("quota_exceeded")), (Respond, gone())),
        ended(499, "quota_exceeded", accepted=False),
    ),
    # --- refused by the upstream's side ---
    *(
        Case(
            f"forwarding fails: {code}",
            a_call(),
            (*admitted(), (Forward, Refusal(code)), refused(status, accepted=accepted)),
            ended(status, code, accepted=accepted),
            False,
        )
        for code, status, accepted in FORWARD_FAULTS
    ),
    Case(
        "the upstream's body breaks before a byte of it was passed on",
        a_call(),
        (*admitted(), (Forward, Reply(200, [])), (Respond, Refusal("upstream_invalid")), refused(502, accepted=True)),
        ended(502, "upstream_invalid"),
        False,
    ),
    # --- refused by a counter ---
    *(
        Case(
            f"not admitted: {code}",
            a_call(),
            ((FindGrant, a_grant()), (Spend, Refusal(code)), refused(status)),
            ended(status, code, accepted=False),
        )
        for code, status in [
            ("email_unverified", 403),
            ("overage_not_allowed", 402),
            ("rate_limited", 429),
            ("quota_exceeded", 429),
            ("limits_unavailable", 503),
            ("quota_rebuilding", 503),
            ("metering_unavailable", 503),
        ]
    ),
    # --- refused before anything was asked of a counter ---
    Case(
        "no such operation",
        a_call("GET", "/world/v1/planets"),
        ((FindGrant, a_grant()), refused(404)),
        ended(404, "operation_unknown", accepted=False, operation=""),
    ),
    Case(
        "not with this method",
        a_call("DELETE"),
        ((FindGrant, a_grant()), refused(405)),
        ended(405, "method_not_allowed", accepted=False),
    ),
    Case(
        "retired",
        a_call("GET", "/world/v0/countries"),
        ((FindGrant, a_grant()), refused(410)),
        ended(410, "version_retired", accepted=False, version="v0"),
    ),
    # --- nobody's call: no event ---
    Case("the directory is stale", a_call(), ((FindGrant, Refusal("directory_stale")), refused(503)), None),
    Case("unknown key", a_call(), ((FindGrant, Refusal("key_invalid")), refused(401)), None),
    Case("revoked key", a_call(), ((FindGrant, a_grant(state="revoked")), refused(401)), None),
    Case("expired key", a_call(), ((FindGrant, a_grant(expires_ms=a_call().at_ms)), refused(401)), None),
    Case("mistyped key", a_call(key="tg_live_oops"), (refused(401),), None),
    Case("no key", a_call(key=""), (refused(401),), None),
    Case("no such API", a_call("GET", "/moon/v1"), (refused(404),), None),
    Case("an ambiguous target", a_call("GET", "/world/v1/../v0"), (refused(400),), None),
    Case("no host", a_call(headers=[]), (refused(400),), None),
    Case("TRACE", a_call("TRACE"), (refused(405),), None),
    Case("gone while an unknown key is refused", a_call(key=""), ((Respond, gone()),), None),
]
