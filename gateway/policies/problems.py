"""A refusal as an answer: application/problem+json (RFC 9457) that says whose turn it is and where to go."""

import msgspec

from gateway.call import Headers, Refusal
from gateway.case import Case
from gateway.policies.reply_headers import SAFETY
from kit.problems import PROBLEMS, render

# Where in the portal the caller can do something about it.
FIX = {
    "key_missing": "/app/keys/",
    "key_invalid": "/app/keys/",
    "scope_missing": "/app/keys/",
    "ip_not_allowed": "/app/keys/",
    "no_subscription": "/apis/{slug}/",
    "no_sandbox": "/apis/{slug}/",
    "operation_unknown": "/apis/{slug}/",
    "method_not_allowed": "/apis/{slug}/",
    "version_retired": "/apis/{slug}/",
    "api_unknown": "/apis/",
    "quota_exceeded": "/apis/{slug}/",
    "rate_limited": "/apis/{slug}/",
    "overage_not_allowed": "/apis/{slug}/",
    "email_unverified": "/account/email/",
}
RETRY_S = {503: 1, 429: 1}  # when whoever refused could not say


def body(case: Case, refusal: Refusal) -> bytes:
    """Render the problem."""
    problem = render(
        refusal.code,
        portal_url=case.settings.portal_url,
        request_id=case.call.id,
        detail=refusal.detail,
        retry_after=retry_after(refusal),
        fix_path=refusal.fix_path or fix_path(case, refusal.code),
    )
    return msgspec.json.encode(problem)


def headers(case: Case, refusal: Refusal, length: int) -> Headers:
    """The headers that belong to the problem itself; limits, trace and request id are policies of their own."""
    lines: Headers = [
        ("content-type", "application/problem+json"),
        ("content-length", str(length)),
        ("cache-control", "no-store"),
        *SAFETY,
        ("x-request-id", case.call.id),
        *refusal.headers,
    ]
    if (wait := retry_after(refusal)) is not None:
        lines.append(("retry-after", str(wait)))
    if PROBLEMS[refusal.code].status == 401:
        lines.append(("www-authenticate", 'Bearer realm="tollgate"'))  # RFC 9110 §11.6.1
    return lines


def retry_after(refusal: Refusal) -> int | None:
    """Seconds to wait; None when waiting alone changes nothing."""
    if refusal.retry_after is not None:
        return refusal.retry_after
    return RETRY_S.get(PROBLEMS[refusal.code].status)


def fix_path(case: Case, code: str) -> str:
    slug = case.op.api.slug if case.op else ""
    return FIX.get(code, "").format(slug=slug) if slug or "{slug}" not in FIX.get(code, "") else ""
