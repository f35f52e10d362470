"""Operators' pages of accounts. Every write is an action, so it is audited and the gateway learns of it."""

from typing import Any

import allauth.account.admin
import allauth.mfa.admin
import django.contrib.auth.admin
from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.forms import Form, ModelChoiceField, ModelForm
from django.http import HttpRequest
from django.utils import timezone
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from accounts import operators
from accounts.actions.audit import record
from accounts.actions.members import mark_verified, remove_member, set_member
from accounts.actions.organizations import (
    create_organization,
    create_project,
    reinstate_organization,
    suspend_organization,
    update_organization,
)
from accounts.actions.tokens import revoke_token
from accounts.models import AuditEvent, ManagementToken, Membership, Organization, Project, User
from accounts.values import Actor
from kit.django.admin import Admin, ReadOnlyAdmin
from kit.django.rest import address_of

admin.site.has_permission = operators.may_enter  # type: ignore[method-assign]
admin.site.login = operators.sign_in  # type: ignore[method-assign]

# Imported here, these have registered their pages by now: ours, without secrets, take the place of some.
_FOREIGN = (django.contrib.auth.admin, allauth.account.admin, allauth.mfa.admin)
for model in (Group, EmailAddress, EmailConfirmation, Authenticator):
    if admin.site.is_registered(model):
        admin.site.unregister(model)


def actor_of(request: HttpRequest) -> Actor:
    """The operator behind an admin request, for the audit log."""
    return Actor("admin", request.user.pk, str(request.user), address_of(request))


class NewUserForm(UserCreationForm):
    class Meta:
        model = User
        fields = ("email", "name")
        field_classes: dict[str, Any] = {}

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()


