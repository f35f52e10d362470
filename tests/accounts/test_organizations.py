"""Organizations and projects: made, renamed, suspended; said to the gateway and to the audit log."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import IntegrityError, connection

from accounts import public
from accounts.models import AuditEvent, Organization, Project
from kit.django.outbox import Undelivered
from kit.errors import ProblemError
from kit.ids import uuid7
from tests.accounts.world import NOW, ROOT, person, tenant, told


def create(name: str, zone: str = "UTC", email: str = "alice@acme.example") -> public.OrganizationView:
    return public.create_organization(owner_id=person(email).id, name=name, zone=zone, actor=ROOT, at=NOW)[0]


def actions(org) -> list[str]:
    return list(AuditEvent.objects.filter(organization_id=org).order_by("id").values_list("action", flat=True))


def test_a_new_organization_has_its_owner_and_a_default_project(db, django_capture_on_commit_callbacks):
    alice = person("alice@acme.example")
    with django_capture_on_commit_callbacks(execute=True):
        organization, project = public.create_organization(
            owner_id=alice.id, name="  Acme \t Inc ", zone="Europe/Berlin", actor=ROOT, at=NOW
        )
    assert (organization.name, organization.slug, organization.state) == ("Acme Inc", "acme-inc", "active")
    assert (organization.zone, organization.verified, organization.rev) == ("Europe/Berlin", False, 1)
    assert (project.name, project.slug, project.organization_id) == ("Default", "default", organization.id)
    assert public.role_of(organization.id, user_id=alice.id) == "owner"
    assert public.projects(organization.id) == (project,)
    assert public.organizations_of(alice.id) == (organization,)
    assert sorted(actions(organization.id)) == ["organization.created", "project.created"]
    assert told == [(f"organization:{organization.id}", {"kind": "organization", "id": str(organization.id)})]


@pytest.mark.parametrize(
    ("name", "zone", "field"),
    [
        ("", "UTC", "name"), (" \n ", "UTC", "name"), ("x" * 121, "UTC", "name"), ("a\x00b", "UTC", "name"),
        ("a\x1bb", "UTC", "name"), ("a\ud800", "UTC", "name"), ("Acme", "", "zone"), ("Acme", "Mars/Base", "zone"),
        ("Acme", "../../etc/passwd", "zone"), ("Acme", "Europe", "zone"), ("Acme", "utc ", "zone"),
    ],
)  # fmt: skip
def test_bad_names_and_zones_are_invalid(db, name, zone, field):
    with pytest.raises(ProblemError) as caught:
        create(name, zone)
    assert (caught.value.code, caught.value.errors[0].field) == ("invalid", field)
    assert not Organization.objects.exists()


@pytest.mark.parametrize(("name", "slug"), [("Ünïcode & Söhne", "unicode-sohne"), ("株式会社", "org"), ("--", "org")])
def test_every_name_gets_a_slug(db, name, slug):
    assert create(name).slug == slug


@pytest.mark.django_db(transaction=True)
def test_twenty_organizations_of_one_name_at_once_get_twenty_slugs():
    gate = threading.Barrier(8)

    def sign_up(number: int) -> str:
        gate.wait(10)
        try:
            return create("Acme", email=f"p{number}@acme.example").slug
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        slugs = list(pool.map(sign_up, range(8)))
    assert len(set(slugs)) == 8
    assert "acme" in slugs
    assert all(slug.startswith("acme") for slug in slugs)


def test_a_change_is_noted_with_what_was_before(acme):
    changed = public.update_organization(acme.org, name="Acme & Co", actor=ROOT, at=NOW)
    assert (changed.name, changed.slug) == ("Acme & Co", "acme")
    event = AuditEvent.objects.get(action="organization.updated")
    assert (event.before, event.after) == ({"name": "Acme"}, {"name": "Acme & Co"})


def test_no_change_says_nothing(acme):
    public.update_organization(acme.org, name="Acme", zone="UTC", actor=ROOT, at=NOW)
    assert "organization.updated" not in actions(acme.org)


def test_suspending_and_reinstating(acme, django_capture_on_commit_callbacks):
    told.clear()
    with django_capture_on_commit_callbacks(execute=True):
        suspended = public.suspend_organization(acme.org, actor=ROOT, reason="unpaid", at=NOW)
    assert (suspended.state, suspended.rev) == ("suspended", 2)
    assert [key for key, _ in told] == [f"organization:{acme.org}"]
    with django_capture_on_commit_callbacks(execute=True):
        again = public.suspend_organization(acme.org, actor=ROOT, at=NOW)
        reinstated = public.reinstate_organization(acme.org, actor=ROOT, at=NOW)
    assert (again.rev, reinstated.state, reinstated.rev) == (2, "active", 3)
    assert actions(acme.org)[-2:] == ["organization.suspended", "organization.reinstated"]
    assert AuditEvent.objects.get(action="organization.suspended").after == {"state": "suspended", "reason": "unpaid"}


@pytest.mark.django_db(transaction=True)
def test_a_suspension_the_gateway_has_not_taken_is_not_said_to_be_done(settings):
    acme = tenant("Acme", "alice@acme.example")
    settings.OUTBOX_HANDLERS = {"directory": "tests.accounts.world.refuse"}
    for _ in range(2):
        with pytest.raises(Undelivered):
            public.suspend_organization(acme.org, actor=ROOT, at=NOW)
    assert public.organization(acme.org).state == "suspended"
    settings.OUTBOX_HANDLERS = {"directory": "tests.accounts.world.take"}
    assert public.suspend_organization(acme.org, actor=ROOT, at=NOW).state == "suspended"


@pytest.mark.django_db(transaction=True)
def test_a_new_organization_does_not_wait_for_the_gateway(settings):
    settings.OUTBOX_HANDLERS = {"directory": "tests.accounts.world.refuse"}
    assert create("Acme").state == "active"


def test_a_project_is_named_once(acme, evil):
    public.create_project(acme.org, name="Checkout", actor=ROOT, at=NOW)
    with pytest.raises(ProblemError) as caught:
        public.create_project(acme.org, name="checkout", actor=ROOT, at=NOW)
    assert caught.value.code == "conflict"
    assert public.create_project(evil.org, name="Checkout", actor=ROOT, at=NOW).slug == "checkout"


def test_what_is_not_there_is_not_found(db):
    for ask in (
        lambda org: public.organization(org),
        lambda org: public.update_organization(org, name="x", actor=ROOT, at=NOW),
        lambda org: public.suspend_organization(org, actor=ROOT, at=NOW),
    ):
        with pytest.raises(ProblemError) as caught:
            ask(uuid7())
        assert caught.value.code == "not_found"


def test_an_organization_that_has_projects_is_never_deleted(acme):
    with pytest.raises(IntegrityError):
        Organization.objects.get(id=acme.org).delete()
    assert Project.objects.filter(organization=acme.org).exists()
