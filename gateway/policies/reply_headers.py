"""Headers to the client: what an upstream may not say on a host that all APIs share."""

from urllib.parse import urlsplit

from gateway.call import Headers
from gateway.case import Case
from gateway.policies.request_headers import connection_options, pseudonym

HOP_BY_HOP = frozenset(
    [
        "connection",
        "keep-alive",
        "proxy-connection",
        "proxy-authenticate",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ]
)
# A browser would apply each of these to every API on this host, or to whoever visits it next.
STRIPPED = frozenset(
    [
        "set-cookie",
        "set-cookie2",
        "content-security-policy",
        "content-security-policy-report-only",
        "strict-transport-security",
        "public-key-pins",
        "clear-site-data",
        "refresh",
        "service-worker-allowed",
        "alt-svc",
        "nel",
        "report-to",
        "reporting-endpoints",
        "accept-ch",
    ]
)
OURS = frozenset(("ratelimit", "ratelimit-policy", "x-request-id", "via", "x-content-type-options"))
OUR_PREFIXES = ("x-ratelimit-", "x-tollgate-", "x-consumer-")

SAFETY: Headers = [("content-security-policy", "sandbox"), ("x-content-type-options", "nosniff")]


def strip(headers: Headers, case: Case) -> Headers:
    """Drop what belongs to the upstream's connection, what browsers must not hear, and what is ours to say."""
    named = connection_options(headers)
    return [
        line
        for line in headers
        if line[0] not in HOP_BY_HOP
        and line[0] not in STRIPPED
        and line[0] not in OURS
        and line[0] not in named
        and not line[0].startswith(OUR_PREFIXES)
    ]


def rewrite_location(headers: Headers, case: Case) -> Headers:
    """Point Location and Content-Location at the gateway where they point at the upstream."""
    return [
        (name, _moved(value, case)) if name in ("location", "content-location") else (name, value)
        for name, value in headers
    ]


def _moved(location: str, case: Case) -> str:
    """Translate a URL at the upstream's origin, below its base path; another origin's, and a relative one, stay."""
    assert case.terms is not None and case.op is not None
    base = urlsplit(case.terms.target.base_url)
    try:
        url = urlsplit(location)
        same = _origin(url.scheme or base.scheme, url.netloc or base.netloc) == _origin(base.scheme, base.netloc)
    except ValueError:  # not a URL: the client may make of it what it can
        return location
    if not same or not (url.path.startswith("/") or url.netloc):
        return location
    rest = "".join([url.path, f"?{url.query}" if url.query else "", f"#{url.fragment}" if url.fragment else ""])
    if base.path and url.path != base.path and not url.path.startswith(f"{base.path}/"):
        return f"{base.scheme}://{base.netloc}{rest}"  # the upstream's, but not part of this API
    start = case.settings.public_url if url.netloc else ""
    return f"{start}/{case.op.api.slug}{rest[len(base.path) :]}"


def _origin(scheme: str, netloc: str) -> tuple[str, str, int | None]:
    url = urlsplit(f"{scheme}://{netloc}")
    default = {"http": 80, "https": 443}.get(url.scheme)
    return url.scheme, url.hostname or "", url.port or default


def sandbox(headers: Headers, case: Case) -> Headers:
    """Keep any page an upstream serves from acting as this host (CSP3 §6.3.2), or being taken for a script."""
    return headers + SAFETY


def name_the_call(headers: Headers, case: Case) -> Headers:
    """Add X-Request-Id, and ourselves to Via."""
    hops = [value for name, value in (case.reply.headers if case.reply else []) if name == "via"]
    via = ", ".join([*hops, f"1.1 {pseudonym(case)}"])
    return [*headers, ("x-request-id", case.call.id), ("via", via)]
