"""What the marketplace's REST views share: strict query strings, and lists of values instead of rows."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.response import Response

from accounts import public as accounts
from accounts.public import RestView


class ShopView(RestView):
    def asked(self, query: type[serializers.Serializer[Any]]) -> dict[str, Any]:
        """The query string through its serializer. Raises ValidationError, for unknown parameters too."""
        serializer = query(data=self.request.query_params.dict())
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def body(self, serializer_class: type[serializers.Serializer[Any]]) -> dict[str, Any]:
        """The request's body through its serializer. Raises ValidationError."""
        serializer = serializer_class(data=self.request.data)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def mapped(self, rows: QuerySet[Any], value_of: Callable[[Any], object]) -> Response:
        """One page of rows, each as its value, through `serializer_class`."""
        page = self.paginate_queryset(rows) or ()
        return self.get_paginated_response(self.get_serializer([value_of(row) for row in page], many=True).data)

    def shown(self, value: object, *, status: int = 200) -> Response:
        """One value through `serializer_class`."""
        return Response(self.get_serializer(value).data, status=status)

    def project_or_default(self, project: UUID | None) -> UUID:
        """The project asked for, or the organization's first."""
        return project or accounts.projects(self.org)[0].id
