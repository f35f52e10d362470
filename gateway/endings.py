"""What the ending of a call is worth: one definition of billable for gateway, quota and money, and one event."""

import re

from gateway.call import Headers, Sent, UsageEvent
from gateway.case import Case

_UNPRINTABLE = re.compile(r"[^\x20-\x7e]")
CLIENT_REQUEST_ID_MAX = 128


def uses_up(case: Case, sent: Sent) -> bool:
    """Whether the call uses up units of the meter `billable`; for a live key the same as billing it.

    Yes: the head was sent upstream, and the upstream answered 2xx, 3xx, or 4xx except 429 (to HEAD too), or
    the client left after its whole request was sent. No: OPTIONS, a timeout, a reset, a body the upstream
    cut, a 5xx, and whatever we answered ourselves.
    """
    if not sent.accepted or case.refusal is not None or case.call.method == "OPTIONS":
        return False
    if case.reply is None:
        return sent.request_whole  # else abort-after-send were free
    return 200 <= case.reply.status < 500 and case.reply.status != 429 and not sent.cut


def usage_event(case: Case, sent: Sent) -> UsageEvent | None:
    """Write down one ending; None when no known key made the call, or a visitor of the portal did."""
    grant, op, call = case.grant, case.op, case.call
    if grant is None or op is None or grant.visitor:
        return None
    test = grant.key.kind == "test"
    return UsageEvent(
        event_id=call.id,
        ts=call.at_ms,
        organization=grant.key.organization,
        project=grant.key.project,
        key=grant.key.id,
        subscription=grant.subscription.id if grant.subscription else "",
        plan_version=grant.plan_version.id if grant.plan_version else "",
        period_id=case.window.period.id if case.window else "",
        api=op.api.id,
        version=op.version.name if op.version else "",
        operation=op.name,
        method=call.method,
        status=sent.status,
        problem=case.refusal.code if case.refusal else "upstream_truncated" if sent.cut else "",
        billable=not test and uses_up(case, sent),
        accepted=sent.accepted,
        test=test,
        console=call.console,
        bytes_in=sent.bytes_in,
        bytes_out=sent.bytes_out,
        latency_ms=sent.latency_ms,
        upstream_ms=sent.upstream_ms,
        client_request_id=_client_request_id(call.headers),
    )


def _client_request_id(headers: Headers) -> str:
    value = next((value for name, value in headers if name == "x-request-id"), "")
    return _UNPRINTABLE.sub("", value)[:CLIENT_REQUEST_ID_MAX]
