"""The key pages: a live secret is shown once and is nowhere afterwards; what is another organization's is not there."""

import re
from datetime import timedelta
from uuid import UUID

import pytest
import redis
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core import mail
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import Organization
from kit.secrets import key_kind
from marketplace import public as marketplace
from portal.keys import once
from tests.portal import browser
from tests.portal.browser import page, sign_up

FORM = {"name": "billing worker", "kind": "live", "scope": "*", "lifetime": "90", "allowed_ips": ""}


def org() -> UUID:
    return Organization.objects.get(name="Ada Lovelace").id


def keys(kind: str = "live") -> list[marketplace.KeyView]:
    return [key for key in marketplace.keys(org()) if key.kind == kind]


def secret_on(html: str) -> str:
    found = re.findall(r"tg_live_[0-9A-Za-z]{36}", html)
    assert found and key_kind(found[0]) == "live"
    return found[0]


def test_sign_up_hands_the_live_secret_over_once(member: Client):
    drawer = page(member.get("/apis/world/docs/getCountry/"))
    assert "Your live key is ready" in drawer.text("summary")
    assert "tg_live_" not in drawer.html

    first = member.get("/app/keys/once/")
    secret = secret_on(first.content.decode())
    assert secret.endswith(keys()[0].last4)
    assert first["Cache-Control"] == "no-store, private"

    again = member.get("/app/keys/once/")
    assert again.status_code == 410
    assert secret not in again.content.decode()
    for url in ("/app/", "/app/keys/", "/app/usage/", "/apis/world/docs/getCountry/"):
        shown = page(member.get(url))
        assert secret not in shown.html
        assert "Your live key is ready" not in shown.text("summary")


def test_create_shows_once_and_lists_without_secret(member):
    created = member.post("/app/keys/new/", FORM)
    assert (created.status_code, created["Location"]) == (302, "/app/keys/once/")
    secret = secret_on(member.get("/app/keys/once/").content.decode())
    listed = page(member.get("/app/keys/"))
    assert "billing worker" in listed.text("table")
    assert f"{secret[:12]}…{secret[-4:]}" in listed.text("table")
    assert secret not in listed.html
    key = next(key for key in keys() if key.name == "billing worker")
    assert key.expires_at - key.created_at == pytest.approx(timedelta(days=90), abs=timedelta(minutes=1))


def test_the_once_page_has_what_a_program_needs(member):
    member.post("/app/keys/new/", FORM)
    shown = page(member.get("/app/keys/once/"))
    secret = secret_on(shown.html)
    assert f"TOLLGATE_API_KEY={secret}" in shown.text("code")
    assert f"X-API-Key: {secret}" in shown.text("code")
    assert f"{settings.GATEWAY_URL}/world/v1/countries/DE" in shown.text("code")


@pytest.mark.django_db(transaction=True)
def test_the_plaintext_is_nowhere(settings):
    """Sign up, create, roll, use every page: no store, no session, no mail, no page holds a live secret."""
    from tests.portal import shelf

    shelf.open_shop()
    client = browser.visitor()
    sign_up(client)
    secrets = [secret_on(client.get("/app/keys/once/").content.decode())]
    client.post("/app/keys/new/", FORM)
    secrets.append(secret_on(client.get("/app/keys/once/").content.decode()))
    client.post(f"/app/keys/{keys()[0].id}/roll/", {"overlap": "24h"})
    secrets.append(secret_on(client.get("/app/keys/once/").content.decode()))
    assert len(set(secrets)) == 3

    haystack = _database() + _redis(settings.REDIS_URL) + "".join(str(letter.message()) for letter in mail.outbox)
    haystack += "".join(str(row.get_decoded()) for row in Session.objects.all())
    haystack += "".join(client.get(url).content.decode() for url in ("/app/", "/app/keys/", "/app/usage/", "/"))
    haystack += str({name: cookie.value for name, cookie in client.cookies.items()})
    assert len(haystack) > 10_000
    assert [secret for secret in secrets if secret in haystack or secret[8:] in haystack] == []


