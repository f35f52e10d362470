"""Views that REST tests call: one for each way to fail, and a counter behind an Idempotency-Key."""

import threading
from typing import Any

import redis
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import ValidationError as ModelError
from django.db import DataError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path
from rest_framework import exceptions, serializers
from rest_framework.authentication import BaseAuthentication
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Organization
from kit.django.idempotency import idempotent
from kit.django.outbox import Undelivered, emit
from kit.django.rest import StrictSerializer
from kit.errors import FieldError, ProblemError, invalid
from kit.ids import uuid7

FAILURES: dict[str, Exception] = {
    "undelivered": Undelivered([("directory", "key:1")]),
    "fields": exceptions.ValidationError({"name": ["Too long."], "tiers": [{}, {"up_to": ["Missing."]}]}),
    "whole": exceptions.ValidationError({"non_field_errors": ["The dates are swapped."]}),
    "list": exceptions.ValidationError(["One.", "Two."]),
    "model": ModelError({"name": ["Taken."], "__all__": ["Odd."]}),
    "parse": exceptions.ParseError("no comma"),
    "anonymous": exceptions.NotAuthenticated(),
    "stranger": exceptions.AuthenticationFailed(),
    "denied": exceptions.PermissionDenied(),
    "django denied": PermissionDenied(),
    "missing": exceptions.NotFound(),
    "django missing": Http404(),
    "throttled": exceptions.Throttled(wait=7),
    "large": RequestDataTooBig(),
    "suspicious": SuspiciousOperation(),
    "data": DataError("integer out of range"),
    "database": OperationalError("the password is hunter2"),
    "redis": redis.ConnectionError("the password is hunter2"),
    "redis slow": redis.TimeoutError(),
    "problem": ProblemError("conflict", "It has changed.", retry_after=3),
    "fields of ours": ProblemError("invalid", errors=[FieldError("a.b", "No.")]),
    "bug": ZeroDivisionError("the password is hunter2"),
    "lookalike": type("Lookalike", (Exception,), {"code": "no such code"})(),
}


class Someone:
    scope = "someone"


class Header(BaseAuthentication):
    """Anybody is who they say, so that tests need no tokens."""

    def authenticate(self, request: Request) -> tuple[None, Someone]:
        principal = Someone()
        principal.scope = request.headers.get("X-Me", "someone")
        return None, principal


class Open(GenericAPIView):  # type: ignore[type-arg]
    authentication_classes = [Header]
    permission_classes: list[Any] = []


class Fail(Open):
    def get(self, request: Request, how: str) -> Response:
        raise FAILURES[how]


class InnerSerializer(StrictSerializer):
    up_to = serializers.IntegerField(min_value=1)


class ThingSerializer(StrictSerializer):
    id = serializers.CharField(read_only=True)
    name = serializers.CharField(max_length=10)
    tiers = InnerSerializer(many=True, required=False)


class Things(Open):
    """Echo what was understood."""

    serializer_class = ThingSerializer

    def post(self, request: Request) -> Response:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return Response(serializer.validated_data)


class Raw(Open):
    def post(self, request: Request) -> Response:
        return Response(request.data)


class Small(Raw):
    max_body_bytes = 100


class Rows(Open):
    """Pages of any table with UUIDv7 ids."""

    serializer_class = InnerSerializer

    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(Organization.objects.all())
        return self.get_paginated_response([row.name for row in page])


started = threading.Event()
go_on = threading.Event()


class Orders(Open):
    """An order is a row of a table that is at hand: the effect that must happen once."""

    @idempotent(required=True)
    def post(self, request: Request) -> Response:
        row = Organization.objects.create(name=request.data.get("of", ""), slug=uuid7().hex)
        if request.data.get("slow"):
            started.set()
            go_on.wait(10)
        if request.data.get("broken"):
            raise invalid("of", "Not sold here.")
        return Response({"id": row.id, "of": row.name}, status=201)


class Keys(Open):
    @idempotent(secrets=("secret",))
    def post(self, request: Request) -> Response:
        row = Organization.objects.create(name="key", slug=uuid7().hex)
        return Response({"id": row.id, "secret": f"s-{row.slug}"}, status=201)


class Revoke(Open):
    @idempotent()
    def post(self, request: Request) -> Response:
        emit("news", key="revoked")
        return Response({"state": "revoked"})


def crash(request: HttpRequest) -> HttpResponse:
    raise ZeroDivisionError("the password is hunter2")


urlpatterns = [
    path("api/fail/<str:how>", Fail.as_view()),
    path("api/things", Things.as_view()),
    path("api/raw", Raw.as_view()),
    path("api/small", Small.as_view()),
    path("api/rows", Rows.as_view()),
    path("api/orders", Orders.as_view()),
    path("api/keys", Keys.as_view()),
    path("api/revoke", Revoke.as_view()),
    path("api/crash", crash),
    path("page/crash", crash),
]
