"""Endpoints of usage. What another organization's key used is nothing, as for a key that does not exist."""

from dataclasses import asdict

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from accounts.public import RestView
from usage.queries import recent_calls, usage_report
from usage.rest.serializers import EventPageSerializer, EventsQuery, UsageQuery, UsageSerializer


class Usage(RestView):
    """Usage of a stretch of time, exact to the instant, as far as it is counted (`as_of`)."""

    permission = "usage.read"
    serializer_class = UsageSerializer

    @extend_schema(operation_id="usage_retrieve", parameters=[UsageQuery], responses=UsageSerializer)
    def get(self, request: Request) -> Response:
        query = UsageQuery(data=request.query_params, context={"at": self.at})
        query.is_valid(raise_exception=True)
        report = usage_report(self.org, **query.validated_data, count_ids=True)
        answer = asdict(report) | {"group_by": query.validated_data.get("group_by"), "cost": None}
        return Response(UsageSerializer(answer).data)


class Events(RestView):
    """The request log: every call of the organization's keys, newest first."""

    permission = "usage.read"
    serializer_class = EventPageSerializer

    @extend_schema(operation_id="events_list", parameters=[EventsQuery], responses=EventPageSerializer)
    def get(self, request: Request) -> Response:
        query = EventsQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        limit, cursor = query.validated_data["limit"], query.validated_data.get("cursor")
        calls = recent_calls(self.org, limit=limit + 1, before=cursor, key=query.validated_data.get("key"))
        more = calls[limit - 1].event_id if len(calls) > limit else None
        url = replace_query_param(request.build_absolute_uri(), "cursor", str(more)) if more else None
        return Response(EventPageSerializer({"items": calls[:limit], "next": url}).data)
