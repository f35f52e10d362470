"""What every request carries: its id and the address it comes from."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from kit.addresses import client_address
from kit.ids import uuid7

HEADER = "X-Request-Id"


class RequestIds:
    """Middleware, outermost: mint a request's id, and name it on the answer, whoever gives that."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault(HEADER, request_id(request))
        return response


def request_id(request: Any) -> str:
    """The id of this request (Django's or DRF's), minted by us whatever the client sent."""
    request = getattr(request, "_request", request)
    if not hasattr(request, "tollgate_id"):
        request.tollgate_id = str(uuid7())
    return str(request.tollgate_id)


def address_of(request: Any) -> str | None:
    """The client's address, seen through the proxies that settings trust."""
    meta = request.META
    return client_address(
        meta.get("REMOTE_ADDR", ""), meta.get("HTTP_X_FORWARDED_FOR", ""), trusted=settings.GATEWAY.trusted_proxies
    )
