"""The one place where a row becomes the frozen value that other apps see."""

from accounts.models import ManagementToken, Membership, Organization, Project
from accounts.values import MemberView, OrganizationView, ProjectView, TokenView


def organization_view(row: Organization) -> OrganizationView:
    """Map a row of `queries.organization` or `people.organizations_of`, which carry `verified`."""
    return OrganizationView(
        id=row.id,
        name=row.name,
        slug=row.slug,
        state=row.state,
        zone=row.zone,
        rev=row.rev,
        verified=row.verified,  # type: ignore[attr-defined]  # annotated
        created_at=row.created_at,
    )


def project_view(row: Project) -> ProjectView:
    return ProjectView(
        id=row.id, organization_id=row.organization_id, name=row.name, slug=row.slug, created_at=row.created_at
    )


def member_view(row: Membership) -> MemberView:
    """Map a membership with its user joined."""
    return MemberView(
        user_id=row.user_id,
        email=row.user.email,
        name=row.user.name,
        role=row.role,
        verified=row.user.email_verified_at is not None,
    )


def token_view(row: ManagementToken) -> TokenView:
    return TokenView(
        id=row.id,
        organization_id=row.organization_id,
        user_id=row.user_id,
        name=row.name,
        last4=row.last4,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
    )
