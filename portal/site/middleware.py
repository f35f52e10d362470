"""Exceptions that have a page of their own: what an action refuses, and a store that is away."""

import logging
from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from kit.errors import ProblemError
from portal.site.failures import broken_store, failure, in_a_sentence

log = logging.getLogger(__name__)
AWAY = (OperationalError, InterfaceError, RedisConnectionError, RedisTimeoutError)


class PortalExceptions:
    """Views raise; this answers. The management REST API has its own handler and never gets here."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, ProblemError):
            return failure(request, exception.code, detail=in_a_sentence(exception), retry_after=exception.retry_after)
        if isinstance(exception, AWAY):
            log.error("portal: a store is away: %s", type(exception).__name__, exc_info=exception)
            return broken_store(request)
        return None
