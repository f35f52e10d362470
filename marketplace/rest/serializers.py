"""The JSON of the marketplace. What is answered is read from the frozen values, so REST and pages say the same."""

from typing import Any

from rest_framework import serializers

from kit.django.rest import StrictSerializer
from marketplace.actions.keys import OVERLAPS


class PageQuery(StrictSerializer):
    """The query string of every list: `limit` and `cursor` are the pagination's."""

    limit = serializers.CharField(required=False)
    cursor = serializers.CharField(required=False)


class ApisQuery(PageQuery):
    q = serializers.CharField(required=False, default="", allow_blank=True, help_text="Words to look for")
    category = serializers.CharField(required=False, default="", allow_blank=True)


class OfApiQuery(PageQuery):
    api = serializers.CharField(required=False, help_text="Only of the API with this slug")


class OfProjectQuery(PageQuery):
    project = serializers.UUIDField(required=False, help_text="Only of this project")


class NamedVersionSerializer(StrictSerializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    base_path = serializers.CharField()
    state = serializers.CharField()
    deprecated_at = serializers.DateTimeField(allow_null=True)
    sunset_at = serializers.DateTimeField(allow_null=True)
    live = serializers.BooleanField(help_text="It has a server for live keys")
    sandbox = serializers.BooleanField(help_text="It has a server for test keys")


class ApiSerializer(StrictSerializer):
    id = serializers.UUIDField()
    slug = serializers.CharField()
    name = serializers.CharField()
    summary = serializers.CharField()
    description_md = serializers.CharField()
    category = serializers.CharField()
    visibility = serializers.CharField()
    state = serializers.CharField()
    featured = serializers.BooleanField()
    provider = serializers.CharField(source="provider_name")
    pass_undeclared = serializers.BooleanField()
    free_plan = serializers.CharField(allow_null=True)
    price = serializers.CharField(help_text="The cheapest way in, as one sentence")
    operations = serializers.IntegerField()
    versions = NamedVersionSerializer(many=True)


class OperationSerializer(StrictSerializer):
    id = serializers.UUIDField()
    operation_id = serializers.CharField()
    method = serializers.CharField()
    path = serializers.CharField(source="full_path", help_text="What follows the gateway's address")
    tag = serializers.CharField()
    summary = serializers.CharField()
    deprecated = serializers.BooleanField()


class VersionSerializer(NamedVersionSerializer):
    api = serializers.CharField(help_text="The API's slug")


class WholeVersionSerializer(VersionSerializer):
    operations = OperationSerializer(many=True)
    document = serializers.DictField(help_text="The OpenAPI document as it was given")


class PriceSerializer(StrictSerializer):
    name = serializers.CharField()
    kind = serializers.CharField()
    meter = serializers.CharField()
    filters = serializers.DictField()
    config = serializers.DictField(help_text="The fields of its kind; amounts are text")
    sentence = serializers.CharField()


class LimitSerializer(StrictSerializer):
    id = serializers.CharField()
    kind = serializers.CharField()
    name = serializers.CharField()
    amount = serializers.IntegerField()
    meter = serializers.CharField()
    window = serializers.CharField()
    hard = serializers.BooleanField()
    refill = serializers.IntegerField()
    refill_ms = serializers.IntegerField()
    per = serializers.CharField()
    refusal = serializers.CharField()
    sentence = serializers.CharField()


class PlanVersionSerializer(StrictSerializer):
    id = serializers.UUIDField()
    number = serializers.IntegerField()
    state = serializers.CharField()
    published_at = serializers.DateTimeField(allow_null=True)
    currency = serializers.CharField()
    interval = serializers.CharField()
    rounding = serializers.CharField()
    free = serializers.BooleanField()
    prices = PriceSerializer(many=True)
    limits = LimitSerializer(many=True)


class PlanSerializer(StrictSerializer):
    id = serializers.UUIDField()
    slug = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
    state = serializers.CharField()
    apis = serializers.ListField(child=serializers.CharField(), source="api_slugs")
    version = PlanVersionSerializer(allow_null=True, help_text="The newest published one")


class PeriodSerializer(StrictSerializer):
    id = serializers.UUIDField()
    start_at = serializers.DateTimeField()
    end_at = serializers.DateTimeField()


class SubscriptionSerializer(StrictSerializer):
    id = serializers.UUIDField()
    project = serializers.UUIDField(source="project_id")
    state = serializers.CharField()
    plan = serializers.CharField(source="version.plan_slug")
    plan_version = serializers.IntegerField(source="version.number")
    apis = serializers.ListField(child=serializers.CharField(), source="api_slugs")
    started_at = serializers.DateTimeField()
    zone = serializers.CharField()
    anchor_day = serializers.IntegerField()
    period = PeriodSerializer()
    change_at = serializers.DateTimeField(allow_null=True)
    cancelled_at = serializers.DateTimeField(allow_null=True)


class SubscribeSerializer(StrictSerializer):
    api = serializers.CharField(max_length=60, help_text="The API's slug")
    plan = serializers.CharField(max_length=60, required=False, help_text="A free plan's slug; default: the API's own")
    project = serializers.UUIDField(required=False, help_text="Default: the organization's first project")


class KeySerializer(StrictSerializer):
    id = serializers.UUIDField()
    project = serializers.UUIDField(source="project_id")
    name = serializers.CharField()
    kind = serializers.CharField()
    prefix = serializers.CharField()
    last4 = serializers.CharField()
    state = serializers.CharField()
    scopes = serializers.ListField(child=serializers.CharField())
    allowed_ips = serializers.ListField(child=serializers.CharField())
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    last_used_at = serializers.DateTimeField(allow_null=True)
    revoked_at = serializers.DateTimeField(allow_null=True)
    replaces = serializers.UUIDField(allow_null=True)


class MintedKeySerializer(KeySerializer):
    """A key as it is answered once."""

    secret = serializers.CharField(allow_null=True, help_text="Shown once; null in a replay")
    replayed = serializers.BooleanField(required=False)


class CreateKeySerializer(StrictSerializer):
    name = serializers.CharField(max_length=80)
    kind = serializers.ChoiceField(choices=["live", "test"], default="live")
    project = serializers.UUIDField(required=False, help_text="Default: the organization's first project")
    scopes = serializers.ListField(child=serializers.CharField(max_length=200), default=["*"])
    allowed_ips = serializers.ListField(child=serializers.CharField(max_length=50), default=[])
    expires_at = serializers.DateTimeField(required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs.setdefault("expires_at", None)
        return attrs


class RenameKeySerializer(StrictSerializer):
    name = serializers.CharField(max_length=80)


class RollKeySerializer(StrictSerializer):
    overlap = serializers.ChoiceField(
        choices=list(OVERLAPS), default="24h", help_text="How long the old key goes on working"
    )


class RevealedSerializer(StrictSerializer):
    id = serializers.UUIDField()
    secret = serializers.CharField()
