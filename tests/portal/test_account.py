"""Signing in and out, verifying, resetting, changing: by links in mails and forms that work without a script."""

import re

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.models import Organization, User
from accounts.public import organization
from kit.django.models import Outbox
from tests.portal import browser
from tests.portal.browser import PASSWORD, links_in, page, sign_up

EMAIL = "ada.lovelace@example.com"


def path_in_last_mail() -> str:
    link = links_in(mail.outbox[-1].body)[0]
    return re.sub(r"^https?://[^/]+", "", link)


def log_in(client: Client, password: str = PASSWORD, **more: str):
    return client.post("/login/", {"login": EMAIL, "password": password, **more})


def test_the_link_in_the_mail_verifies_by_a_press(member, settings):
    letter = mail.outbox[-1]
    assert letter.subject == "Verify your e-mail address"
    assert links_in(letter.body)[0].startswith(f"{settings.PORTAL_URL}/verify/")
    path = path_in_last_mail()
    org = Organization.objects.get(name="Ada Lovelace").id
    assert "Verify" in page(member.get(path)).text("h1")
    assert not organization(org).verified  # mail scanners open links

    assert member.post(path)["Location"] == "/app/"
    assert organization(org).verified
    assert User.objects.get(email=EMAIL).email_verified_at <= timezone.now()
    assert "Verify" not in page(member.get("/app/keys/")).text("aside")


def test_verifying_tells_the_gateway(member):
    org = Organization.objects.get(name="Ada Lovelace").id
    before = Outbox.objects.filter(key=f"organization:{org}").count()
    member.post(path_in_last_mail())
    assert Outbox.objects.filter(key=f"organization:{org}").count() == before + 1


def test_in_another_browser_one_signs_in_afterwards(member):
    stranger = browser.visitor()
    assert stranger.post(path_in_last_mail())["Location"] == "/login/"
    assert User.objects.get(email=EMAIL).email_verified_at


def test_a_link_that_is_wrong_says_so(db):
    client = browser.visitor()
    for path in ("/verify/nonsense/", "/verify/MQ:abc:def/"):
        assert "expired" in page(client.get(path)).text("h1")
        assert client.post(path).status_code == 404


def test_sending_again(member):
    sent = len(mail.outbox)
    assert member.post("/verify/again/", {"next": "/app/keys/"})["Location"] == "/app/keys/"
    assert len(mail.outbox) in (sent, sent + 1)  # once per address and three minutes
    assert browser.visitor().post("/verify/again/")["Location"].startswith("/login/")


def test_signing_out_and_in_again(member):
    assert member.post("/logout/")["Location"] == "/"
    assert member.get("/app/")["Location"] == "/login/?next=/app/"
    response = log_in(member, next="/app/keys/")
    assert (response.status_code, response["Location"]) == (302, "/app/keys/")


def test_a_wrong_password_is_not_told_from_an_unknown_address(member):
    client = browser.visitor()
    wrong = log_in(client, "wrong password")
    unknown = client.post("/login/", {"login": "nobody@example.com", "password": "wrong password"})
    assert wrong.status_code == unknown.status_code == 422
    assert page(wrong).text("main").replace(EMAIL, "") == page(unknown).text("main").replace("nobody@example.com", "")
    assert page(wrong).values("login") == [EMAIL]
    assert "wrong password" not in wrong.content.decode()


def test_resetting_a_password(member):
    client = browser.visitor()
    known = client.post("/reset/", {"email": EMAIL})
    link = path_in_last_mail()
    unknown = client.post("/reset/", {"email": "nobody@example.com"})
    assert known["Location"] == unknown["Location"] == "/reset/sent/"
    assert mail.outbox[-1].subject == "No account with this address"

    form = client.get(link, follow=True)
    action = form.redirect_chain[-1][0]
    assert "Choose a new password" in page(form).text("h1")
    assert client.post(action, {"password1": "short", "password2": "short"}).status_code == 422
    fresh = "an entirely new one"
    assert client.post(action, {"password1": fresh, "password2": fresh})["Location"] == "/reset/done/"
    assert log_in(browser.visitor(), fresh).status_code == 302
    assert log_in(browser.visitor()).status_code == 422
    assert "expired" in page(browser.visitor().get(link, follow=True)).text("h1")


