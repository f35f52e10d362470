"""Pages by key: stable while rows are added, and as fast on the last page as on the first."""

from typing import Any
from uuid import UUID

from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.utils.urls import replace_query_param

MOST = 100


class KeysetPagination(BasePagination):
    """`{"items": […], "next": url | null}`, newest first: UUIDv7 ids sort by time."""

    next_url: str | None = None

    def paginate_queryset(self, queryset: Any, request: Request, view: object = None) -> list[Any]:
        """One page of a QuerySet of rows with UUIDv7 ids. Raises ValidationError for a bad limit or cursor."""
        limit = _limit(request)
        if cursor := request.query_params.get("cursor"):
            queryset = queryset.filter(id__lt=_cursor(cursor))
        rows = list(queryset.order_by("-id")[: limit + 1])
        if len(rows) > limit:
            url = request.build_absolute_uri()
            self.next_url = replace_query_param(url, "cursor", str(rows[limit - 1].id))
        return rows[:limit]

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"items": data, "next": self.next_url})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "object",
            "required": ["items", "next"],
            "properties": {
                "items": schema,
                "next": {"type": ["string", "null"], "format": "uri", "description": "The next page; null on the last"},
            },
        }

    def get_schema_operation_parameters(self, view: object) -> list[dict[str, Any]]:
        limit = {"type": "integer", "minimum": 1, "maximum": MOST, "default": api_settings.PAGE_SIZE}
        return [
            {"name": "limit", "in": "query", "description": "Items per page", "schema": limit},
            {
                "name": "cursor",
                "in": "query",
                "description": "Where the page starts, as found in `next`",
                "schema": {"type": "string"},
            },
        ]


def _limit(request: Request) -> int:
    text = request.query_params.get("limit", str(api_settings.PAGE_SIZE))
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 10 and int(text)):
        raise ValidationError({"limit": [f"A number from 1 to {MOST}."]})
    return min(int(text), MOST)


def _cursor(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise ValidationError({"cursor": ["Not a cursor: take it from `next`."]}) from error
