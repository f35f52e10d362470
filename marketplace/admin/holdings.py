"""What customers hold: subscriptions and keys. Looked at here, ended or revoked; never edited."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from kit.django.admin import ReadOnlyAdmin
from marketplace.actions.keys import revoke_key
from marketplace.actions.subscriptions import cancel_subscription
from marketplace.admin.verbs import by
from marketplace.models import ApiKey, Subscription, SubscriptionApi


class CoverInline(admin.TabularInline):
    model = SubscriptionApi
    fields = readonly_fields = ("api", "live")
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[SubscriptionApi]:
        return super().get_queryset(request).select_related("api", "subscription__plan_version__plan")


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnlyAdmin):
    list_display = (
        "id",
        "organization",
        "project",
        "plan_version",
        "state",
        "started_at",
        "period_end_at",
        "change_at",
    )
    list_select_related = ("organization", "project", "plan_version__plan")
    list_filter = ("state",)
    search_fields = ("id", "organization__name", "organization__slug", "plan_version__plan__slug")
    fields = (
        *("id", "organization", "project", "plan_version", "state", "started_at", "zone", "anchor_day"),
        *("period_start_at", "period_end_at", "change_at", "next_version", "cancelled_at", "free_holder", "rev"),
    )
    inlines = (CoverInline,)
    actions = ("cancel",)

    @admin.action(description="Cancel (free plans: at the end of the period)", permissions=["cancel"])
    def cancel(self, request: HttpRequest, rows: QuerySet[Subscription]) -> None:
        self.each(
            request,
            rows,
            lambda row: cancel_subscription(row.organization_id, id=row.id, **by(request)),
            done="Cancelled at the end of the period",
        )

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("marketplace.change_subscription"))


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    list_display = ("prefix", "last4", "name", "organization", "project", "kind", "state", "expires_at")
    list_select_related = ("organization", "project")
    list_filter = ("state", "kind")
    search_fields = ("id", "prefix", "last4", "name", "organization__name", "organization__slug")
    fields = (
        *("id", "organization", "project", "name", "kind", "prefix", "last4", "state", "scopes", "allowed_ips"),
        *("created_at", "created_by", "expires_at", "revoked_at", "replaces", "rev"),
    )
    actions = ("revoke",)

    @admin.action(description="Revoke", permissions=["revoke"])
    def revoke(self, request: HttpRequest, rows: QuerySet[ApiKey]) -> None:
        self.each(request, rows, lambda row: revoke_key(row.organization_id, id=row.id, **by(request)), done="Revoked")

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("marketplace.change_apikey"))
