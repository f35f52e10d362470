"""What usage endpoints take in their query string, and what they answer."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, get_args
from zoneinfo import available_timezones

from rest_framework import serializers

from kit.django.rest import StrictSerializer
from usage.values import GroupBy, Mode

SPAN_MAX = timedelta(days=400)
SPAN_DEFAULT = timedelta(days=30)
YEARS = 1971, 9999  # far from where clocks and zones overflow
PAGE, PAGE_MAX = 25, 100


class InstantField(serializers.DateTimeField):
    """RFC 3339 with an offset: a time without one is not an instant."""

    def to_internal_value(self, value: Any) -> datetime:
        try:
            at = datetime.fromisoformat(value)
        except ValueError as error:
            raise serializers.ValidationError("Not an instant: write it like 2026-03-01T00:00:00Z.") from error
        if at.utcoffset() is None:
            raise serializers.ValidationError("Add an offset: Z, or +01:00 with + written as %2B.")
        if not YEARS[0] <= at.year < YEARS[1]:
            raise serializers.ValidationError("Out of range.")
        return at.astimezone(UTC)


class QuerySerializer(StrictSerializer):
    """A query string: each parameter once, and none that is unknown."""

    def to_internal_value(self, data: Any) -> Any:
        twice = [name for name in data if len(data.getlist(name)) > 1]
        if twice:
            raise serializers.ValidationError({name: ["Given more than once."] for name in twice})
        return super().to_internal_value(data.dict())  # not as a form, where an empty value is none


class UsageQuery(QuerySerializer):
    key = serializers.UUIDField(required=False, help_text="Only calls of this API key")
    subscription = serializers.UUIDField(required=False, help_text="Only calls under this subscription")
    mode = serializers.ChoiceField(get_args(Mode), required=False, help_text="Only live or only test calls")
    group_by = serializers.ChoiceField(get_args(GroupBy), required=False)
    zone = serializers.CharField(default="UTC", help_text="IANA time zone of the days to group by")

    def get_fields(self) -> dict[str, serializers.Field]:
        """`from` cannot be a Python attribute."""
        return {
            "from": InstantField(required=False, source="start", help_text="Inclusive; default: 30 days before `to`"),
            "to": InstantField(required=False, source="end", help_text="Exclusive; default: now"),
            **super().get_fields(),
        }

    def validate_zone(self, zone: str) -> str:
        if zone not in _zones():
            raise serializers.ValidationError("Not an IANA time zone: write it like Europe/Berlin.")
        return zone

    def validate(self, attrs: Mapping[str, Any]) -> dict[str, Any]:
        end = attrs.get("end", self.context["at"])
        start = attrs.get("start", end - SPAN_DEFAULT)
        if start > end:
            raise serializers.ValidationError({"from": ["Must not be after `to`."]})
        if end - start > SPAN_MAX:
            raise serializers.ValidationError({"from": ["At most 13 months (400 days) before `to`."]})
        return {**attrs, "start": start, "end": end}


class UsageRowSerializer(serializers.Serializer[Any]):
    group = serializers.CharField(
        allow_null=True, help_text="An id, an operation, `4xx`, or where the day or hour begins"
    )
    calls = serializers.IntegerField()
    billable = serializers.IntegerField()
    units = serializers.DictField(child=serializers.IntegerField())


class UsageSerializer(serializers.Serializer[Any]):
    calls = serializers.IntegerField(help_text="Test calls and refused calls, too")
    billable = serializers.IntegerField()
    units = serializers.DictField(child=serializers.IntegerField(), help_text="Other meters by name")
    distinct_event_ids = serializers.IntegerField(
        allow_null=True, help_text="Counted from the events themselves; null where there are more than five million"
    )
    cost = serializers.DecimalField(max_digits=38, decimal_places=12, allow_null=True, help_text="null until rated")
    as_of = serializers.DateTimeField(
        allow_null=True, help_text="Every call before this instant is counted; null: no gateway has reported yet"
    )
    group_by = serializers.ChoiceField(get_args(GroupBy), allow_null=True)
    rows = UsageRowSerializer(many=True)

    def get_fields(self) -> dict[str, serializers.Field]:
        return {
            "from": serializers.DateTimeField(source="start"),
            "to": serializers.DateTimeField(source="end"),
            **super().get_fields(),
        }


class EventsQuery(QuerySerializer):
    key = serializers.UUIDField(required=False, help_text="Only calls of this API key")
    limit = serializers.IntegerField(default=PAGE, min_value=1, max_value=PAGE_MAX)
    cursor = serializers.UUIDField(required=False, help_text="Where the page starts, as found in `next`")

    def validate_cursor(self, cursor: Any) -> Any:
        if cursor.version != 7:
            raise serializers.ValidationError("Not a cursor: take it from `next`.")
        return cursor


class EventSerializer(serializers.Serializer[Any]):
    """One line of the request log."""

    event_id = serializers.UUIDField(help_text="The call's X-Request-Id")
    at = serializers.DateTimeField()
    key = serializers.UUIDField()
    project = serializers.UUIDField(allow_null=True)
    subscription = serializers.UUIDField(allow_null=True)
    api = serializers.UUIDField(allow_null=True)
    operation = serializers.CharField()
    method = serializers.CharField()
    status = serializers.IntegerField(help_text="499: the client left; 0: nothing was answered")
    problem = serializers.CharField(help_text="Our problem code; empty where the upstream answered")
    billable = serializers.BooleanField()
    test = serializers.BooleanField()
    console = serializers.BooleanField(help_text="Made by the portal's Run panel")
    count = serializers.IntegerField(help_text="More than one: refusals of one second, told together")
    bytes_in = serializers.IntegerField()
    bytes_out = serializers.IntegerField()
    latency_ms = serializers.IntegerField()
    upstream_ms = serializers.IntegerField()
    client_request_id = serializers.CharField()


class EventPageSerializer(serializers.Serializer[Any]):
    items = EventSerializer(many=True)
    next = serializers.URLField(allow_null=True)


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
