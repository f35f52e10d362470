"""APIs, their versions, operations, servers and routes."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.public import Actor
from kit.django.admin import Admin, ReadOnlyAdmin
from kit.errors import ProblemError
from marketplace.actions.apis import create_api, publish_api, retire_api, suspend_api, update_api
from marketplace.actions.versions import (
    add_version,
    deprecate_version,
    replace_document,
    retire_version,
    set_route,
    set_upstream,
)
from marketplace.admin.verbs import Verb, WithVerbs, by
from marketplace.contract.document import read_contract
from marketplace.contract.errors import BadContract
from marketplace.models import Api, ApiState, Operation, Route, Upstream, Version, VersionState
from marketplace.upstreams import clean_base_url

_TEXTS = ("name", "summary", "category", "description_md", "visibility")


def _published(row: Api, actor: Actor, at: datetime) -> tuple[str, None]:
    return f"{publish_api(row.provider_id, id=row.id, actor=actor, at=at).name} is published.", None


def _suspended(row: Api, actor: Actor, at: datetime) -> tuple[str, None]:
    return f"{suspend_api(row.provider_id, id=row.id, actor=actor, at=at).name} is suspended.", None


def _retired(row: Api, actor: Actor, at: datetime) -> tuple[str, None]:
    return f"{retire_api(row.provider_id, id=row.id, actor=actor, at=at).name} is retired.", None


@admin.register(Api)
class ApiAdmin(WithVerbs):
    list_display = ("name", "slug", "provider", "category", "visibility", "state", "featured")
    list_select_related = ("provider",)
    list_filter = ("state", "visibility", "featured", "category")
    search_fields = ("name", "slug", "provider__name")
    autocomplete_fields = ("provider",)
    fields = ("provider", "slug", *_TEXTS, "featured", "pass_undeclared", "free_plan", "state", "rev", "verbs_here")
    readonly_fields = ("free_plan", "state", "rev", "verbs_here")
    verbs = {
        "publish": Verb("Publish", _published, lambda row: row.state in (ApiState.DRAFT, ApiState.SUSPENDED)),
        "suspend": Verb("Suspend", _suspended, lambda row: row.state == ApiState.PUBLISHED),
        "retire": Verb("Retire for good", _retired, lambda row: row.state in (ApiState.PUBLISHED, ApiState.SUSPENDED)),
    }

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return (*self.readonly_fields, *(("provider", "slug") if obj else ()))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Api]:
        return super().get_queryset(request).defer("search").select_related("provider", "free_plan")

    def save_model(self, request: HttpRequest, obj: Any, form: forms.Form, change: bool) -> None:
        texts = {name: str(getattr(obj, name)) for name in _TEXTS}
        flags = {"featured": obj.featured, "pass_undeclared": obj.pass_undeclared}
        if change:
            update_api(obj.provider_id, id=obj.id, texts=texts, **flags, **by(request))
        else:
            asked: dict[str, Any] = texts | flags | by(request)
            obj.id = create_api(obj.provider_id, slug=obj.slug, **asked).id


class VersionForm(forms.ModelForm):
    """A version is its document: pasted or uploaded, JSON or YAML."""

    openapi = forms.CharField(
        label="OpenAPI document",
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 18, "spellcheck": "false"}),
    )
    file = forms.FileField(label="… or as a file", required=False)

    class Meta:
        model = Version
        fields = ("api", "name", "base_path")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        upload = cleaned.get("file")
        cleaned["source"] = upload.read() if upload else cleaned.get("openapi") or ""
        if cleaned["source"]:
            self._read(cleaned)
        elif self.instance._state.adding:
            self.add_error("openapi", "Paste the document, or choose a file.")
        return cleaned

    def _read(self, cleaned: dict[str, Any]) -> None:
        """Say what is wrong beside the field, so that nothing typed is lost."""
        base_path = cleaned.get("base_path", self.instance.base_path)
        try:
            read_contract(cleaned["source"], base_path=base_path or (None if self.instance._state.adding else ""))
        except BadContract as bad:
            self.add_error("openapi", [error.message for error in bad.errors])


def _deprecated(row: Version, actor: Actor, at: datetime) -> tuple[str, None]:
    view = deprecate_version(row.api.provider_id, version_id=row.id, sunset_at=None, actor=actor, at=at)
    return f"{view.name} is deprecated.", None


def _switched_off(row: Version, actor: Actor, at: datetime) -> tuple[str, None]:
    return f"{retire_version(row.api.provider_id, version_id=row.id, actor=actor, at=at).name} is retired.", None


@admin.register(Version)
class VersionAdmin(WithVerbs):
    form = VersionForm
    list_display = ("api", "name", "base_path", "state", "sunset_at", "created_at")
    list_select_related = ("api",)
    list_filter = ("state",)
    search_fields = ("name", "api__slug", "api__name")
    autocomplete_fields = ("api",)
    fields = ("api", "name", "base_path", "openapi", "file", "state", "deprecated_at", "sunset_at", "verbs_here")
    readonly_fields = ("state", "deprecated_at", "sunset_at", "verbs_here")
    verbs = {
        "deprecate": Verb("Deprecate", _deprecated, lambda row: row.state == VersionState.ACTIVE),
        "retire": Verb("Retire", _switched_off, lambda row: row.state != VersionState.RETIRED),
    }

    def get_queryset(self, request: HttpRequest) -> QuerySet[Version]:
        return super().get_queryset(request).defer("document", "api__search").select_related("api")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return (*self.readonly_fields, *(("api", "name", "base_path") if obj else ()))

    def save_model(self, request: HttpRequest, obj: Any, form: forms.Form, change: bool) -> None:
        org, source = obj.api.provider_id, form.cleaned_data["source"]
        if change:
            if source:
                replace_document(org, version_id=obj.id, document=source, **by(request))
            return
        asked = {"api_id": obj.api_id, "name": obj.name, "base_path": obj.base_path or None, "document": source}
        obj.id = add_version(org, **asked, **by(request)).id


@admin.register(Operation)
class OperationAdmin(ReadOnlyAdmin):
    list_display = ("operation_id", "method", "path", "version", "tag", "summary", "deprecated")
    list_select_related = ("version__api",)
    list_filter = ("method", "deprecated")
    search_fields = ("operation_id", "path", "version__api__slug")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Operation]:
        rows = super().get_queryset(request).select_related("version__api")
        return rows.defer("version__document", "version__api__search")


class UpstreamForm(forms.ModelForm):
    """A server; its secret headers are written here and never shown again."""

    headers = forms.CharField(
        label="Headers sent with every call",
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "autocomplete": "off", "spellcheck": "false"}),
        help_text='One "Name: value" per line; stored sealed and not shown again. Empty keeps what is stored.',
    )

    class Meta:
        model = Upstream
        fields = ("api", "name", "base_url", "connect_s", "first_byte_s", "between_bytes_s")

    def clean_base_url(self) -> str:
        try:
            return clean_base_url(self.cleaned_data["base_url"])
        except ProblemError as refusal:
            raise forms.ValidationError([error.message for error in refusal.errors]) from refusal

    def clean_headers(self) -> list[tuple[str, str]] | None:
        lines = [line for line in self.cleaned_data["headers"].splitlines() if line.strip()]
        if any(":" not in line for line in lines):
            raise forms.ValidationError('One "Name: value" per line.')
        pairs = [line.split(":", 1) for line in lines]
        return [(name.strip(), value.strip()) for name, value in pairs] or None


@admin.register(Upstream)
class UpstreamAdmin(Admin):
    form = UpstreamForm
    list_display = ("name", "api", "base_url", "has_headers")
    list_select_related = ("api",)
    search_fields = ("name", "base_url", "api__slug")
    autocomplete_fields = ("api",)
    fields = ("api", "name", "base_url", "headers", "connect_s", "first_byte_s", "between_bytes_s")

    @admin.display(boolean=True, description="secret headers")
    def has_headers(self, row: Upstream) -> bool:
        return bool(row.secret_headers)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("api", "name") if obj else ()

    def save_model(self, request: HttpRequest, obj: Any, form: forms.Form, change: bool) -> None:
        seconds = {name: getattr(obj, name) for name in ("connect_s", "first_byte_s", "between_bytes_s")}
        asked = {
            "api_id": obj.api_id,
            "name": obj.name,
            "base_url": obj.base_url,
            "headers": form.cleaned_data["headers"],
        }
        obj.id = set_upstream(obj.api.provider_id, **asked, **seconds, **by(request))


@admin.register(Route)
class RouteAdmin(Admin):
    list_display = ("version", "environment", "upstream")
    list_select_related = ("version__api", "upstream")
    list_filter = ("environment",)
    search_fields = ("version__api__slug", "upstream__base_url")
    autocomplete_fields = ("version", "upstream")
    fields = ("version", "environment", "upstream")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Route]:
        rows = super().get_queryset(request).select_related("version__api", "upstream")
        return rows.defer("version__document", "version__api__search")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("version", "environment") if obj else ()

    def save_model(self, request: HttpRequest, obj: Any, form: forms.Form, change: bool) -> None:
        route = {"version_id": obj.version_id, "environment": obj.environment, "upstream_id": obj.upstream_id}
        set_route(obj.version.api.provider_id, **route, **by(request))
        obj.id = Route.objects.values_list("id", flat=True).get(version=obj.version_id, environment=obj.environment)