@admin.register(User)
class UserAdmin(django.contrib.auth.admin.UserAdmin, Admin):  # type: ignore[misc]
    """People. An address is changed by its owner, in the portal."""

    form = UserChangeForm
    add_form = NewUserForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("email", "name", "is_active", "is_staff", "email_verified_at", "created_at")
    list_filter = ("is_active", "is_staff", "is_superuser")
    search_fields = ("email", "name")
    ordering = ("-pk",)
    readonly_fields = ("email_verified_at", "last_login", "created_at")
    filter_horizontal = ("user_permissions",)
    add_fieldsets: Any = ((None, {"fields": ("email", "name", "usable_password", "password1", "password2")}),)
    fieldsets = (
        (None, {"fields": ("email", "name", "password")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser", "user_permissions")}),
        ("Seen", {"fields": ("email_verified_at", "last_login", "created_at")}),
    )
    actions = ("mark_as_verified",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return (*self.readonly_fields, "email") if obj else self.readonly_fields

    def save_model(self, request: HttpRequest, obj: Any, form: Form, change: bool) -> None:
        super().save_model(request, obj, form, change)
        changed = {name: form.cleaned_data[name] for name in form.changed_data if name in _TOLD}
        record(
            actor=actor_of(request),
            action="user.updated" if change else "user.created",
            target_kind="user",
            target_id=obj.id,
            target_label=obj.email,
            organization_id=None,
            after=changed,
            at=timezone.now(),
        )

    @admin.action(description="Mark e-mail as verified", permissions=["change"])
    def mark_as_verified(self, request: HttpRequest, rows: QuerySet[User]) -> None:
        actor, at = actor_of(request), timezone.now()
        self.each(request, rows, lambda row: mark_verified(row.id, actor=actor, at=at), done="Verified")


_TOLD = frozenset({"name", "is_active", "is_staff", "is_superuser"})


class NewOrganizationForm(ModelForm):
    owner = ModelChoiceField(queryset=User.objects.all())

    class Meta:
        model = Organization
        fields = ("name", "zone")


@admin.register(Organization)
class OrganizationAdmin(Admin):
    list_display = ("name", "slug", "state", "zone", "created_at")
    list_filter = ("state",)
    search_fields = ("name", "slug", "memberships__user__email")
    readonly_fields = ("id", "slug", "state", "rev", "created_at")
    fields = ("name", "zone", *readonly_fields)
    actions = ("suspend", "reinstate")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, **kwargs | ({} if obj else {"form": NewOrganizationForm}))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields if obj else ("name", "zone", "owner")

    def save_model(self, request: HttpRequest, obj: Any, form: Form, change: bool) -> None:
        asked: dict[str, Any] = {"name": obj.name, "zone": obj.zone, "actor": actor_of(request), "at": timezone.now()}
        if change:
            update_organization(obj.id, **asked)
        else:
            made, _ = create_organization(owner_id=form.cleaned_data["owner"].id, **asked)
            obj.id, obj.slug = made.id, made.slug

    @admin.action(description="Suspend: refuse all calls", permissions=["change"])
    def suspend(self, request: HttpRequest, rows: QuerySet[Organization]) -> None:
        actor, at = actor_of(request), timezone.now()
        self.each(request, rows, lambda row: suspend_organization(row.id, actor=actor, at=at), done="Suspended")

    @admin.action(description="Reinstate", permissions=["change"])
    def reinstate(self, request: HttpRequest, rows: QuerySet[Organization]) -> None:
        actor, at = actor_of(request), timezone.now()
        self.each(request, rows, lambda row: reinstate_organization(row.id, actor=actor, at=at), done="Reinstated")


@admin.register(Project)
class ProjectAdmin(Admin):
    list_display = ("name", "organization", "slug", "created_at")
    list_select_related = ("organization",)
    search_fields = ("name", "slug", "organization__name")
    autocomplete_fields = ("organization",)
    fields = ("organization", "name")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Form, change: bool) -> None:
        made = create_project(obj.organization_id, name=obj.name, actor=actor_of(request), at=timezone.now())
        obj.id, obj.slug = made.id, made.slug


@admin.register(Membership)
class MembershipAdmin(Admin):
    list_display = ("user", "organization", "role", "created_at")
    list_filter = ("role",)
    list_select_related = ("user", "organization")
    search_fields = ("user__email", "organization__name")
    autocomplete_fields = ("organization", "user")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("accounts.delete_membership"))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("organization", "user") if obj else ()

    def save_model(self, request: HttpRequest, obj: Any, form: Form, change: bool) -> None:
        actor, at = actor_of(request), timezone.now()
        set_member(obj.organization_id, user_id=obj.user_id, role=obj.role, actor=actor, at=at)
        obj.id = Membership.objects.values_list("id", flat=True).get(organization=obj.organization_id, user=obj.user_id)

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        remove_member(obj.organization_id, user_id=obj.user_id, actor=actor_of(request), at=timezone.now())


@admin.register(ManagementToken)
class ManagementTokenAdmin(ReadOnlyAdmin):
    list_display = ("name", "last4", "organization", "user", "expires_at", "revoked_at", "last_used_at")
    list_select_related = ("organization", "user")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter),)
    search_fields = ("name", "last4", "organization__name", "user__email")
    fields = ("id", "name", "last4", "organization", "user", "created_at", "expires_at", "revoked_at", "last_used_at")
    actions = ("revoke",)

    @admin.action(description="Revoke", permissions=["revoke"])
    def revoke(self, request: HttpRequest, rows: QuerySet[ManagementToken]) -> None:
        actor, at = actor_of(request), timezone.now()
        self.each(
            request, rows, lambda row: revoke_token(row.organization_id, id=row.id, actor=actor, at=at), done="Revoked"
        )

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("accounts.change_managementtoken"))


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ("at", "actor_label", "action", "target_kind", "target_label", "organization_id", "ip")
    list_filter = ("actor_kind", "target_kind")
    search_fields = ("actor_label", "action", "target_label", "organization_id")


@admin.register(EmailAddress)
class EmailAddressAdmin(ReadOnlyAdmin):
    list_display = ("email", "user", "primary", "verified")
    list_select_related = ("user",)
    search_fields = ("email",)


@admin.register(Authenticator)
class AuthenticatorAdmin(ReadOnlyAdmin):
    """Second factors; their secrets stay unseen. Deleting one lets its owner in without it."""

    list_display = ("user", "type", "created_at", "last_used_at")
    list_select_related = ("user",)
    search_fields = ("user__email",)
    fields = list_display

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("mfa.delete_authenticator"))
