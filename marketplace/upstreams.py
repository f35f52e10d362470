"""Where an API's own servers may be. Shapes are checked here, addresses by the gateway, at every connect."""

import re
from collections.abc import Sequence
from ipaddress import ip_address

from django.conf import settings

from kit import ssrf
from kit.errors import FieldError, ProblemError, invalid

MOST_HEADERS = 20
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")  # RFC 9110 token
_VALUE = re.compile(r"[\x21-\x7e]([\x20-\x7e\t]{0,4000}[\x21-\x7e])?")
# What the gateway itself decides; a provider's header must not contradict it.
_OURS = frozenset(
    {
        *("host", "connection", "content-length", "transfer-encoding", "te", "trailer", "upgrade", "keep-alive"),
        *("proxy-authorization", "proxy-connection", "via", "forwarded", "expect", "cookie", "x-request-id"),
    }
)
_OUR_PREFIXES = ("x-forwarded-", "x-consumer-", "x-tollgate-")


def clean_base_url(url: str) -> str:
    """Check an upstream's address: http(s)://host[:port][/prefix]. Raises ProblemError invalid."""
    url = url.strip()
    if len(url) > 500 or not re.fullmatch(r"[\x21-\x7e]+", url):
        raise invalid("base_url", "At most 500 plain characters, without spaces.")
    if "?" in url or "#" in url or "\\" in url:
        raise invalid("base_url", "Without query and fragment: calls bring their own.")
    try:
        place = ssrf.place_of(url)
    except ssrf.NotAllowed as error:
        raise invalid("base_url", f"{str(error)[:1].upper()}{str(error)[1:]}.") from error
    path = url.split("://", 1)[1].partition("/")[2]
    if any(segment in (".", "..") for segment in path.split("/")):
        raise invalid("base_url", "Without dot segments.")
    if _private(place.host) and f"{place.host}:{place.port}" not in settings.GATEWAY.upstream_allow:
        raise invalid(
            "base_url", f"{place.host} is a private address: the operator allows these in TOLLGATE_UPSTREAM_ALLOW."
        )
    return url.rstrip("/")


def clean_headers(headers: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Check the headers that the upstream wants on every call, such as its own credential."""
    if len(headers) > MOST_HEADERS:
        raise invalid("headers", f"At most {MOST_HEADERS} headers.")
    errors = [
        FieldError(f"headers.{index}", why)
        for index, (name, value) in enumerate(headers)
        if (why := _wrong(name, value))
    ]
    if errors:
        raise ProblemError("invalid", errors=errors)
    return [(name, value) for name, value in headers]


def clean_seconds(seconds: float, *, field: str, most: float) -> float:
    if not 0 < seconds <= most:
        raise invalid(field, f"More than 0 and at most {most:g} seconds.")
    return float(seconds)


def _wrong(name: str, value: str) -> str:
    if not _NAME.fullmatch(name):
        return "Not a header's name."
    if name.lower() in _OURS or name.lower().startswith(_OUR_PREFIXES):
        return f"{name} is the gateway's own."
    return "" if _VALUE.fullmatch(value) else "A header's value is visible ASCII text."


def _private(host: str) -> bool:
    """Private by its looks: a literal address, or a name that means this machine."""
    try:
        return not ssrf.is_public(ip_address(host))
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
