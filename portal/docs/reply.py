"""A reply as the page shows it: escaped, laid out, cut at a size a person reads, with the way out of a problem."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse
from django.utils.safestring import SafeString

from gateway.public import RunReply
from kit.problems import PROBLEMS
from portal.docs.highlight import highlighted
from portal.docs.outgoing import Pairs
from portal.docs.pretty import pretty_json
from portal.site.failures import in_words

SHOWN = 64 * 1024  # characters of a body on the page
PARSED = 512 * 1024  # bytes that are laid out at all
TRUNCATED = "The reply did not end here: it is larger than this page takes, or the API's server broke off."


@dataclass(frozen=True)
class Fix:
    """The button under a problem: a link, or a form that is sent."""

    label: str
    url: str
    post: bool = False


@dataclass(frozen=True)
class Trouble:
    """A problem of ours inside a reply."""

    code: str
    title: str
    detail: str
    wait: str  # "12 minutes"; "" where waiting does not help
    request_id: str
    fix: Fix | None


@dataclass(frozen=True)
class Reply:
    status: int
    reason: str
    headers: Pairs
    size: int  # bytes
    latency_ms: int
    test: bool
    body: SafeString | None  # highlighted; None: nothing to show as text
    note: str  # what is shown instead of, or beside, the body
    trouble: Trouble | None  # the gateway answered, not the API

    @property
    def tone(self) -> str:
        return "ok" if self.status < 400 else "warn" if self.status < 500 else "bad"


def show(reply: RunReply, *, test: bool, api_slug: str) -> Reply:
    """Turn a reply of the gateway into what the page shows."""
    kind = next((value for name, value in reply.headers if name.lower() == "content-type"), "")
    text, note = _text(reply.body, kind)
    return Reply(
        status=reply.status,
        reason=_reason(reply.status),
        headers=tuple(reply.headers),
        size=len(reply.body),
        latency_ms=reply.took_ms,
        test=test,
        body=text,
        note=TRUNCATED if reply.truncated and text is not None else note,
        trouble=_trouble(reply.status, kind, reply.body, api_slug),
    )


def _reason(status: int) -> str:
    return HTTPStatus(status).phrase if status in set(HTTPStatus) else ""


def _text(body: bytes, kind: str) -> tuple[SafeString | None, str]:
    if not body:
        return None, "The reply has no body."
    media = kind.partition(";")[0].strip().lower()
    try:
        text = body[: PARSED + 4].decode("utf-8", "strict" if len(body) <= PARSED else "ignore")
    except UnicodeDecodeError:
        return None, f"Binary content ({media or 'no content type'}): not shown here."
    if "\x00" in text:
        return None, f"Binary content ({media or 'no content type'}): not shown here."
    pretty = pretty_json(text, limit=SHOWN) if len(body) <= PARSED and media.endswith("json") else None
    shown = (pretty or text)[:SHOWN]
    cut = len(pretty or text) > SHOWN or len(body) > PARSED
    note = f"Only the first {SHOWN // 1024} kB are shown; the request in your own code gets all of it." if cut else ""
    return highlighted(shown, "json" if pretty else ""), note


def _trouble(status: int, kind: str, body: bytes, api_slug: str) -> Trouble | None:
    """Read a problem of the gateway's out of its reply; the API's own errors are its own."""
    if status < 400 or not kind.startswith("application/problem+json"):
        return None
    try:
        problem = json.loads(body)
    except ValueError:
        return None
    code = problem.get("code") if isinstance(problem, dict) else None
    if code not in PROBLEMS or PROBLEMS[code].status != status:
        return None
    retry = problem.get("retry_after")
    return Trouble(
        code,
        PROBLEMS[code].title,
        str(problem.get("detail") or PROBLEMS[code].detail),
        in_words(retry) if isinstance(retry, int) else "",
        str(problem.get("request_id") or ""),
        fix_for(code, problem, api_slug),
    )


def fix_for(code: str, problem: Mapping[str, object], api_slug: str) -> Fix | None:
    """The one button that gets a person further: ours by code, else what the problem itself links to here."""
    plans = reverse("api", args=[api_slug]) + "#plans"
    fixes = {
        "no_subscription": Fix("Subscribe to the free plan", reverse("subscribe", args=[api_slug]), post=True),
        "email_unverified": Fix("Send the verification link again", reverse("verify_again"), post=True),
        "key_missing": Fix("Open your keys", reverse("keys")),
        "key_invalid": Fix("Open your keys", reverse("keys")),
        "ip_not_allowed": Fix("Open your keys", reverse("keys")),
        "scope_missing": Fix("Create a key that may", reverse("key_new")),
        "quota_exceeded": Fix("Compare plans", plans),
        "rate_limited": Fix("Compare plans", plans),
        "overage_not_allowed": Fix("Compare plans", plans),
        "operation_unknown": Fix("See all operations", reverse("reference", args=[api_slug])),
        "no_sandbox": Fix("Use a live key", reverse("keys")),
    }
    return fixes.get(code) or _own_fix(str(problem.get("fix_url") or ""))


def _own_fix(url: str) -> Fix | None:
    """A `fix_url` is followed only into this portal."""
    if not url.startswith(settings.PORTAL_URL + "/"):
        return None
    parts = urlsplit(url)
    return Fix("Fix this", parts.path + (f"?{parts.query}" if parts.query else ""))
