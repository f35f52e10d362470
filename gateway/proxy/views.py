"""The DRF proxy layer: one view for every method and path, which only carries between Django and the flow."""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.views import APIView

from gateway import policies
from gateway.call import Call, Headers, Refusal
from gateway.case import Case
from gateway.proxy.authentication import KeyAuthentication
from gateway.proxy.incoming import WATCH, body_of, client_of, headers_of, target_of
from gateway.runtime import runtime_of
from gateway.sync import Answer, begin
from kit.ids import uuid7


class NoNegotiation(BaseContentNegotiation):
    """Nothing is rendered here: what is acceptable is between the client and the upstream (so no 406)."""

    def select_renderer(self, request: Request, renderers: Iterable[Any], format_suffix: str | None = None) -> Any:
        return None, ""


class ProxyView(APIView):
    """Hands a call to the flow and its answer back. Admission, limits and refusals are the flow's."""

    authentication_classes = (KeyAuthentication,)
    permission_classes = ()
    throttle_classes = ()
    parser_classes = ()
    renderer_classes = ()
    content_negotiation_class = NoNegotiation

    def proxy(self, request: Request, *_: object, **__: object) -> HttpResponseBase:
        environ = request.META
        headers, (path, query) = headers_of(environ), target_of(environ)
        client, scheme = client_of(environ, headers, settings.GATEWAY)
        conversation = begin(
            runtime_of(settings.GATEWAY).door(),
            body_of(environ),
            method=request.method or "",
            path=path,
            query=query,
            headers=headers,
            client=client,
            scheme=scheme,
            host=environ.get("HTTP_HOST", ""),
            credential=request.auth,
        )
        if WATCH in environ:
            environ[WATCH](conversation.abandon)
        return response(conversation.answer())

    # OPTIONS is the upstream's too, and so is any method that HTTP does not name.
    get = head = post = put = patch = delete = options = trace = http_method_not_allowed = proxy  # type: ignore[assignment]

    @property
    def default_response_headers(self) -> dict[str, str]:
        """DRF would add Allow and Vary, which are the upstream's to say."""
        return {}


class AsToldMixin:
    """Says the headers it was given, in their order and as often as they come: Django keeps one of each."""

    lines: Headers

    def items(self) -> Headers:
        return self.lines


class Whole(AsToldMixin, HttpResponse):
    """An answer that is all here."""


class Streamed(AsToldMixin, StreamingHttpResponse):
    """An answer that is still arriving; closing it ends the call."""


def broken(request: HttpRequest) -> HttpResponseBase:
    """Answer for a process that cannot even begin a call: it has no journal, say. Django has logged why."""
    call = Call(id=str(uuid7()), at_ms=0, method=request.method or "", path="", query="", headers=[], client="")
    respond = policies.problem(Case(call, settings.GATEWAY), Refusal("internal_error"))
    return response(Answer(respond.status, respond.headers, [respond.body or b""]))


def response(answer: Answer) -> HttpResponseBase:
    """Dress an answer for Django."""
    made: Whole | Streamed
    if isinstance(answer.body, list):
        made = Whole(b"".join(answer.body), status=answer.status)
    else:
        made = Streamed(answer.body, status=answer.status)
    made.lines = answer.headers
    return made
