"""People and organizations for tests: Alice owns Acme, Bob develops there, Mallory owns Evil and is nobody here."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from accounts.models import User
from accounts.public import Actor, create_organization, issue_token, set_member

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ROOT = Actor("system", None, "tests")

told: list[tuple[str, dict[str, Any]]] = []  # what the directory's handler was given


def take(key: str, payload: dict[str, Any]) -> None:
    told.append((key, payload))


def refuse(key: str, payload: dict[str, Any]) -> None:
    raise ConnectionError("the directory is away")


def person(email: str, **fields: Any) -> User:
    return User.objects.create_user(email, **fields)  # no password: hashing one takes its time


@dataclass(frozen=True)
class Tenant:
    org: UUID
    project: UUID
    owner: User
    token: str
    token_id: UUID


def tenant(name: str, email: str) -> Tenant:
    """An organization with its owner and a token of theirs."""
    owner = person(email)
    organization, project = create_organization(owner_id=owner.id, name=name, zone="UTC", actor=ROOT, at=NOW)
    token, secret = issue_token(organization.id, user_id=owner.id, name="laptop", actor=ROOT, at=NOW)
    return Tenant(organization.id, project.id, owner, secret, token.id)


def member(org: UUID, email: str, role: str) -> tuple[User, str]:
    """A person with a role here, and a token of theirs."""
    user = person(email)
    set_member(org, user_id=user.id, role=role, actor=ROOT, at=NOW)
    return user, issue_token(org, user_id=user.id, name=role, actor=ROOT, at=NOW)[1]
