"""Keys: minted, scoped, rolled, revoked; and what is never kept of them."""

from datetime import datetime, timedelta

import pytest
from django.db import connection, transaction

from accounts.models import AuditEvent
from kit.django.outbox import Undelivered
from kit.errors import ProblemError
from kit.secrets import key_digests, key_kind
from marketplace import public
from marketplace.models import ApiKey
from tests.marketplace.shop import NOW, ROOT, key_of, told

BY = {"actor": ROOT, "at": NOW}


@pytest.mark.parametrize("kind", ["live", "test"])
def test_a_key_is_shown_once_and_kept_as_a_digest(acme, settings, kind):
    view, secret = key_of(acme, kind=kind)
    assert key_kind(secret) == kind
    assert (view.prefix, view.last4, view.state, view.scopes) == (secret[:12], secret[-4:], "active", ("*",))
    row = ApiKey.objects.get(id=view.id)
    assert row.digest == key_digests(secret, settings.KEY_PEPPERS)[0]
    assert AuditEvent.objects.get(action="key.created").after["kind"] == kind


def test_the_secret_is_nowhere_in_the_database(acme):
    _, secret = key_of(acme)
    with connection.cursor() as cursor:
        cursor.execute("select table_name from information_schema.tables where table_schema = 'public'")
        for (table,) in cursor.fetchall():
            cursor.execute(f'select count(*) from "{table}" as t where t::text like %s', [f"%{secret[8:]}%"])
            assert cursor.fetchone() == (0,), table


def test_a_test_key_can_be_shown_again_and_a_live_one_cannot(acme):
    test_key, secret = key_of(acme, kind="test")
    live_key, _ = key_of(acme)
    assert public.reveal_test_key(acme.org, id=test_key.id) == secret
    with pytest.raises(ProblemError, match="conflict"):
        public.reveal_test_key(acme.org, id=live_key.id)


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"name": "  "}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"kind": "prod"}, "kind"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["*"] + [f"world:op{n}" for n in range(60)]}, "scopes"),
        ({"scopes": ["everything"]}, "scopes.0"),
        ({"scopes": ["*", "nobody:*"]}, "scopes.1"),
        ({"scopes": ["world:nothing"]}, "scopes.0"),
        ({"scopes": ["world:\x00"]}, "scopes.0"),
        ({"allowed_ips": ["10.0.0.0/8", "1.2.3"]}, "allowed_ips.1"),
        ({"allowed_ips": ["10.0.0.1"] * 51}, "allowed_ips"),
        ({"expires_at": NOW}, "expires_at"),
        ({"expires_at": NOW + timedelta(days=9999)}, "expires_at"),
        ({"expires_at": datetime(2030, 1, 1)}, "expires_at"),
    ],
)
def test_bad_input_names_its_field(acme, shop, asked, field):
    with pytest.raises(ProblemError) as caught:
        key_of(acme, **asked)
    assert (caught.value.code, [error.field for error in caught.value.errors]) == ("invalid", [field])


@pytest.mark.parametrize("scope", ["*", "trace", "world:*", "world:read", "world:write", "world:getCountry"])
def test_scopes_that_are_there(acme, shop, scope):
    assert key_of(acme, scopes=[scope, scope])[0].scopes == (scope,)


def test_addresses_are_kept_as_networks(acme):
    view, _ = key_of(acme, allowed_ips=["203.0.113.9", "10.1.2.3/8", "2001:db8::1", "203.0.113.9/32"])
    assert view.allowed_ips == ("203.0.113.9/32", "10.0.0.0/8", "2001:db8::1/128")


def test_another_organization_s_key_or_project_is_not_there(acme, evil):
    view, _ = key_of(acme, kind="test")
    attempts = [
        lambda: public.key(evil.org, id=view.id),
        lambda: public.reveal_test_key(evil.org, id=view.id),
        lambda: public.revoke_key(evil.org, id=view.id, **BY),
        lambda: public.roll_key(evil.org, id=view.id, **BY),
        lambda: public.rename_key(evil.org, id=view.id, name="mine", **BY),
        lambda: public.create_key(evil.org, project_id=acme.project, name="x", kind="live", **BY),
    ]
    for attempt in attempts:
        with pytest.raises(ProblemError, match="not_found"):
            attempt()
    assert public.keys(evil.org) == []


