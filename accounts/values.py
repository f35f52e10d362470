"""What crosses to other apps: frozen values, never a model."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

ActorKind = Literal["user", "token", "admin", "system"]


@dataclass(frozen=True)
class Actor:
    """Who does something, as the audit log will remember it; `label` is the e-mail address or the command."""

    kind: ActorKind
    id: UUID | None
    label: str
    ip: str | None = None


@dataclass(frozen=True)
class OrganizationView:
    id: UUID
    name: str
    slug: str
    state: str  # active | suspended
    zone: str  # IANA
    rev: int
    verified: bool  # one of its owners has a verified e-mail address
    created_at: datetime


@dataclass(frozen=True)
class ProjectView:
    id: UUID
    organization_id: UUID
    name: str
    slug: str
    created_at: datetime


@dataclass(frozen=True)
class MemberView:
    user_id: UUID
    email: str
    name: str
    role: str
    verified: bool


@dataclass(frozen=True)
class TokenView:
    id: UUID
    organization_id: UUID
    user_id: UUID
    name: str
    last4: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True)
class Principal:
    """Who a management token speaks for: `request.auth` of every REST call."""

    org: UUID
    user_id: UUID
    role: str
    token_id: UUID
    actor: Actor
    suspended: bool = False  # of the organization: it may read, not write

    @property
    def scope(self) -> str:
        """Whose Idempotency-Keys these are: a person's in an organization, whatever the token."""
        return f"{self.org}:{self.user_id}"
