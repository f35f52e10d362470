"""The demo's people and their organizations, made by the same actions that sign-up uses."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from django.contrib.auth import get_user_model
from django.db import transaction

from accounts import public as accounts
from accounts.public import Actor, OrganizationView, ProjectView

ACTOR = Actor("system", None, "demo seed")


@dataclass(frozen=True)
class Person:
    role: str  # the name in demo.json
    email: str
    name: str
    organization: str = ""  # "": belongs to none
    staff: bool = False


PEOPLE = (
    Person("admin", "admin@tollgate.example", "Ada Admin", staff=True),
    Person("provider", "provider@tollgate.example", "Pia Provider", "World Data"),
    Person("developer", "developer@tollgate.example", "Dev Developer", "Lighthouse Travel"),
    Person("other", "other@tollgate.example", "Otto Other", "Somebody Else"),
)


@transaction.atomic
def settle(person: Person, known: dict[str, Any], *, at: datetime) -> dict[str, Any]:
    """Make sure that a person is there, verified, with organization and token; return what demo.json says of them.

    `known` is what it said last time: a password or token that is still good stays.
    """
    user, password = _user(person, known.get("password", ""))
    accounts.mark_verified(user.id, actor=ACTOR, at=at)
    told = {"email": person.email, "password": password}
    if not person.organization:
        return told | {"totp": known.get("totp")}
    org = _organization(person, user.id, at=at)
    return told | {"org": str(org.id), "token": _token(org.id, user.id, known.get("token", ""), at=at)}


def are_settled() -> bool:
    """Whether everybody is there: the notes of the seed may be older than the database."""
    emails = [person.email for person in PEOPLE]
    return get_user_model().objects.filter(email__in=emails).count() == len(emails)


def organizations() -> list[UUID]:
    """The organizations of everybody who has one."""
    return [org.id for person in PEOPLE if person.organization for org in accounts.organizations_of(user_id(person))]


def user_id(person: Person) -> UUID:
    return get_user_model().objects.get_by_natural_key(person.email).id


def project(org: UUID, *, name: str, at: datetime) -> ProjectView:
    """The organization's project of that name, made if it is not there."""
    found = next((project for project in accounts.projects(org) if project.name == name), None)
    return found or accounts.create_project(org, name=name, actor=ACTOR, at=at)


def _user(person: Person, password: str) -> tuple[Any, str]:
    users = get_user_model().objects
    user = users.filter(email__iexact=person.email).first()
    if user is None:
        password = secrets.token_urlsafe(12)
        create = users.create_superuser if person.staff else users.create_user
        user = create(person.email, password, name=person.name)
    elif not (password and user.check_password(password)):
        password = secrets.token_urlsafe(12)
        user.set_password(password)
        user.save(update_fields=["password"])
    EmailAddress.objects.update_or_create(user=user, email=person.email, defaults={"verified": True, "primary": True})
    return user, password


def _organization(person: Person, owner_id: UUID, *, at: datetime) -> OrganizationView:
    for org in accounts.organizations_of(owner_id):
        return org
    org, _ = accounts.create_organization(owner_id=owner_id, name=person.organization, zone="UTC", actor=ACTOR, at=at)
    return org


def _token(org: UUID, user: UUID, secret: str, *, at: datetime) -> str:
    """The token of last time if it is still there, else a new one."""
    live = {token.last4 for token in accounts.tokens(org) if token.user_id == user and token.revoked_at is None}
    if secret and secret[-4:] in live:
        return secret
    _, secret = accounts.issue_token(org, user_id=user, name="demo", actor=ACTOR, at=at)
    return secret
