"""Every problem Tollgate answers, by code (RFC 9457).

One table for the gateway, the REST API and the documentation: each code has exactly one page at
`portal/content/errors/<code>.md`, and a test holds the two together.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Problem:
    """A kind of problem: `detail` is the default sentence, said of the one occurrence where the caller knows better."""

    code: str
    status: int
    title: str
    detail: str


def _table(*rows: Problem) -> dict[str, Problem]:
    return {row.code: row for row in rows}


PROBLEMS = _table(
    # --- the request itself ---
    Problem("bad_request", 400, "Bad request", "The request could not be read."),
    Problem(
        "bad_target",
        400,
        "Ambiguous request target",
        "The path holds dot segments, a backslash, an encoded slash, or bytes that are not allowed.",
    ),
    Problem(
        "two_credentials", 400, "Two different keys", "X-API-Key and Authorization carry different API keys: send one."
    ),
    Problem("method_not_allowed", 405, "Method not allowed", "This path exists, but not with this method."),
    Problem("body_too_large", 413, "Body too large", "The request body is larger than this endpoint takes."),
    Problem("invalid", 422, "Invalid input", "Some fields are missing or wrong; `errors` names each."),
    Problem("unsupported_media_type", 415, "Unsupported media type", "Send the body as application/json."),
    # --- what it asks for ---
    Problem("api_unknown", 404, "No such API", "No API is published under this name."),
    Problem("operation_unknown", 404, "No such operation", "This API declares no operation at this path."),
    Problem("not_found", 404, "Not found", "There is nothing here, or it is not yours."),
    Problem("version_retired", 410, "Version retired", "This version of the API has been switched off."),
    # --- who asks ---
    Problem(
        "key_missing", 401, "API key missing", "Send your key as X-API-Key, or as a bearer token in Authorization."
    ),
    Problem("key_invalid", 401, "API key not valid", "This key is unknown, revoked, expired or mistyped."),
    Problem("token_invalid", 401, "Token not valid", "Send a management token (tgm_…) as a bearer token."),
    Problem("permission_denied", 403, "Permission denied", "Your role does not allow this."),
    Problem("organization_suspended", 403, "Organization suspended", "This organization is suspended."),
    Problem("api_suspended", 403, "API suspended", "This API is switched off for now."),
    Problem("scope_missing", 403, "Scope missing", "This key's scopes do not cover this operation."),
    Problem("ip_not_allowed", 403, "Address not allowed", "This key may not be used from this address."),
    Problem("no_subscription", 403, "Not subscribed", "This key's project has no subscription to this API."),
    Problem("no_sandbox", 403, "No sandbox", "This API has no test upstream; use a live key."),
    Problem(
        "email_unverified",
        403,
        "E-mail not verified",
        "The calls allowed before the e-mail address is verified are used up.",
    ),
    # --- money ---
    Problem(
        "subscription_suspended",
        402,
        "Subscription suspended",
        "An invoice is unpaid; calls resume as soon as it is settled.",
    ),
    Problem(
        "overage_not_allowed",
        402,
        "Overage not allowed",
        "The included calls are used up, and this subscription does not allow paid overage.",
    ),
    # --- limits ---
    Problem("rate_limited", 429, "Rate limit reached", "Calls arrive faster than the plan's rate."),
    Problem("quota_exceeded", 429, "Quota used up", "All calls of this period are used up."),
    Problem("too_many_attempts", 429, "Too many attempts", "Too many attempts from this address; wait and try again."),
    # --- our side ---
    Problem(
        "internal_error", 500, "Internal error", "Something broke on our side; the request id finds it in our logs."
    ),
    Problem("upstream_unreachable", 502, "Upstream unreachable", "The API's own server could not be reached."),
    Problem(
        "upstream_invalid",
        502,
        "Upstream answer not valid",
        "The API's own server sent an answer that is not valid HTTP.",
    ),
    Problem(
        "upstream_truncated",
        502,
        "Upstream answer cut off",
        "The API's own server broke off in the middle of its answer.",
    ),
    Problem(
        "upstream_forbidden",
        502,
        "Upstream address not allowed",
        "The API's own server has an address that this gateway may not connect to.",
    ),
    Problem("upstream_busy", 503, "Upstream busy", "Too many calls wait for the API's own server at this moment."),
    Problem(
        "limits_unavailable",
        503,
        "Limits unavailable",
        "The counters behind this plan's limits cannot be reached; calls are refused rather than miscounted.",
    ),
    Problem(
        "quota_rebuilding",
        503,
        "Counters rebuilding",
        "The counters are being rebuilt from recorded usage; try again in a few seconds.",
    ),
    Problem(
        "metering_unavailable",
        503,
        "Metering unavailable",
        "Usage cannot be recorded right now, so metered calls are refused.",
    ),
    Problem(
        "directory_stale",
        503,
        "Directory out of date",
        "This gateway has lost contact with its directory for too long.",
    ),
    Problem(
        "propagation_pending",
        503,
        "Change not yet in force",
        "The change is stored but the gateway has not taken it yet; it is retried every second.",
    ),
    Problem(
        "unavailable",
        503,
        "Temporarily unavailable",
        "A store this page needs cannot be reached; try again in a moment.",
    ),
    Problem("upstream_timeout", 504, "Upstream timeout", "The API's own server did not answer in time."),
    Problem("loop_detected", 508, "Loop detected", "This request has already passed through this gateway."),
    # --- idempotency of our own REST API ---
    Problem(
        "idempotency_key_missing", 400, "Idempotency-Key missing", "This request moves money: send an Idempotency-Key."
    ),
    Problem(
        "idempotency_mismatch", 422, "Idempotency-Key reused", "The same Idempotency-Key came with a different request."
    ),
    Problem(
        "idempotency_in_flight",
        409,
        "Request in progress",
        "A request with this Idempotency-Key is still being worked on.",
    ),
    Problem("conflict", 409, "Conflict", "The thing has changed, or exists already."),
)


def render(
    code: str,
    *,
    portal_url: str,
    request_id: str,
    detail: str = "",
    instance: str = "",
    retry_after: int | None = None,
    fix_path: str = "",
    **extra: Any,
) -> dict[str, Any]:
    """Build the body of an application/problem+json answer. Raises KeyError for an unknown code."""
    problem = PROBLEMS[code]
    body: dict[str, Any] = {
        "type": f"{portal_url}/docs/errors/{code}/",
        "title": problem.title,
        "status": problem.status,
        "detail": detail or problem.detail,
        "instance": instance or f"urn:uuid:{request_id}",
        "code": code,
        "request_id": request_id,
        "retry_after": retry_after,
        "fix_url": f"{portal_url}{fix_path}" if fix_path else None,
    }
    return body | extra
