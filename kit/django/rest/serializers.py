"""Serializers that refuse what they do not know, instead of dropping it in silence."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers


class Strict:
    """Mix in before a serializer: an unknown or read-only field in the input is an error of that field."""

    def to_internal_value(self, data: Any) -> Any:
        refused = self._refused(data) if isinstance(data, Mapping) else {}
        try:
            value = super().to_internal_value(data)  # type: ignore[misc]
        except serializers.ValidationError as error:
            raise serializers.ValidationError({**refused, **error.detail}) from error  # type: ignore[dict-item]
        if refused:
            raise serializers.ValidationError(refused)
        return value

    def _refused(self, data: Mapping[str, Any]) -> dict[str, list[str]]:
        known = self.fields  # type: ignore[attr-defined]  # the serializer's
        return {
            name: ["This field is set by the server." if name in known else "There is no such field."]
            for name in data
            if name not in known or known[name].read_only
        }


class StrictSerializer(Strict, serializers.Serializer[Any]):
    """A plain serializer that is strict."""


class StrictModelSerializer(Strict, serializers.ModelSerializer[Any]):
    """A model's serializer that is strict."""
