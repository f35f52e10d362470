"""What a tenant may read: every query takes the organization first, and answers rows of no other.

Inside accounts they answer rows and QuerySets; other apps get frozen values through `public`.
"""

from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import AuditEvent, ManagementToken, Membership, Organization, Project
from kit.errors import ProblemError

VERIFIED = Exists(
    Membership.objects.filter(
        organization=OuterRef("pk"), role=Membership.Role.OWNER, user__email_verified_at__isnull=False
    )
)


def organization(org: UUID) -> Organization:
    """The organization, with `verified` beside it. Raises ProblemError not_found."""
    row = Organization.objects.filter(id=org).annotate(verified=VERIFIED).first()
    if row is None:
        raise ProblemError("not_found")
    return row


def projects(org: UUID) -> QuerySet[Project]:
    return Project.objects.filter(organization=org)


def project(org: UUID, *, id: UUID) -> Project:
    """Raises ProblemError not_found, also for another organization's project."""
    row = projects(org).filter(id=id).first()
    if row is None:
        raise ProblemError("not_found")
    return row


def members(org: UUID) -> QuerySet[Membership]:
    return Membership.objects.filter(organization=org).select_related("user")


def role_of(org: UUID, *, user_id: UUID) -> str | None:
    """The role of an active person here; None: not a member."""
    return members(org).filter(user=user_id, user__is_active=True).values_list("role", flat=True).first()


def tokens(org: UUID) -> QuerySet[ManagementToken]:
    return ManagementToken.objects.filter(organization=org)


def token(org: UUID, *, id: UUID) -> ManagementToken:
    """Raises ProblemError not_found, also for another organization's token."""
    row = tokens(org).filter(id=id).first()
    if row is None:
        raise ProblemError("not_found")
    return row


def audit_events(org: UUID) -> QuerySet[AuditEvent]:
    return AuditEvent.objects.filter(organization_id=org)
