"""Who enters the operators' pages: staff, and with a second factor where settings.ADMIN_MFA asks for it.

Signing in there is signing in to the portal: one form, with its rate limits and its second factor.
"""

from typing import Any

from allauth.account.decorators import secure_admin_login
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

_admin_login = admin.site.login


def may_enter(request: HttpRequest) -> bool:
    """Whether a request may see an operators' page; takes the place of AdminSite.has_permission."""
    if not (request.user.is_active and request.user.is_staff):
        return False
    return not settings.ADMIN_MFA or bool(is_mfa_enabled(request.user))


@secure_admin_login
def sign_in(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
    """Send visitors to the portal's login, and staff without a second factor to where it is set up."""
    if may_enter(request):
        return _admin_login(request, extra_context)
    messages.info(request, "Operators sign in with a second factor: set it up here, then come back.")
    return HttpResponseRedirect(reverse("mfa_activate_totp"))
