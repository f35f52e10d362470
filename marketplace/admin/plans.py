"""Plans: what they are called and cover. What they cost is edited in their versions."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html

from marketplace.actions.plan_versions import Terms, new_version
from marketplace.actions.plans import create_plan, retire_plan, update_plan
from marketplace.admin.verbs import Verb, WithVerbs, by
from marketplace.models import Plan, PlanState, PlanVersion


class VersionInline(admin.TabularInline):
    """The plan's versions, each a link to its editor."""

    model = PlanVersion
    fields = readonly_fields = ("link", "state", "published_at", "currency", "free")
    extra = 0
    can_delete = False
    ordering = ("-number",)

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[PlanVersion]:
        return super().get_queryset(request).select_related("plan")

    @admin.display(description="version")
    def link(self, row: PlanVersion) -> str:
        url = reverse("admin:marketplace_planversion_change", args=[row.pk])
        return format_html('<a href="{}">Version {}</a>', url, row.number)


class PlanForm(forms.ModelForm):
    given_to_new = forms.BooleanField(
        required=False, label="Given to new accounts", help_text="Its versions must be free"
    )

    class Meta:
        model = Plan
        fields = ("slug", "name", "description", "apis", "visibility", "family", "position", "once_per_person")


@admin.register(Plan)
class PlanAdmin(WithVerbs):
    form = PlanForm
    list_display = ("name", "slug", "covers", "visibility", "state", "position")
    list_filter = ("state", "visibility")
    search_fields = ("name", "slug", "apis__slug")
    filter_horizontal = ("apis",)
    fields = (
        *("slug", "name", "description", "apis", "visibility", "family", "position", "once_per_person"),
        *("given_to_new", "state", "verbs_here"),
    )
    readonly_fields = ("state", "verbs_here")
    inlines = (VersionInline,)
    verbs = {
        "new-version": Verb(
            "New version",
            lambda row, actor, at: (
                "This draft is a copy of the newest version.",
                PlanVersion(id=new_version(row.id, actor=actor, at=at).id),
            ),
            lambda row: row.state == PlanState.ACTIVE,
        ),
        "retire": Verb(
            "Retire (no new subscriptions)",
            lambda row, actor, at: (
                retire_plan(row.id, actor=actor, at=at) or f"{row.name} takes no new subscriptions.",
                None,
            ),
            lambda row: row.state == PlanState.ACTIVE,
        ),
    }

    def get_queryset(self, request: HttpRequest) -> QuerySet[Plan]:
        return super().get_queryset(request).prefetch_related("apis")

    @admin.display(description="APIs")
    def covers(self, row: Plan) -> str:
        return ", ".join(api.slug for api in row.apis.all())

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [name for name in self.fields if not (obj and name == "given_to_new")]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return (*self.readonly_fields, *(("slug", "apis", "family", "once_per_person") if obj else ()))

    def save_model(self, request: HttpRequest, obj: Any, form: forms.Form, change: bool) -> None:
        shown = {name: getattr(obj, name) for name in ("name", "description", "visibility", "position")}
        if change:
            update_plan(obj.id, **shown, **by(request))
            return
        more = {name: form.cleaned_data[name] for name in ("slug", "family", "once_per_person", "given_to_new")}
        apis = [api.id for api in form.cleaned_data["apis"]]
        obj.draft = create_plan(api_ids=apis, terms=Terms(), **shown, **more, **by(request))
        obj.id = obj.draft.plan_id

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """`save_model` did it all: the APIs are the action's, and versions are edited on their own pages."""

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        return super().construct_change_message(request, form, [], add)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> HttpResponse:
        self.message_user(request, f"{obj.name} is there; now say what its first version costs and allows.")
        return HttpResponseRedirect(reverse("admin:marketplace_planversion_change", args=[obj.draft.id]))