def test_changing_a_password_signs_other_browsers_out(member):
    other = browser.visitor()
    log_in(other)
    form = {"oldpassword": PASSWORD, "password1": "an entirely new one", "password2": "an entirely new one"}
    assert member.post("/account/password/", form | {"oldpassword": "wrong"}).status_code == 422
    assert member.post("/account/password/", form).status_code == 302
    assert member.get("/app/").status_code == 200
    assert other.get("/app/").status_code == 302
    assert "Password" in mail.outbox[-1].subject


def test_changing_the_address_waits_for_its_verification(member):
    member.post(path_in_last_mail())  # the first one is verified
    member.post("/account/email/", {"action_add": "", "email": "new@example.com"})
    assert User.objects.get(name="", email=EMAIL)
    assert "new@example.com is not verified yet" in page(member.get("/account/email/")).text("main")
    member.post(path_in_last_mail())
    assert not User.objects.filter(email=EMAIL).exists()
    assert User.objects.filter(email="new@example.com").exists()
    assert member.post("/account/email/", {"action_add": "", "email": "nope"}).status_code == 422


def test_an_address_that_somebody_else_took_meanwhile_is_refused(member):
    member.post(path_in_last_mail())
    member.post("/account/email/", {"action_add": "", "email": "new@example.com"})
    link = path_in_last_mail()
    User.objects.create_user("new@example.com", "x")
    assert member.post(link).status_code in (200, 302)
    assert User.objects.filter(email=EMAIL).exists()


def test_mail_that_cannot_be_sent_does_not_undo_a_sign_up(shop, settings):
    settings.EMAIL_BACKEND = "tests.portal.broken_mail.Backend"
    client = browser.visitor()
    assert sign_up(client).status_code == 302
    assert "could not be sent" in page(client.get("/app/")).text("main")


def test_a_person_without_organization_can_start_one(shop):
    user = User.objects.create_user("operator@example.com", PASSWORD)
    client = browser.visitor()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    nowhere = client.get("/app/")
    assert nowhere.status_code == 403
    assert "Start an organization" in page(nowhere).text("main")
    assert client.post("/app/start/")["Location"] == "/app/"
    assert client.post("/app/start/")["Location"] == "/app/"
    assert Organization.objects.filter(memberships__user=user).count() == 1
    assert "tg_live_" in client.get("/app/keys/once/").content.decode()


def test_two_step_sign_in(member):
    """Set up by a person with a verified address, then asked for at the next sign-in; its secret stands sealed."""
    member.post(path_in_last_mail())
    asked = member.get("/account/2fa/totp/activate/")["Location"]
    assert asked.startswith("/account/reauthenticate/")
    member.post(asked, {"password": PASSWORD})
    form = page(member.get("/account/2fa/totp/activate/"))
    shown = [str(attrs.get("value")) for attrs in form.all("input")]
    secret = next(value for value in shown if re.fullmatch("[A-Z2-7]{32}", value))
    code = totp.format_hotp_value(totp.hotp_value(secret, next(totp.yield_hotp_counters_from_time())))
    assert member.post("/account/2fa/totp/activate/", {"code": code}).status_code == 302
    assert secret not in str(Authenticator.objects.filter(type="totp").values_list("data", flat=True))

    client = browser.visitor()
    assert log_in(client)["Location"].startswith("/account/2fa/authenticate/")
    assert client.get("/app/").status_code == 302
    assert len(page(client.get("/account/2fa/authenticate/")).all("h1")) == 1


@pytest.mark.parametrize("choice", ["dark", "light"])
def test_the_theme_is_kept_and_set_by_the_server(db, choice):
    client = browser.visitor()
    assert client.post("/theme/", {"theme": choice, "next": "/apis/"})["Location"] == "/apis/"
    assert page(client.get("/apis/")).all("html")[0]["class"] == f"theme-{choice}"
    client.post("/theme/", {"theme": "<script>"})
    assert "class" not in page(client.get("/apis/")).all("html")[0]
    client.cookies["theme"] = 'x"><script>'
    assert "class" not in page(client.get("/apis/")).all("html")[0]
