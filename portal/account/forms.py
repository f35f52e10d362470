"""Sign-up in two fields; what else an account needs is minted with it."""

from typing import Any

from allauth.account import forms as allauth
from allauth.account.adapter import get_adapter
from allauth.account.internal import flows
from allauth.account.models import Login
from django import forms
from django.core.validators import MaxLengthValidator
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from marketplace.public import Minted

LONGEST_EMAIL = 254  # of the column


class SignupForm(allauth.SignupForm):
    """An address that is taken never says so: its holder gets a mail, the page says "check your inbox"."""

    minted: Minted | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        plain(self)
        self.fields["email"].validators.append(MaxLengthValidator(LONGEST_EMAIL))  # allauth would cut it
        self.fields["password1"].help_text = "At least 10 characters."

    def validate_unique_email(self, value: str) -> str:
        self.account_already_exists = flows.manage_email.assess_unique_email(value) is not True
        return value

    def try_save(self, request: HttpRequest) -> tuple[Any, HttpResponse | None]:
        """Save in one transaction; the loser of two equal sign-ups at once is treated as the address being taken."""
        if not self.account_already_exists:
            try:
                with transaction.atomic():
                    return super().try_save(request)
            except IntegrityError:
                self.account_already_exists = True
        return None, self._taken(request)

    def _taken(self, request: HttpRequest) -> HttpResponse:
        """With the right password it is a sign-in; without it, a mail tells the holder."""
        email, password = self.cleaned_data["email"], self.cleaned_data["password1"]
        adapter = get_adapter(request)
        try:
            user = adapter.authenticate(request, email=email, password=password)
        except forms.ValidationError:  # too many wrong passwords for this address
            user = None
        if user is not None:
            return flows.login.perform_login(request, Login(user=user, email=email))
        adapter.send_account_already_exists_mail(email)
        return HttpResponseRedirect(reverse("account_email_verification_sent"))


class LoginForm(allauth.LoginForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        plain(self)
        self.fields["login"].label = "E-mail"
        self.fields["password"].help_text = ""


def plain(form: forms.Form) -> None:
    """Labels stand above the field; a placeholder that repeats them is noise."""
    for field in form.fields.values():
        field.widget.attrs.pop("placeholder", None)
    if "email" in form.fields:
        form.fields["email"].label = "E-mail"
