"""The JSON of accounts."""

from typing import Any

from rest_framework import serializers

from accounts.models import AuditEvent, ManagementToken, Organization, Project
from kit.django.rest import StrictModelSerializer, StrictSerializer


class OrganizationSerializer(StrictModelSerializer):
    class Meta:
        model = Organization
        fields = ("id", "name", "slug", "state", "zone", "created_at")
        read_only_fields = ("id", "slug", "state", "created_at")


class ProjectSerializer(StrictModelSerializer):
    class Meta:
        model = Project
        fields = ("id", "name", "slug", "created_at")
        read_only_fields = ("id", "slug", "created_at")


class TokenSerializer(StrictModelSerializer):
    class Meta:
        model = ManagementToken
        fields: tuple[str, ...] = (
            "id",
            "name",
            "user_id",
            "last4",
            "created_at",
            "expires_at",
            "revoked_at",
            "last_used_at",
        )
        read_only_fields = ("id", "user_id", "last4", "created_at", "revoked_at", "last_used_at")


class IssuedTokenSerializer(TokenSerializer):
    """A token as it is answered once."""

    secret = serializers.CharField(read_only=True, allow_null=True, help_text="Shown once; null in a replay")
    replayed = serializers.BooleanField(read_only=True, required=False)

    class Meta(TokenSerializer.Meta):
        fields = (*TokenSerializer.Meta.fields, "secret", "replayed")


class ActorSerializer(StrictSerializer):
    kind = serializers.CharField(source="actor_kind")
    id = serializers.UUIDField(source="actor_id", allow_null=True)
    label = serializers.CharField(source="actor_label")  # type: ignore[assignment]  # a field of this name
    ip = serializers.CharField(allow_null=True)


class TargetSerializer(StrictSerializer):
    kind = serializers.CharField(source="target_kind")
    id = serializers.UUIDField(source="target_id", allow_null=True)
    label = serializers.CharField(source="target_label")  # type: ignore[assignment]


class AuditEventSerializer(StrictModelSerializer):
    actor = ActorSerializer(source="*", read_only=True)
    target = TargetSerializer(source="*", read_only=True)
    before = serializers.DictField(read_only=True)
    after = serializers.DictField(read_only=True)

    class Meta:
        model = AuditEvent
        fields = ("id", "at", "action", "actor", "target", "before", "after")
        read_only_fields = fields


class PersonSerializer(StrictSerializer):
    id = serializers.UUIDField()
    email = serializers.EmailField()
    name = serializers.CharField()
    verified = serializers.SerializerMethodField()

    def get_verified(self, row: Any) -> bool:
        return row.email_verified_at is not None


class MeSerializer(StrictSerializer):
    """Whom the token speaks for."""

    user = PersonSerializer()
    organization = OrganizationSerializer()
    role = serializers.CharField()
    permissions = serializers.ListField(child=serializers.CharField())
    token_id = serializers.UUIDField()
