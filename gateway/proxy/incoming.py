"""A request as this door can see it: from the raw head where the server gives it, else from what WSGI leaves of it.

WSGI decodes the path, folds `_` into `-` and joins repeated headers (PEP 3333); `docs/doors.md` says what that costs.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from gateway.admission import address_in
from gateway.call import Headers
from gateway.settings import GatewaySettings
from gateway.upstream import READ_BYTES, ClientLeft, RequestBody

RAW_TARGET = "tollgate.target"  # "/world/v1/a%2Fb?q": the request line's, undecoded
RAW_HEADERS = "tollgate.headers"  # [(name in lower case, value)…] as they stood
WATCH = "tollgate.watch"  # f(callback): have it called when the client goes away
PATH_SAFE = "/!$&'()*+,;=:@-._~"  # RFC 3986 §3.3: what stands in a path as itself

Environ = Mapping[str, Any]


def target_of(environ: Environ) -> tuple[str, str]:
    """Return (raw path, raw query)."""
    if RAW_TARGET in environ:
        path, _, query = environ[RAW_TARGET].partition("?")
        return path, query
    return quote(environ["PATH_INFO"].encode("latin-1"), safe=PATH_SAFE), environ["QUERY_STRING"]


def headers_of(environ: Environ) -> Headers:
    """Return the request's headers, names in lower case."""
    if RAW_HEADERS in environ:
        lines: Headers = environ[RAW_HEADERS]
        return lines
    named = {"CONTENT_TYPE": "content-type", "CONTENT_LENGTH": "content-length"}
    return [
        (named.get(name) or name[5:].replace("_", "-").lower(), value)
        for name, value in environ.items()
        if (name.startswith("HTTP_") or name in named) and value != ""
    ]


def body_of(environ: Environ) -> RequestBody:
    """Return the request's body, unread."""
    if environ.get("HTTP_TRANSFER_ENCODING"):
        return RequestBody(None, _chunks(environ["wsgi.input"].read))
    length = environ.get("CONTENT_LENGTH") or "0"
    return RequestBody(int(length), _chunks(environ["wsgi.input"].read)) if length != "0" else RequestBody()


def _chunks(read: Callable[[int], bytes]) -> Iterator[bytes]:
    """Raises ClientLeft, whatever the server makes of a connection that broke off."""
    while True:
        try:
            chunk = read(READ_BYTES)
        except Exception as error:
            raise ClientLeft from error
        if not chunk:
            return
        yield chunk


def client_of(environ: Environ, headers: Headers, settings: GatewaySettings) -> tuple[str, str]:
    """Return (client address, scheme): what trusted proxies say, else what the connection is.

    The client is the rightmost address of X-Forwarded-For that is no trusted proxy.
    """
    peer, scheme = environ.get("REMOTE_ADDR", ""), environ.get("wsgi.url_scheme", "http")
    if not settings.trusted_proxies or not address_in(peer, settings.trusted_proxies):
        return peer, scheme
    told = [part.strip() for name, value in headers if name == "x-forwarded-for" for part in value.split(",")]
    client = next((hop for hop in reversed(told) if not address_in(hop, settings.trusted_proxies)), peer)
    proto = next((value for name, value in headers if name == "x-forwarded-proto"), scheme)
    return client, proto if proto in ("http", "https") else scheme
