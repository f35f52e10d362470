"""Headers to the upstream: what is dropped from the client's, and what we say of the caller.

Credentials have been read before any of this runs: `Connection: x-api-key` hides nothing from us.
"""

from gateway.call import Headers, Refusal
from gateway.case import Case
from gateway.policies.credentials import is_ours

# RFC 9110 §7.6.1, and what frames a message: each side of a proxy has its own.
HOP_BY_HOP = frozenset(
    [
        "connection",
        "keep-alive",
        "proxy-connection",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "http2-settings",
        "content-length",
        "expect",
        "host",
    ]
)
# Said by us, or about another hop; `proxy` turns into HTTP_PROXY behind CGI. All APIs share one host, so a cookie
# of one would reach the others.
RESERVED = frozenset(
    [
        "forwarded",
        "x-real-ip",
        "x-request-id",
        "x-api-key",
        "cookie",
        "proxy",
        "via",
    ]
)
RESERVED_PREFIXES = ("x-consumer-", "x-tollgate-", "x-forwarded-")


def pseudonym(case: Case) -> str:
    """Our name in Via (RFC 9110 §7.6.3)."""
    return f"tollgate-{case.settings.name}"


def refuse_loop(case: Case) -> None:
    """Raise Refusal 508 for a request that has passed here before."""
    for name, value in case.call.headers:
        if name == "via" and any(hop.split()[1:2] == [pseudonym(case)] for hop in value.split(",")):
            raise Refusal("loop_detected")


def drop_hop_by_hop(headers: Headers, case: Case) -> Headers:
    """Drop what belongs to the client's connection, and what its Connection header names."""
    named = connection_options(headers)
    return [line for line in headers if line[0] not in HOP_BY_HOP and line[0] not in named]


def connection_options(headers: Headers) -> set[str]:
    """Return the header names (lower-case) that Connection nominates."""
    values = [value for name, value in headers if name == "connection"]
    return {option.strip().lower() for value in values for option in value.split(",")}


def drop_reserved(headers: Headers, case: Case) -> Headers:
    """Drop the names that are ours to say, their underscore twins (many servers read both alike), and any key."""
    return [(name, value) for name, value in headers if not (_reserved(name) or is_ours(name, value))]


def _reserved(name: str) -> bool:
    name = name.replace("_", "-")
    return name in RESERVED or name.startswith(RESERVED_PREFIXES)


def say_who_calls(headers: Headers, case: Case) -> Headers:
    """Add the consumer, its plan, and the id under which we wrote the call down."""
    grant, call = case.grant, case.call
    assert grant is not None and grant.plan_version is not None
    return [
        *headers,
        ("x-consumer-id", grant.organization.id),
        ("x-consumer-plan", grant.plan_version.plan),
        ("x-request-id", call.id),
    ]


def say_how_it_came(headers: Headers, case: Case) -> Headers:
    """Add where the request came from and was sent to; proxies before us are told by Via alone."""
    call = case.call
    assert case.op is not None
    hops = [value for name, value in call.headers if name == "via"]
    return [
        *headers,
        ("x-forwarded-for", call.client),
        ("x-forwarded-proto", call.scheme),
        ("x-forwarded-host", call.host),
        ("x-forwarded-prefix", f"/{case.op.api.slug}"),
        ("via", ", ".join([*hops, f"1.1 {pseudonym(case)}"])),
    ]


def present_to_upstream(headers: Headers, case: Case) -> Headers:
    """Add the credentials the provider wants, over any that the client sent under the same name."""
    assert case.terms is not None
    given = case.terms.target.headers
    names = {name for name, _ in given}
    return [line for line in headers if line[0].replace("_", "-") not in names] + list(given)
