"""Every error that leaves the management API is a problem (RFC 9457), whoever raised it and wherever.

`problem_handler` answers what a REST view raises; the `JsonProblems` middleware what never reached one.
An exception with a `code` of `kit.problems` (`kit.errors.ProblemError`, and each app's own) says its problem itself,
with `detail`, `errors` and `retry_after` if it has them.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import redis
from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import ValidationError as ModelError
from django.core.signals import got_request_exception
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from rest_framework import exceptions as drf
from rest_framework.response import Response
from rest_framework.settings import api_settings

from kit.django.outbox import Undelivered
from kit.django.rest.requests import request_id
from kit.errors import FieldError
from kit.problems import PROBLEMS, render

MEDIA_TYPE = "application/problem+json"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Answer:
    code: str
    detail: str = ""
    errors: tuple[FieldError, ...] = ()
    retry_after: int | None = None


# Read from the top: the first type that fits answers.
_TABLE: tuple[tuple[type[Exception] | tuple[type[Exception], ...], Callable[[Any], _Answer]], ...] = (
    (Undelivered, lambda error: _Answer("propagation_pending", retry_after=1)),
    (drf.ValidationError, lambda error: _Answer("invalid", errors=tuple(_fields(error.detail)))),
    (ModelError, lambda error: _Answer("invalid", errors=tuple(_model_fields(error)))),
    (drf.ParseError, lambda error: _Answer("bad_request", str(error.detail))),
    ((drf.NotAuthenticated, drf.AuthenticationFailed), lambda error: _Answer("token_invalid")),
    ((drf.PermissionDenied, PermissionDenied), lambda error: _Answer("permission_denied")),
    ((drf.NotFound, Http404), lambda error: _Answer("not_found")),
    (drf.MethodNotAllowed, lambda error: _Answer("method_not_allowed")),
    (drf.UnsupportedMediaType, lambda error: _Answer("unsupported_media_type")),
    (drf.Throttled, lambda error: _Answer("too_many_attempts", retry_after=int(error.wait or 1))),
    (RequestDataTooBig, lambda error: _Answer("body_too_large")),
    (SuspiciousOperation, lambda error: _Answer("bad_request")),
    (DataError, lambda error: _Answer("invalid", errors=(FieldError("", "A value is out of range."),))),
    (
        (OperationalError, InterfaceError, redis.ConnectionError, redis.TimeoutError),
        lambda error: _Answer("unavailable", retry_after=2),
    ),
)

_BY_STATUS = {
    400: "bad_request",
    401: "token_invalid",
    403: "permission_denied",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "unsupported_media_type",
    429: "too_many_attempts",
    503: "unavailable",
}


def problem_handler(error: Exception, context: Mapping[str, Any]) -> Response:
    """Answer any exception of a REST view; what nobody foresaw is logged and answered as internal_error."""
    request = context.get("request")
    answer = _answer(error)
    if PROBLEMS[answer.code].status >= 500:
        log.error("%s: %s", answer.code, request_id(request), exc_info=error)
    if answer.code == "internal_error":
        got_request_exception.send(sender=problem_handler, request=getattr(request, "_request", request))
    return Response(
        _body(answer, request),
        status=PROBLEMS[answer.code].status,
        headers=_headers(answer),
        content_type=MEDIA_TYPE,
    )


class JsonProblems:
    """Middleware: under /api/ an error page of Django's (unknown path, bad host, crash elsewhere) is a problem too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code < 400 or not request.path_info.startswith("/api/") or isinstance(response, Response):
            return response
        fallback = "bad_request" if response.status_code < 500 else "internal_error"
        code = _BY_STATUS.get(response.status_code, fallback)
        answer = _Answer(code, retry_after=2 if code == "unavailable" else None)
        return JsonResponse(
            _body(answer, request),
            status=PROBLEMS[answer.code].status,
            headers=_headers(answer),
            content_type=MEDIA_TYPE,
        )


def _answer(error: Exception) -> _Answer:
    for kinds, answer in _TABLE:
        if isinstance(error, kinds):
            return answer(error)
    code = getattr(error, "code", None)
    if not isinstance(code, str) or code not in PROBLEMS:
        return _Answer("internal_error")
    detail, errors = getattr(error, "detail", ""), getattr(error, "errors", ())
    return _Answer(code, str(detail), tuple(errors), getattr(error, "retry_after", None))


def _body(answer: _Answer, request: Any) -> dict[str, Any]:
    extra: dict[str, Any] = {}
    if answer.code == "invalid":
        extra["errors"] = [{"field": error.field, "message": error.message} for error in answer.errors]
    return render(
        answer.code,
        portal_url=settings.PORTAL_URL,
        request_id=request_id(request),
        detail=answer.detail,
        retry_after=answer.retry_after,
        **extra,
    )


def _headers(answer: _Answer) -> dict[str, str]:
    headers = {}
    if answer.retry_after is not None:
        headers["Retry-After"] = str(answer.retry_after)
    if PROBLEMS[answer.code].status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="tollgate"'
    return headers


def _fields(detail: Any, path: str = "") -> Iterator[FieldError]:
    """Flatten DRF's tree of messages: {"tiers": [{}, {"up_to": ["…"]}]} → tiers.1.up_to."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            whole = name == api_settings.NON_FIELD_ERRORS_KEY
            yield from _fields(inner, path if whole else f"{path}.{name}".strip("."))
    elif isinstance(detail, list | tuple):
        for at, inner in enumerate(detail):
            nested = isinstance(inner, dict | list)
            yield from _fields(inner, f"{path}.{at}".strip(".") if nested else path)
    else:
        yield FieldError(path, str(detail))


def _model_fields(error: ModelError) -> Iterator[FieldError]:
    if not hasattr(error, "error_dict"):
        yield from (FieldError("", message) for message in error.messages)
        return
    for name, messages in error.message_dict.items():
        yield from (FieldError("" if name == "__all__" else name, message) for message in messages)
