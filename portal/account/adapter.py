"""allauth's hooks: what an account is born with, what a verified address changes, how mails leave."""

import logging
from smtplib import SMTPException
from typing import Any, cast

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress, EmailConfirmation
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from accounts.public import mark_verified
from portal.account.forms import SignupForm
from portal.account.start import mint_account
from portal.address import client_address
from portal.links import is_local
from portal.who import actor_of

log = logging.getLogger(__name__)


class AccountAdapter(DefaultAccountAdapter):
    def save_user(
        self, request: HttpRequest, user: AbstractBaseUser, form: forms.BaseForm, commit: bool = True
    ) -> AbstractBaseUser:
        """Save the person with organization, project, keys and free subscription, in SignupForm's transaction."""
        saved = super().save_user(request, user, form, commit)
        cast(SignupForm, form).minted = mint_account(request, user=saved, at=timezone.now())
        return saved

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """A verified address lifts the limits of the unverified, at the gateway too."""
        try:
            with transaction.atomic():
                if not super().confirm_email(request, email_address):
                    return False
                actor = actor_of(request, user=email_address.user)
                mark_verified(email_address.user_id, actor=actor, at=timezone.now())
        except IntegrityError:  # somebody else signed up with it meanwhile
            messages.error(request, f"{email_address.email} belongs to another account.")
            return False
        return True

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_address(request)

    def is_safe_url(self, url: str) -> bool:
        return is_local(url or "")

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """A mail server that is away must not undo a sign-up: the page offers to send again."""
        try:
            super().send_mail(template_prefix, email, context | {"portal_url": settings.PORTAL_URL})
        except (SMTPException, OSError) as error:
            log.error("mail: %s not sent: %s", template_prefix, type(error).__name__, exc_info=error)
            messages.error(self.request, "The mail could not be sent just now. Try again in a few minutes.")

    def format_email_subject(self, subject: str) -> str:
        return subject

    def get_email_confirmation_url(self, request: HttpRequest, emailconfirmation: EmailConfirmation) -> str:
        return settings.PORTAL_URL + reverse("account_confirm_email", args=[emailconfirmation.key])

    def get_reset_password_from_key_url(self, key: str) -> str:
        uidb36, _, rest = key.partition("-")
        return settings.PORTAL_URL + reverse("account_reset_password_from_key", args=[uidb36, rest])
