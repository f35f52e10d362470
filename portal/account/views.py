"""allauth's views under our addresses: 422 for invalid input, limits in front, the live secret handed over."""

from typing import Any, cast

from allauth.account import views as allauth
from allauth.account.internal.flows.email_verification import send_verification_email_to_address
from allauth.account.models import EmailAddress
from django.contrib import messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.views.decorators.http import require_POST

from portal.account.forms import LoginForm, SignupForm, plain
from portal.keys import once
from portal.limits import limited
from portal.links import next_of


class Unprocessable:
    """An invalid form is answered 422, by the same view, with what was typed; a `next` that leads out is dropped."""

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**more)  # type: ignore[misc]
        target = next_of(self.request)  # type: ignore[attr-defined]
        field = format_html('<input type="hidden" name="next" value="{}">', target) if target else ""
        return context | {"redirect_field": field, "redirect_field_value": target}

    def form_invalid(self, form: Any) -> HttpResponse:
        response = super().form_invalid(form)  # type: ignore[misc]
        response.status_code = 422
        return response


class Plain:
    def get_form(self, form_class: Any = None) -> Any:
        form = super().get_form(form_class)  # type: ignore[misc]
        plain(form)
        return form


@method_decorator(limited("signup"), name="dispatch")
class SignupView(Unprocessable, allauth.SignupView):
    form_class = SignupForm

    def form_valid(self, form: SignupForm) -> HttpResponse:
        """Sign in at once and come back; the browser takes the live secret along, sealed."""
        response = super().form_valid(form)
        if form.minted:
            once.hand_over(
                response,
                user_id=self.user.pk,
                key_id=form.minted.live_key.id,
                secret=form.minted.live_secret,
                at=timezone.now(),
            )
        return response


@method_decorator(limited("login"), name="dispatch")
class LoginView(Unprocessable, allauth.LoginView):
    form_class = LoginForm


@method_decorator(limited("reset"), name="dispatch")
class ResetView(Plain, Unprocessable, allauth.PasswordResetView):
    pass


class ResetFromKeyView(Plain, Unprocessable, allauth.PasswordResetFromKeyView):
    pass


class ChangePasswordView(Plain, Unprocessable, allauth.PasswordChangeView):
    pass


class SetPasswordView(Plain, Unprocessable, allauth.PasswordSetView):
    pass


@method_decorator(limited("verify"), name="dispatch")
class EmailView(Plain, Unprocessable, allauth.EmailView):
    pass


@method_decorator(limited("login"), name="dispatch")
class ReauthenticateView(Plain, Unprocessable, allauth.ReauthenticateView):
    pass


@require_POST
@login_required
@limited("verify")
def verify_again(request: HttpRequest) -> HttpResponse:
    """Send the verification link once more, to the address of the account."""
    address = address_of(cast(AbstractBaseUser, request.user))
    if address.verified:
        messages.info(request, f"{address.email} is verified.")
    elif send_verification_email_to_address(request, address):
        messages.success(request, f"We have sent the link to {address.email} again.")
    else:
        messages.info(request, f"We sent the link to {address.email} a moment ago. Look into the spam folder too.")
    return redirect(next_of(request, default="/app/"))


def address_of(user: AbstractBaseUser) -> EmailAddress:
    """The person's address as allauth keeps it; made for accounts that did not come through the form."""
    found = EmailAddress.objects.filter(user_id=user.pk).order_by("-primary", "pk").first()
    return found or EmailAddress.objects.create(user_id=user.pk, email=user.get_username(), primary=True)
