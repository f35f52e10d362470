"""Addresses inside this portal, and the check that a `next` is one."""

from urllib.parse import urlencode

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

LONGEST = 4_000


def is_local(url: str) -> bool:
    """Whether a redirect to `url` stays here: a path; no host, no scheme, nothing a browser would read as one."""
    return (
        url.startswith("/")
        and len(url) <= LONGEST
        and url.isprintable()
        and "\\" not in url
        and url_has_allowed_host_and_scheme(url, allowed_hosts=None)
    )


def next_of(request: HttpRequest, *, default: str = "") -> str:
    """Where the request asks to go afterwards, if that is inside the portal."""
    asked = request.POST.get("next") or request.GET.get("next") or ""
    return asked if is_local(asked) else default


def with_next(path: str, target: str) -> str:
    """`path?next=target`; without a target, the path alone."""
    return f"{path}?{urlencode({'next': target})}" if target else path
