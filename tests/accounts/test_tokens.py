"""Management tokens: shown once, stored as a digest, stopped at once."""

from datetime import timedelta

import pytest
from django.db import connection

from accounts import people, public
from accounts.actions.tokens import note_use
from accounts.models import AuditEvent, ManagementToken, User
from kit.errors import ProblemError
from kit.secrets import new_token, token_digest
from tests.accounts.world import NOW, ROOT, member, person


def refused(secret: str, at=NOW) -> bool:
    try:
        people.bearer(secret, at=at)
    except ProblemError as error:
        assert error.code == "token_invalid"
        return True
    return False


def test_a_token_speaks_for_its_member(acme):
    bob, secret = member(acme.org, "bob@acme.example", "developer")
    principal = people.principal(people.bearer(secret, at=NOW), ip="203.0.113.9")
    assert (principal.org, principal.user_id, principal.role) == (acme.org, bob.id, "developer")
    assert principal.scope == f"{acme.org}:{bob.id}"
    assert (principal.actor.kind, principal.actor.ip) == ("token", "203.0.113.9")
    assert principal.actor.label == f"bob@acme.example · tgm_…{secret[-4:]}"


def test_the_secret_is_nowhere_in_the_database(acme):
    row = ManagementToken.objects.get(id=acme.token_id)
    assert row.digest == token_digest(acme.token)
    with connection.cursor() as cursor:
        for table in ("accounts_managementtoken", "accounts_auditevent", "kit_outbox"):
            cursor.execute(f"select count(*) from {table} t where t::text like %s", [f"%{acme.token[4:20]}%"])
            assert cursor.fetchone() == (0,)


def test_a_role_changes_with_its_member(acme):
    bob, secret = member(acme.org, "bob@acme.example", "developer")
    public.set_member(acme.org, user_id=bob.id, role="read_only", actor=ROOT, at=NOW)
    assert people.bearer(secret, at=NOW).role == "read_only"


def test_a_token_stops_when_it_is_revoked_expired_or_its_person_gone(acme):
    bob, _ = member(acme.org, "bob@acme.example", "developer")
    issue = lambda **more: public.issue_token(acme.org, user_id=bob.id, name="x", actor=ROOT, at=NOW, **more)  # noqa: E731
    (revoked, secret_revoked), (_, secret) = issue(), issue()
    _, secret_expiring = issue(expires_at=NOW + timedelta(hours=1))

    public.revoke_token(acme.org, id=revoked.id, actor=ROOT, at=NOW)
    assert refused(secret_revoked)
    assert not refused(secret_expiring, NOW + timedelta(minutes=59))
    assert refused(secret_expiring, NOW + timedelta(hours=1))

    User.objects.filter(id=bob.id).update(is_active=False)
    assert refused(secret)
    User.objects.filter(id=bob.id).update(is_active=True)
    assert not refused(secret)
    public.remove_member(acme.org, user_id=bob.id, actor=ROOT, at=NOW)
    assert refused(secret)


@pytest.mark.parametrize("secret", ["", "tgm_", "tgm_" + "A" * 36, "\x00", "tgm_\ud800", "é" * 40])
def test_what_is_no_token_asks_no_database(secret, django_assert_num_queries, db):
    with django_assert_num_queries(0):
        assert refused(secret)


def test_a_token_nobody_issued_is_refused(acme):
    assert refused(new_token())


def test_a_use_is_noted_once_a_minute(acme, django_assert_num_queries):
    def use(after: timedelta, queries: int):
        row = people.bearer(acme.token, at=NOW + after)
        with django_assert_num_queries(queries):
            note_use(row, at=NOW + after)
        return ManagementToken.objects.get(id=acme.token_id).last_used_at - NOW

    assert use(timedelta(0), 1) == timedelta(0)
    assert use(timedelta(seconds=59), 0) == timedelta(0)
    assert use(timedelta(seconds=60), 1) == timedelta(seconds=60)


def test_only_a_member_gets_a_token(acme, evil):
    for stranger in (evil.owner, person("carol@nowhere.example")):
        with pytest.raises(ProblemError) as caught:
            public.issue_token(acme.org, user_id=stranger.id, name="x", actor=ROOT, at=NOW)
        assert caught.value.code == "permission_denied"


@pytest.mark.parametrize(("name", "expires"), [("", None), ("x", NOW), ("x", NOW - timedelta(days=1))])
def test_bad_tokens_are_invalid(acme, name, expires):
    with pytest.raises(ProblemError) as caught:
        public.issue_token(acme.org, user_id=acme.owner.id, name=name, expires_at=expires, actor=ROOT, at=NOW)
    assert caught.value.code == "invalid"


def test_revoking_twice_says_it_once_and_keeps_the_first_instant(acme):
    first = public.revoke_token(acme.org, id=acme.token_id, actor=ROOT, at=NOW)
    second = public.revoke_token(acme.org, id=acme.token_id, actor=ROOT, at=NOW + timedelta(days=1))
    assert first.revoked_at == second.revoked_at == NOW
    assert AuditEvent.objects.filter(action="token.revoked").count() == 1


def test_another_organization_s_token_is_not_found(acme, evil):
    with pytest.raises(ProblemError) as caught:
        public.revoke_token(evil.org, id=acme.token_id, actor=ROOT, at=NOW)
    assert caught.value.code == "not_found"
    assert not refused(acme.token)
