"""Who, for other apps: people, organizations, projects, roles, tokens, and the audit log.

`org` is the organization's id. What is not there, or is another organization's, raises ProblemError not_found.
"""

from collections.abc import Iterator
from uuid import UUID

from accounts import people, queries
from accounts.actions.audit import record
from accounts.actions.members import mark_verified, remove_member, set_member
from accounts.actions.organizations import (
    create_organization,
    create_project,
    reinstate_organization,
    suspend_organization,
    update_organization,
)
from accounts.actions.tokens import issue_token, revoke_token
from accounts.mapping import member_view, organization_view, project_view, token_view
from accounts.permissions import MATRIX, PERMISSIONS, Permission, allows
from accounts.rest.view import RestView
from accounts.values import Actor, MemberView, OrganizationView, Principal, ProjectView, TokenView

__all__ = [
    "MATRIX",
    "PERMISSIONS",
    "Actor",
    "MemberView",
    "OrganizationView",
    "Permission",
    "Principal",
    "ProjectView",
    "RestView",
    "TokenView",
    "allows",
    "create_organization",
    "create_project",
    "every_organization",
    "issue_token",
    "mark_verified",
    "members",
    "memberships_of",
    "organization",
    "organizations_of",
    "project",
    "projects",
    "record",
    "reinstate_organization",
    "remove_member",
    "revoke_token",
    "role_of",
    "set_member",
    "suspend_organization",
    "tokens",
    "update_organization",
]


def organization(org: UUID) -> OrganizationView:
    return organization_view(queries.organization(org))


def every_organization() -> Iterator[OrganizationView]:
    """All of them, read while they are consumed: for the directory."""
    return (organization_view(row) for row in people.every_organization().iterator(chunk_size=500))


def organizations_of(user_id: UUID) -> tuple[OrganizationView, ...]:
    """Where a person belongs, oldest membership first."""
    return tuple(organization_view(row) for row in people.organizations_of(user_id))


def memberships_of(user_id: UUID) -> tuple[tuple[OrganizationView, str], ...]:
    """Where a person belongs and in which role, oldest membership first."""
    rows = people.memberships_of(user_id)
    return tuple((organization_view(row), row.role) for row in rows)  # type: ignore[attr-defined]  # annotated


def projects(org: UUID) -> tuple[ProjectView, ...]:
    """Oldest first: the first is the Default project."""
    return tuple(project_view(row) for row in queries.projects(org).order_by("id"))


def project(org: UUID, *, id: UUID) -> ProjectView:
    return project_view(queries.project(org, id=id))


def members(org: UUID) -> tuple[MemberView, ...]:
    return tuple(member_view(row) for row in queries.members(org))


def role_of(org: UUID, *, user_id: UUID) -> str | None:
    """A member's role; None: no member (or a switched-off account)."""
    return queries.role_of(org, user_id=user_id)


def tokens(org: UUID) -> tuple[TokenView, ...]:
    """Newest first."""
    return tuple(token_view(row) for row in queries.tokens(org).order_by("-id"))
