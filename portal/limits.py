"""How often a person may do what on the portal: one table, counted by django-ratelimit in Redis."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Literal

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django_ratelimit.core import get_usage

from portal.address import client_address, network_of
from portal.site.failures import too_many_attempts

View = Callable[..., HttpResponseBase]


@dataclass(frozen=True)
class Limit:
    rate: str  # "10/h": the first N of each fixed hour
    per: Literal["address", "user", "email"]
    what: str  # the sentence of the 429 page begins with it


LIMITS: dict[str, tuple[Limit, ...]] = {
    "signup": (Limit("10/h", "address", "New accounts"), Limit("60/d", "address", "New accounts")),
    "login": (Limit("30/m", "address", "Sign-ins"), Limit("20/h", "email", "Sign-ins")),
    "reset": (Limit("10/h", "address", "Password resets"), Limit("5/h", "email", "Password resets")),
    "verify": (Limit("6/h", "user", "Verification mails"),),
    "key": (Limit("30/h", "user", "Key changes"),),
    "visitor_run": (Limit("30/h", "address", "Calls without an account"),),
    "run": (Limit("120/m", "user", "Calls from the console"),),
}


@dataclass(frozen=True)
class Exceeded:
    limit: Limit
    retry_after: int  # seconds


def spend(request: HttpRequest, name: str) -> Exceeded | None:
    """Count one attempt against every limit of that name; answer the one that is used up."""
    for at, limit in enumerate(LIMITS[name]):
        value = _subject(request, limit)
        if not value:
            continue
        usage = get_usage(
            request,
            group=f"portal:{name}:{at}",
            key=lambda group, request, value=value: value,
            rate=limit.rate,
            increment=True,
        )
        if usage and usage["should_limit"]:
            return Exceeded(limit, max(1, int(usage["time_left"])))
    return None


def limited(name: str) -> Callable[[View], View]:
    """Refuse POSTs beyond the limits with the 429 page; reading is free."""

    def wrap(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            exceeded = spend(request, name) if request.method == "POST" else None
            if exceeded:
                return too_many_attempts(request, what=exceeded.limit.what, retry_after=exceeded.retry_after)
            return view(request, *args, **kwargs)

        return guarded

    return wrap


def _subject(request: HttpRequest, limit: Limit) -> str:
    if limit.per == "user":
        return str(request.user.pk or network_of(client_address(request)))
    if limit.per == "email":
        return (request.POST.get("login") or request.POST.get("email") or "").strip().lower()
    return network_of(client_address(request))
