"""Members, their roles, and verified addresses."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import IntegrityError, connection

from accounts import public
from accounts.models import AuditEvent, Membership, User
from kit.errors import ProblemError
from tests.accounts.world import NOW, ROOT, member, person, tenant, told


def problem_of(work) -> str:
    with pytest.raises(ProblemError) as caught:
        work()
    return caught.value.code


def test_a_member_is_added_and_gets_another_role(acme):
    bob = person("bob@acme.example")
    for role in ("developer", "developer", "admin"):
        public.set_member(acme.org, user_id=bob.id, role=role, actor=ROOT, at=NOW)
    assert public.role_of(acme.org, user_id=bob.id) == "admin"
    said = AuditEvent.objects.filter(target_id=bob.id).order_by("id").values_list("action", "before", "after")
    assert sorted(said, key=lambda each: each[0]) == [
        ("member.added", {}, {"role": "developer"}),
        ("member.role_changed", {"role": "developer"}, {"role": "admin"}),
    ]


def test_members_are_listed(acme):
    member(acme.org, "bob@acme.example", "developer")
    assert {(each.email, each.role, each.verified) for each in public.members(acme.org)} == {
        ("alice@acme.example", "owner", False),
        ("bob@acme.example", "developer", False),
    }


def test_a_role_must_exist(acme):
    bob = person("bob@acme.example")
    work = lambda: public.set_member(acme.org, user_id=bob.id, role="king", actor=ROOT, at=NOW)  # noqa: E731
    assert problem_of(work) == "invalid"


def test_the_last_owner_stays(acme):
    leave = lambda: public.remove_member(acme.org, user_id=acme.owner.id, actor=ROOT, at=NOW)  # noqa: E731
    step_down = lambda: public.set_member(acme.org, user_id=acme.owner.id, role="admin", actor=ROOT, at=NOW)  # noqa: E731
    assert (problem_of(leave), problem_of(step_down)) == ("conflict", "conflict")
    bob = person("bob@acme.example")
    public.set_member(acme.org, user_id=bob.id, role="owner", actor=ROOT, at=NOW)
    leave()
    assert public.role_of(acme.org, user_id=acme.owner.id) is None


@pytest.mark.django_db(transaction=True)
def test_two_owners_cannot_remove_each_other_at_once():
    acme = tenant("Acme", "alice@acme.example")
    bob, _ = member(acme.org, "bob@acme.example", "owner")

    def remove(user_id) -> bool:
        try:
            public.remove_member(acme.org, user_id=user_id, actor=ROOT, at=NOW)
        except ProblemError:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(remove, [acme.owner.id, bob.id])) == [False, True]
    assert Membership.objects.filter(organization=acme.org, role="owner").count() == 1


def test_a_stranger_cannot_be_removed(acme, evil):
    work = lambda: public.remove_member(acme.org, user_id=evil.owner.id, actor=ROOT, at=NOW)  # noqa: E731
    assert problem_of(work) == "not_found"


def test_a_switched_off_account_has_no_role(acme):
    User.objects.filter(id=acme.owner.id).update(is_active=False)
    assert public.role_of(acme.org, user_id=acme.owner.id) is None


def test_a_verified_address_reaches_the_organizations_its_person_owns(acme, evil, django_capture_on_commit_callbacks):
    public.set_member(evil.org, user_id=acme.owner.id, role="developer", actor=ROOT, at=NOW)
    told.clear()
    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(2):
            public.mark_verified(acme.owner.id, actor=ROOT, at=NOW)
    assert public.organization(acme.org).verified
    assert public.organization(acme.org).rev == 2
    assert not public.organization(evil.org).verified
    assert [key for key, _ in told] == [f"organization:{acme.org}"]
    assert AuditEvent.objects.filter(action="user.verified").count() == 1


def test_an_address_belongs_to_one_person_however_it_is_written(db):
    alice = person("Alice@Acme.Example")
    assert alice.email == "alice@acme.example"
    assert User.objects.get_by_natural_key("ALICE@acme.EXAMPLE") == alice
    with pytest.raises(IntegrityError):
        User.objects.create(email="ALICE@ACME.EXAMPLE")


def test_a_person_s_memberships_come_with_their_roles(acme, evil):
    public.set_member(evil.org, user_id=acme.owner.id, role="billing", actor=ROOT, at=NOW)
    found = public.memberships_of(acme.owner.id)
    assert [(organization.slug, role) for organization, role in found] == [("acme", "owner"), ("evil", "billing")]
    assert [organization for organization, _ in found] == list(public.organizations_of(acme.owner.id))
