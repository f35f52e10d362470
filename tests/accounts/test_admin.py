"""Operators' pages: all open, every write is audited, no secret is shown."""

from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from accounts import people, public
from accounts.models import AuditEvent, ManagementToken, Membership, Organization, Project, User
from kit.django.models import Outbox
from kit.errors import ProblemError
from tests.accounts.world import NOW, ROOT, member, person, told

OURS = [
    model for model in admin.site._registry if model._meta.app_label in {"accounts", "kit", "admin", "account", "mfa"}
]


@pytest.fixture
def operator(client, db):
    client.force_login(person("root@tollgate.example", is_staff=True, is_superuser=True))
    return client


def url(model, page: str, *args) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def messages(response) -> str:
    return " ".join(str(message) for message in response.context["messages"])


def test_the_index_opens_and_names_the_house(operator):
    response = operator.get("/admin/")
    assert response.status_code == 200
    assert b"Tollgate" in response.content


def test_what_is_registered():
    assert {model.__name__ for model in OURS} == {
        "User", "Organization", "Project", "Membership", "ManagementToken", "AuditEvent", "Outbox", "LogEntry",
        "EmailAddress", "Authenticator",
    }  # fmt: skip


@pytest.fixture
def one_of_each(acme):
    Outbox.objects.create(topic="directory", key="organization:1")
    LogEntry.objects.create(user=acme.owner, action_flag=1, object_repr="x", object_id="1")
    acme.owner.emailaddress_set.create(email=acme.owner.email)
    Authenticator.objects.create(user=acme.owner, type="totp", data={"secret": "JBSWY3DPEHPK3PXP"})


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_every_page_opens(operator, one_of_each, model):
    row = model.objects.order_by("-pk").last()
    pages = [url(model, "changelist"), url(model, "change", row.pk), url(model, "history", row.pk)]
    pages += [url(model, "changelist") + "?q=acme"] if admin.site._registry[model].search_fields else []
    adds = model in {User, Organization, Project, Membership}
    for page in pages:
        assert operator.get(page).status_code == 200, page
    assert operator.get(url(model, "add")).status_code == (200 if adds else 403)


def test_nothing_is_deleted_but_memberships_and_second_factors(operator, one_of_each):
    open_pages = {
        model.__name__
        for model in OURS
        if operator.get(url(model, "delete", model.objects.order_by("-pk").last().pk)).status_code == 200
    }
    assert open_pages == {"Membership", "Authenticator"}


def test_no_secret_is_shown(operator, one_of_each, acme):
    row = ManagementToken.objects.get(id=acme.token_id)
    for page in (
        url(ManagementToken, "change", row.id),
        url(ManagementToken, "changelist"),
        url(Authenticator, "change", Authenticator.objects.get().pk),
    ):
        content = operator.get(page).content.decode()
        assert row.digest not in content
        assert acme.token not in content
        assert "JBSWY3DPEHPK3PXP" not in content


def test_an_organization_is_made_with_its_owner(operator):
    alice = person("alice@acme.example")
    body = {"name": "Acme", "zone": "Europe/Berlin", "owner": str(alice.id)}
    response = operator.post(url(Organization, "add"), body, follow=True)
    assert response.status_code == 200
    (made,) = public.organizations_of(alice.id)
    assert (made.name, made.zone, made.slug) == ("Acme", "Europe/Berlin", "acme")
    assert AuditEvent.objects.get(action="organization.created").actor_label == "root@tollgate.example"
    assert LogEntry.objects.get().object_id == str(made.id)


def test_a_change_is_audited_with_the_operator_and_the_address(operator, acme):
    operator.post(url(Organization, "change", acme.org), {"name": "Acme & Co", "zone": "UTC"})
    event = AuditEvent.objects.get(action="organization.updated")
    assert (event.actor_kind, event.actor_label, event.ip) == ("admin", "root@tollgate.example", "127.0.0.1")
    assert public.organization(acme.org).name == "Acme & Co"


def test_a_refusal_is_said_not_thrown(operator, acme):
    response = operator.post(url(Organization, "change", acme.org), {"name": "x", "zone": "Mars"}, follow=True)
    assert response.status_code == 200
    assert "IANA time zone" in messages(response)
    assert public.organization(acme.org).name == "Acme"


def run(client, model, action: str, *ids):
    return client.post(
        url(model, "changelist"), {"action": action, "_selected_action": [str(id) for id in ids]}, follow=True
    )


def test_suspend_and_reinstate(operator, acme, evil, django_capture_on_commit_callbacks):
    told.clear()
    with django_capture_on_commit_callbacks(execute=True):
        response = run(operator, Organization, "suspend", acme.org, evil.org)
    assert "Suspended: 2." in messages(response)
    assert {public.organization(org).state for org in (acme.org, evil.org)} == {"suspended"}
    assert len(told) == 2
    run(operator, Organization, "reinstate", acme.org)
    assert public.organization(acme.org).state == "active"


@pytest.mark.django_db(transaction=True)
def test_a_suspension_not_yet_in_force_is_said(operator, acme, settings):
    settings.OUTBOX_HANDLERS = {"directory": "tests.accounts.world.refuse"}
    response = run(operator, Organization, "suspend", acme.org)
    assert "the gateway has not taken it yet" in messages(response)
    assert public.organization(acme.org).state == "suspended"