def _database() -> str:
    """Every value of every table, as text."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'select t::text from "{table}" t')
            found += [row[0] for row in cursor.fetchall()]
    return "\n".join(found)


def _redis(url: str) -> str:
    client = redis.Redis.from_url(url)
    return "\n".join(f"{name!r}{client.dump(name)!r}" for name in client.scan_iter())


def test_a_sandbox_key_can_be_shown_again(member):
    key = keys("test")[0]
    hidden = member.get("/app/keys/").content.decode()
    secret = marketplace.reveal_test_key(org(), id=key.id)
    assert secret not in hidden
    assert secret in member.get(f"/app/keys/?reveal={key.id}").content.decode()
    assert member.get(f"/app/keys/?reveal={keys()[0].id}").status_code == 200  # a live one is not revealed
    assert member.get("/app/keys/?reveal=nonsense").status_code == 200


def test_creating_a_sandbox_key_reveals_it(member):
    response = member.post("/app/keys/new/", FORM | {"kind": "test", "name": "ci"}, follow=True)
    key = next(key for key in keys("test") if key.name == "ci")
    assert marketplace.reveal_test_key(org(), id=key.id) in response.content.decode()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"name": ""}, "required"),
        ({"name": "x" * 500}, "at most"),
        ({"kind": "root"}, "valid choice"),
        ({"scope": "other:*"}, "valid choice"),
        ({"lifetime": "7"}, "valid choice"),
        ({"allowed_ips": "not an address"}, "not an address or network"),
        ({"name": "bad\x00name"}, "ull characters"),
    ],
)
def test_what_is_wrong_is_said_and_kept(member, wrong, says):
    before = len(keys())
    response = member.post("/app/keys/new/", FORM | wrong)
    html = page(response)
    assert response.status_code == 422
    assert says in html.text("main")
    assert html.values("name") == [(FORM | wrong)["name"] or None]
    assert len(keys()) == before


def test_the_choices_reach_the_key(member):
    chosen = {"scope": "world", "lifetime": "30", "allowed_ips": "203.0.113.7, 2001:db8::/48"}
    member.post("/app/keys/new/", FORM | chosen)
    key = next(key for key in keys() if key.name == FORM["name"])
    assert key.scopes == ("world:*",)
    assert key.allowed_ips == ("203.0.113.7/32", "2001:db8::/48")
    assert key.expires_at < timezone.now() + timedelta(days=31)


def test_read_only_means_the_apis_one_has(member):
    member.post("/app/keys/new/", FORM | {"scope": "read"})
    assert next(key for key in keys() if key.name == FORM["name"]).scopes == ("world:read",)


def test_sent_twice_makes_one_key(member):
    token = page(member.get("/app/keys/new/")).values("token")[0]
    member.post("/app/keys/new/", FORM | {"token": token})
    again = member.post("/app/keys/new/", FORM | {"token": token}, follow=True)
    assert len([key for key in keys() if key.name == FORM["name"]]) == 1
    assert "sent twice" in page(again).text("main")


def test_revoke_asks_first(member):
    key = keys()[0]
    asked = member.get(f"/app/keys/{key.id}/revoke/")
    assert "cannot be undone" in page(asked).text("main")
    assert marketplace.key(org(), id=key.id).state == "active"

    done = member.post(f"/app/keys/{key.id}/revoke/", follow=True)
    assert "is revoked" in page(done).text("main")
    assert marketplace.key(org(), id=key.id).state == "revoked"
    assert member.post(f"/app/keys/{key.id}/revoke/").status_code == 302  # twice is once


@pytest.mark.django_db(transaction=True)
def test_a_revoke_that_is_not_in_force_is_not_called_done(settings):
    from tests.portal import shelf

    shelf.open_shop()
    client = browser.visitor()
    sign_up(client)
    settings.OUTBOX_HANDLERS = {"directory": "tests.marketplace.shop.refuse"}
    done = client.post(f"/app/keys/{keys()[0].id}/revoke/", follow=True)
    assert "has not taken it yet" in page(done).text("main")


def test_roll_gives_a_successor_and_keeps_the_old_one(member):
    member.get("/app/keys/once/")
    old = keys()[0]
    assert member.get(f"/app/keys/{old.id}/roll/").status_code == 200
    response = member.post(f"/app/keys/{old.id}/roll/", {"overlap": "1h"})
    assert response["Location"] == "/app/keys/once/"
    secret = secret_on(member.get("/app/keys/once/").content.decode())
    fresh = next(key for key in keys() if key.replaces == old.id)
    assert secret.endswith(fresh.last4)
    assert marketplace.key(org(), id=old.id).expires_at < timezone.now() + timedelta(hours=2)
    assert member.post(f"/app/keys/{old.id}/roll/", {"overlap": "9y"}).status_code == 422


def test_rolling_what_no_longer_works_says_so(member):
    key = keys()[0]
    member.post(f"/app/keys/{key.id}/revoke/")
    response = member.post(f"/app/keys/{key.id}/roll/", {"overlap": "1h"})
    assert response.status_code == 422
    assert "no longer works" in page(response).text("main")


def test_another_organizations_key_is_not_there(member):
    key = keys()[0]
    other = browser.visitor()
    sign_up(other, "mallory@example.com")
    for url in (f"/app/keys/{key.id}/revoke/", f"/app/keys/{key.id}/roll/"):
        assert other.get(url).status_code == 404
        assert other.post(url, {"overlap": "now"}).status_code == 404
    assert key.last4 not in other.get(f"/app/keys/?reveal={keys('test')[0].id}").content.decode()
    assert marketplace.key(org(), id=key.id).state == "active"


def test_who_may_not_write_keys_is_not_offered_to(member):
    from accounts.models import Membership

    Membership.objects.filter(organization=org()).update(role="read_only")
    listed = page(member.get("/app/keys/"))
    assert "Create key" not in listed.text("main")
    assert member.get("/app/keys/new/").status_code == 403
    assert member.post("/app/keys/new/", FORM).status_code == 403
    assert member.post(f"/app/keys/{keys()[0].id}/revoke/").status_code == 403


@pytest.mark.parametrize("url", ["/app/", "/app/keys/", "/app/keys/new/", "/app/keys/once/", "/app/usage/"])
def test_visitors_are_sent_to_sign_in_and_back(db, url):
    response = browser.visitor().get(f"{url}?range=7d")
    assert response["Location"] == f"/login/?next={url}%3Frange%3D7d"


def test_the_sealed_cookie_opens_for_its_person_only(member, settings):
    """Taken to another account's browser, cut or late, it is worth nothing."""
    sealed = member.cookies[once.SEALED].value
    thief = browser.visitor()
    sign_up(thief, "mallory@example.com")
    for value in (sealed, sealed[:-4], "", "v1.x.y", sealed + "A"):
        thief.cookies[once.SEALED] = value
        assert "tg_live_" not in thief.get("/app/keys/once/").content.decode()
    cookie = member.cookies[once.SEALED]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Strict", "/app/keys/once/")
    assert int(cookie["max-age"]) == 600
    assert "tg_live" not in sealed


def test_a_secret_that_is_too_old_is_gone(member, time_machine):
    time_machine.move_to(timezone.now() + timedelta(seconds=once.SECONDS + 5))
    assert "tg_live_" not in member.get("/app/keys/once/").content.decode()


def test_from_another_site_the_cookie_is_kept_back_and_the_page_says_so(member):
    del member.cookies[once.SEALED]  # what SameSite=Strict does
    response = member.get("/app/keys/once/")
    assert response.status_code == 200
    assert "waits for you" in page(response).text("h1")
