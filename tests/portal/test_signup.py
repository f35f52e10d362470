"""Sign-up: two fields, signed in at once, everything minted in one transaction, back where one came from."""

import pytest
from django.core import mail
from django.db import connection

from accounts.models import Organization, User
from marketplace import public as marketplace
from portal.account import start
from tests.portal import browser, shelf
from tests.portal.browser import page, sign_up

OPERATION = "/apis/world/docs/getCountry/?path.code=FR&query.lang=de"


def test_two_fields_are_enough(shop):
    client = browser.visitor()
    form = page(client.get(f"/signup/?next={OPERATION}"))
    asked = [attrs["name"] for attrs in form.all("input") if attrs.get("type") in ("email", "password", "text")]
    assert asked == ["email", "password1"]

    response = sign_up(client, next=OPERATION)
    assert (response.status_code, response["Location"]) == (302, OPERATION)
    assert client.get("/app/").status_code == 200


def test_all_is_minted(shop):
    client = browser.visitor()
    sign_up(client)
    organization = Organization.objects.get(name="Ada Lovelace")
    keys = marketplace.keys(organization.id)
    held = marketplace.subscriptions(organization.id, at=organization.created_at)
    assert sorted(key.kind for key in keys) == ["live", "test"]
    assert [row.api_slugs for row in held] == [("world",)]
    assert marketplace.reveal_test_key(organization.id, id=next(k.id for k in keys if k.kind == "test")) in (
        client.get("/apis/world/docs/getCountry/").content.decode()
    )


def test_one_transaction(shop, monkeypatch):
    monkeypatch.setattr(start.marketplace, "mint_start", lambda *args, **named: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        sign_up(browser.visitor())
    assert not User.objects.filter(email="ada.lovelace@example.com").exists()
    assert not Organization.objects.filter(name="Ada Lovelace").exists()


@pytest.mark.parametrize(
    ("email", "password", "says"),
    [
        ("", "", "required"),
        ("not an address", browser.PASSWORD, "valid"),
        ("ada@example.com", "short", "too short"),
        ("ada@example.com", "password12", "too common"),
        ("a" * 300 + "@example.com", browser.PASSWORD, "at most 254"),
        ("ada@example.com\x00", browser.PASSWORD, "ull characters"),
    ],
)
def test_what_is_wrong_is_said_and_kept(shop, email, password, says):
    response = browser.visitor().post("/signup/", {"email": email, "password1": password, "next": OPERATION})
    html = page(response)
    assert response.status_code == 422
    assert says in html.text("main")
    assert OPERATION in html.values("next")
    assert html.values("password1") == [None]
    assert html.values("email") == [email or None]
    assert any("data-focus" in attrs for attrs in html.all("div"))


def test_a_taken_address_is_not_told(shop):
    sign_up(browser.visitor())
    mail.outbox.clear()
    stranger = browser.visitor()
    response = stranger.post("/signup/", {"email": "Ada.Lovelace@example.com", "password1": "another password"})
    assert (response.status_code, response["Location"]) == (302, "/verify/")
    assert "Check your inbox" in page(stranger.get("/verify/")).text("h1")
    assert stranger.get("/app/").status_code == 302
    assert [letter.subject for letter in mail.outbox] == ["You have an account already"]
    assert User.objects.filter(email__iexact="ada.lovelace@example.com").count() == 1


def test_sent_twice_is_one_account(shop):
    """The second of two equal forms has the right password: it signs in, and mints nothing."""
    first, second = browser.visitor(), browser.visitor()
    sign_up(first, next=OPERATION)
    response = sign_up(second, next=OPERATION)
    assert (response.status_code, response["Location"]) == (302, OPERATION)
    assert second.get("/app/").status_code == 200
    assert Organization.objects.filter(name="Ada Lovelace").count() == 1


def test_the_api_one_came_from_is_the_one_subscribed_to(shop):
    shelf.open_shop("parcel", featured=False)
    client = browser.visitor()
    sign_up(client, next="/apis/parcel/docs/getCountry/")
    organization = Organization.objects.get(name="Ada Lovelace")
    assert [row.api_slugs for row in marketplace.subscriptions(organization.id, at=organization.created_at)] == [
        ("parcel",)
    ]


def test_without_any_api_an_account_still_stands(db):
    client = browser.visitor()
    assert sign_up(client).status_code == 302
    assert client.get("/app/").status_code == 200
    assert client.get("/app/keys/").status_code == 200


@pytest.mark.parametrize(
    ("email", "name"),
    [
        ("ada.lovelace+news@example.com", "Ada Lovelace"),
        ("jo_van-der@example.com", "Jo Van Der"),
        ("...@example.com", "My organization"),
        ("müller@example.com", "Müller"),
        ("a" * 64 + "@example.com", "A" + "a" * 63),
    ],
)
def test_the_organization_is_named_after_the_address(email, name):
    assert start.name_from(email) == name


def test_the_password_stands_nowhere(shop):
    sign_up(browser.visitor())
    with connection.cursor() as cursor:
        cursor.execute("select password from accounts_user where email = 'ada.lovelace@example.com'")
        assert browser.PASSWORD not in cursor.fetchone()[0]
