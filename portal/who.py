"""Who is looking: the signed-in person's organization, project and role, read once per request."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import Any, cast
from uuid import UUID

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render

from accounts import public as accounts
from portal.address import client_address

View = Callable[..., HttpResponseBase]

NOTED = "_member"  # on the request: read once


@dataclass(frozen=True)
class Member:
    """A person in the organization they work in: for now their first one and its Default project.

    The project is read when somebody asks: most pages do not.
    """

    user_id: UUID
    email: str
    role: str
    organization: accounts.OrganizationView
    actor: accounts.Actor

    @property
    def org(self) -> UUID:
        return self.organization.id

    @cached_property
    def project(self) -> accounts.ProjectView:
        """The oldest one, which every organization is made with."""
        return accounts.projects(self.org)[0]

    def may(self, permission: accounts.Permission) -> bool:
        return accounts.allows(self.role, permission)


class MemberRequest(HttpRequest):
    """A request behind `member_required`."""

    member: Member


def actor_of(request: HttpRequest, *, user: Any = None) -> accounts.Actor:
    """Who does it, as the audit log will say: the signed-in person, or `user` who is not signed in yet."""
    person = user or request.user
    return accounts.Actor("user", person.pk, person.get_username(), client_address(request))


def member_of(request: HttpRequest) -> Member | None:
    """The signed-in person's membership; None for visitors, and for people who belong nowhere."""
    if not hasattr(request, NOTED):
        setattr(request, NOTED, _read(request) if request.user.is_authenticated else None)
    return cast("Member | None", getattr(request, NOTED))


def _read(request: HttpRequest) -> Member | None:
    user_id = cast(UUID, request.user.pk)
    found = accounts.memberships_of(user_id)
    if not found:
        return None
    organization, role = found[0]
    return Member(user_id, request.user.get_username(), role, organization, actor_of(request))


def member_required(view: View) -> View:
    """Only for members: visitors are sent to sign in and come back; who belongs nowhere is shown the way in."""

    @wraps(view)
    def guarded(request: MemberRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        member = member_of(request)
        if member is None:
            return render(request, "portal/app/nowhere.html", status=403)
        request.member = member
        response = view(request, *args, **kwargs)
        response.headers.setdefault("Cache-Control", "no-store, private")
        return response

    return guarded


def demand(member: Member, permission: accounts.Permission) -> None:
    """Raises PermissionDenied, which becomes the 403 page."""
    if not member.may(permission):
        raise PermissionDenied