def test_a_rename_is_said_once(acme):
    view, _ = key_of(acme)
    assert public.rename_key(acme.org, id=view.id, name=" Build  box ", **BY).name == "Build box"
    public.rename_key(acme.org, id=view.id, name="Build box", **BY)
    assert AuditEvent.objects.filter(action="key.renamed").count() == 1


# --- rolling ---


def test_a_successor_has_the_same_rights_and_the_old_key_some_time_left(acme, shop):
    old, _ = key_of(acme, scopes=["world:read"], allowed_ips=["10.0.0.1"])
    new, secret = public.roll_key(acme.org, id=old.id, overlap="1h", **BY)
    left = public.key(acme.org, id=old.id)
    assert (new.name, new.scopes, new.allowed_ips, new.replaces) == (old.name, old.scopes, old.allowed_ips, old.id)
    assert secret[:12] == new.prefix != ""
    assert left.expires_at == NOW + timedelta(hours=1)
    assert left.works(NOW + timedelta(minutes=59)) and not left.works(NOW + timedelta(hours=1))


def test_an_earlier_end_is_not_put_off(acme):
    old, _ = key_of(acme, expires_at=NOW + timedelta(minutes=5))
    public.roll_key(acme.org, id=old.id, overlap="30d", **BY)
    assert public.key(acme.org, id=old.id).expires_at == NOW + timedelta(minutes=5)


def test_rolled_now_is_revoked_now(acme):
    old, _ = key_of(acme)
    public.roll_key(acme.org, id=old.id, overlap="now", **BY)
    assert public.key(acme.org, id=old.id).state == "revoked"


def test_what_cannot_be_rolled(acme):
    old, _ = key_of(acme)
    with pytest.raises(ProblemError, match="invalid"):
        public.roll_key(acme.org, id=old.id, overlap="2h", **BY)
    public.revoke_key(acme.org, id=old.id, **BY)
    with pytest.raises(ProblemError, match="conflict"):
        public.roll_key(acme.org, id=old.id, **BY)


# --- revoking ---


@pytest.mark.django_db(transaction=True)
def test_a_revoke_is_answered_once_the_directory_has_it(acme):
    view, _ = key_of(acme)
    told.clear()
    public.revoke_key(acme.org, id=view.id, **BY)
    assert told == [f"key:{view.id}"]


@pytest.mark.django_db(transaction=True)
def test_a_revoke_nobody_heard_is_stored_but_not_answered(acme, settings):
    view, _ = key_of(acme)
    settings.OUTBOX_HANDLERS = {"directory": "tests.marketplace.shop.refuse"}
    with pytest.raises(Undelivered):
        public.revoke_key(acme.org, id=view.id, **BY)
    assert public.key(acme.org, id=view.id).state == "revoked"


@pytest.mark.django_db(transaction=True)
def test_a_new_key_does_not_wait_for_the_directory(acme, settings):
    settings.OUTBOX_HANDLERS = {"directory": "tests.marketplace.shop.refuse"}
    assert key_of(acme)[0].state == "active"


def test_revoking_twice_is_once_and_tells_again(acme):
    view, _ = key_of(acme)
    public.revoke_key(acme.org, id=view.id, **BY)
    rev = ApiKey.objects.get(id=view.id).rev
    again = public.revoke_key(acme.org, id=view.id, actor=ROOT, at=NOW + timedelta(days=1))
    assert again.revoked_at == NOW
    assert ApiKey.objects.get(id=view.id).rev == rev + 1
    assert AuditEvent.objects.filter(action="key.revoked").count() == 1


def test_an_organization_has_at_most_so_many_keys(acme, monkeypatch):
    monkeypatch.setattr("marketplace.actions.keys.MOST_KEYS", 1)
    key_of(acme)
    with transaction.atomic(), pytest.raises(ProblemError, match="conflict"):
        key_of(acme)
