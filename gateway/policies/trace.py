"""The decision trace: every stage of a call and what it found, for keys with the scope `trace`.

A structured-field list (RFC 9651 §3.1) in the order of the flow:
`match;api="world";version="v1", authenticate;kind="live", limit;name="period";limit=1000;remaining=0;verdict="short"`.
"""

from collections.abc import Iterator

from gateway.call import Headers, LimitState
from gateway.case import Case
from gateway.policies.limits import states_of, string


def explain(headers: Headers, case: Case) -> Headers:
    """Add X-Tollgate-Trace when the key asks for it."""
    if case.grant is None or "trace" not in case.grant.key.scopes:
        return headers
    return [*headers, ("x-tollgate-trace", ", ".join(_stages(case)))]


def _stages(case: Case) -> Iterator[str]:
    op, grant, plan = case.op, case.grant, case.grant and case.grant.plan_version
    if op:
        yield _stage("match", api=op.api.slug, version=op.version.name if op.version else "", operation=op.name)
    if grant:
        yield _stage("authenticate", key=grant.key.id, kind=grant.key.kind)
    if case.terms and plan:
        yield _stage("admit", plan=plan.plan, plan_version=plan.number)
    for state in states_of(case):
        verdict = "granted" if case.left else _verdict(state)
        yield _stage("limit", name=state.name, limit=state.limit, remaining=state.remaining, verdict=verdict)
    if case.terms and case.left:
        yield _stage("forward", upstream=case.terms.target.id)
    if case.reply:
        yield _stage("respond", status=case.reply.status)
    if case.refusal:
        yield _stage("refuse", code=case.refusal.code)


def _verdict(state: LimitState) -> str:
    """All or nothing was granted nothing: which limit was short."""
    return "short" if state.hard and state.remaining <= 0 else "enough"


def _stage(stage: str, /, **found: str | int) -> str:
    values = (f";{key}={value if isinstance(value, int) else string(value)}" for key, value in found.items())
    return stage + "".join(values)
