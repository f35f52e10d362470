"""The base of every view of the management REST API."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rest.permissions import Needed
from accounts.values import Actor, Principal


class RestView(GenericAPIView[Any]):
    """A view names its `permission` (or one per method) and finds here who asks, for which organization, and when."""

    http_method_names = ["get", "post", "put", "patch", "delete", "head"]  # OPTIONS would need a permission of its own
    permission: Needed
    queryset: QuerySet[Any] | None = None
    request: Request

    @property
    def principal(self) -> Principal:
        return self.request.auth  # type: ignore[return-value]  # HasToken let no other in

    @property
    def org(self) -> UUID:
        return self.principal.org

    @property
    def actor(self) -> Actor:
        return self.principal.actor

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        self.at: datetime = timezone.now()  # one instant for all that this request does
        super().initial(request, *args, **kwargs)

    def taken(self) -> dict[str, Any]:
        """The request's body through `serializer_class`. Raises ValidationError."""
        serializer = self.get_serializer(data=self.request.data)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def listed(self, rows: QuerySet[Any]) -> Response:
        """One page of rows through `serializer_class`."""
        page: Sequence[Any] | None = self.paginate_queryset(rows)
        return self.get_paginated_response(self.get_serializer(page, many=True).data)
