"""What happens to a call on its way through, in this order; the order is decided here and nowhere else.

A policy takes headers and the case and returns headers. One that breaks is our fault and not the call's:
it leaves here as Refusal 500.
"""

import logging
from collections.abc import Callable, Sequence

from gateway.call import Headers, Refusal, Respond
from gateway.case import Case
from gateway.policies import limits, notices, problems, reply_headers, request_headers, trace
from kit.problems import PROBLEMS

Policy = Callable[[Headers, Case], Headers]
log = logging.getLogger(__name__)

ON_REQUEST: Sequence[Policy] = (
    request_headers.drop_hop_by_hop,
    request_headers.drop_reserved,
    request_headers.say_who_calls,
    request_headers.say_how_it_came,
    request_headers.present_to_upstream,
)
ON_REPLY: Sequence[Policy] = (
    reply_headers.strip,
    reply_headers.rewrite_location,
    notices.announce_age,
    limits.show_limits,
    reply_headers.sandbox,
    reply_headers.name_the_call,
    trace.explain,
)
ON_PROBLEM: Sequence[Policy] = (
    notices.announce_age,
    limits.show_limits,
    trace.explain,
)


def on_request(case: Case) -> Headers:
    """Headers for the upstream. Raises Refusal 500."""
    return _through(ON_REQUEST, case.call.headers, case)


def on_reply(case: Case) -> Headers:
    """Headers for the client, of an answer that the upstream gave. Raises Refusal 500."""
    assert case.reply is not None
    return _through(ON_REPLY, case.reply.headers, case)


def problem(case: Case, refusal: Refusal) -> Respond:
    """The answer to a refused call; without the optional headers if it is they that broke."""
    body = problems.body(case, refusal)
    headers = problems.headers(case, refusal, len(body))
    try:
        headers = _through(ON_PROBLEM, headers, case)
    except Refusal:
        log.error("call %s: its problem is answered without limits and trace", case.call.id)
    return Respond(PROBLEMS[refusal.code].status, headers, b"" if case.call.method == "HEAD" else body)


def _through(policies: Sequence[Policy], headers: Headers, case: Case) -> Headers:
    for policy in policies:
        try:
            headers = policy(headers, case)
        except Refusal:
            raise
        except Exception as bug:
            log.exception("call %s: policy %s broke", case.call.id, policy.__name__)
            raise Refusal("internal_error") from bug
    return headers