def test_a_person_is_made_with_a_password(operator):
    body = {
        "email": "New@Example.com", "name": "New", "usable_password": "true",
        "password1": "correct horse battery", "password2": "correct horse battery",
    }  # fmt: skip
    operator.post(url(User, "add"), body)
    made = User.objects.get(email="new@example.com")
    assert made.check_password("correct horse battery")
    event = AuditEvent.objects.get(action="user.created")
    assert "correct" not in str(event.after)


def test_an_address_in_use_is_refused(operator, acme):
    body = {"email": "ALICE@acme.example", "usable_password": "false"}
    response = operator.post(url(User, "add"), body)
    assert response.status_code == 200
    assert response.context["adminform"].errors


def test_a_person_who_is_switched_off_stops_at_once(operator, acme):
    operator.post(url(User, "change", acme.owner.id), {"name": "Alice"})  # a checkbox not sent is off
    with pytest.raises(ProblemError):
        people.bearer(acme.token, at=NOW)
    assert AuditEvent.objects.get(action="user.updated").after == {"name": "Alice", "is_active": False}


def test_an_address_is_not_changed_here_and_may_be_marked_verified(operator, acme):
    operator.post(url(User, "change", acme.owner.id), {"email": "other@acme.example", "is_active": "on"})
    assert User.objects.get(id=acme.owner.id).email == "alice@acme.example"
    run(operator, User, "mark_as_verified", acme.owner.id)
    assert public.organization(acme.org).verified


def test_members_come_change_and_go_by_actions(operator, acme):
    bob = person("bob@acme.example")
    operator.post(url(Membership, "add"), {"organization": str(acme.org), "user": str(bob.id), "role": "developer"})
    row = Membership.objects.get(user=bob)
    operator.post(url(Membership, "change", row.id), {"role": "admin"})
    assert public.role_of(acme.org, user_id=bob.id) == "admin"
    operator.post(url(Membership, "delete", row.id), {"post": "yes"})
    assert public.role_of(acme.org, user_id=bob.id) is None
    said = set(AuditEvent.objects.filter(target_id=bob.id).values_list("action", flat=True))
    assert said == {"member.added", "member.role_changed", "member.removed"}


def test_the_last_owner_is_not_deleted(operator, acme):
    row = Membership.objects.get(user=acme.owner)
    response = operator.post(url(Membership, "delete", row.id), {"post": "yes"}, follow=True)
    assert "needs an owner" in messages(response)
    assert public.role_of(acme.org, user_id=acme.owner.id) == "owner"


def test_a_project_is_added(operator, acme):
    operator.post(url(Project, "add"), {"organization": str(acme.org), "name": "Checkout"})
    assert [each.slug for each in public.projects(acme.org)] == ["default", "checkout"]


def test_a_token_is_revoked(operator, acme):
    run(operator, ManagementToken, "revoke", acme.token_id)
    with pytest.raises(ProblemError):
        people.bearer(acme.token, at=NOW)


@pytest.mark.django_db(transaction=True)
def test_an_outbox_row_is_delivered_by_hand(operator):
    row = Outbox.objects.create(topic="directory", key="organization:1")
    run(operator, Outbox, "deliver_now", row.id)
    assert told == [("organization:1", {})]


def test_who_only_looks_revokes_nothing(client, acme):
    looker = person("look@tollgate.example", is_staff=True)
    client.force_login(looker)
    assert client.get(url(ManagementToken, "changelist")).status_code == 403


@pytest.mark.parametrize("path", ["/admin/", "/admin/login/", "/admin/accounts/user/"])
def test_a_visitor_signs_in_at_the_portal_s_own_door(client, db, path):
    response = client.get(path, follow=False)
    hops = 0
    while response.status_code == 302 and response.url.startswith("/admin/login/") and hops < 3:
        response, hops = client.get(response.url), hops + 1
    assert response.status_code == 302
    assert response.url.startswith("/login/")


def test_a_customer_is_not_let_in(client, acme):
    client.force_login(acme.owner)
    assert client.get("/admin/accounts/user/", follow=True).status_code == 403


def test_an_expired_token_is_seen_as_such(operator, acme):
    bob, _ = member(acme.org, "bob@acme.example", "developer")
    public.issue_token(acme.org, user_id=bob.id, name="soon over", expires_at=NOW + timedelta(1), actor=ROOT, at=NOW)
    assert b"Nov. 21, 2026" in operator.get(url(ManagementToken, "changelist")).content


def test_staff_without_a_second_factor_are_sent_to_set_it_up(operator, settings):
    settings.ADMIN_MFA = True
    response = operator.get("/admin/accounts/user/", follow=True)
    assert reverse("mfa_activate_totp") in [path for path, _ in response.redirect_chain]
    Authenticator.objects.create(user=User.objects.get(is_staff=True), type="totp", data={"secret": "JBSWY3DPEHPK3PXP"})
    assert operator.get("/admin/accounts/user/").status_code == 200
