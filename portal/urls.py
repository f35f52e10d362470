"""Pages."""

from allauth.account import views as allauth
from django.urls import include, path, re_path

from portal.account import views as account
from portal.catalogue import views as catalogue
from portal.docs import views as docs
from portal.guides import views as guides
from portal.home import views as home
from portal.keys import views as keys
from portal.site import views as site
from portal.usage import views as usage

entrance = [  # allauth reverses these names
    path("signup/", account.SignupView.as_view(), name="account_signup"),
    path("login/", account.LoginView.as_view(), name="account_login"),
    path("logout/", allauth.logout, name="account_logout"),
    path("inactive/", allauth.account_inactive, name="account_inactive"),
    path("reset/", account.ResetView.as_view(), name="account_reset_password"),
    path("reset/sent/", allauth.password_reset_done, name="account_reset_password_done"),
    path("reset/done/", allauth.password_reset_from_key_done, name="account_reset_password_from_key_done"),
    re_path(
        r"^reset/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>[^/]+)/$",  # the key holds dashes, the id none
        account.ResetFromKeyView.as_view(),
        name="account_reset_password_from_key",
    ),
    path("verify/", allauth.email_verification_sent, name="account_email_verification_sent"),
    path("verify/again/", account.verify_again, name="verify_again"),
    path("verify/<str:key>/", allauth.confirm_email, name="account_confirm_email"),
    path("account/email/", account.EmailView.as_view(), name="account_email"),
    path("account/password/", account.ChangePasswordView.as_view(), name="account_change_password"),
    path("account/password/set/", account.SetPasswordView.as_view(), name="account_set_password"),
    path("account/reauthenticate/", account.ReauthenticateView.as_view(), name="account_reauthenticate"),
    path("account/2fa/", include("allauth.mfa.urls")),
]

public = [
    path("", site.index, name="index"),
    path("apis/", catalogue.catalogue, name="catalogue"),
    path("apis/<slug:slug>/", catalogue.api, name="api"),
    path("apis/<slug:slug>/subscribe/", catalogue.subscribe, name="subscribe"),
    path("apis/<slug:slug>/docs/", docs.reference, name="reference"),
    path("apis/<slug:slug>/docs/<path:operation_id>/", docs.operation, name="operation"),
    path("docs/", guides.index, name="guides"),
    path("docs/errors/", guides.errors, name="errors"),
    path("docs/errors/<slug:code>.md", guides.error_source, name="error_source"),
    path("docs/errors/<slug:code>/", guides.error, name="error"),
    path("docs/<slug:slug>.md", guides.guide_source, name="guide_source"),
    path("docs/<slug:slug>/", guides.guide, name="guide"),
    path("theme/", site.theme, name="theme"),
    path("healthz", site.health),
    path("readyz", site.ready),
    path("favicon.ico", site.favicon),
    path(".well-known/security.txt", site.security_txt),
]

console = [
    path("app/", home.home, name="home"),
    path("app/start/", home.start, name="start"),
    path("app/keys/", keys.keys, name="keys"),
    path("app/keys/new/", keys.key_new, name="key_new"),
    path("app/keys/once/", keys.key_once, name="key_once"),
    path("app/keys/<uuid:key_id>/roll/", keys.key_roll, name="key_roll"),
    path("app/keys/<uuid:key_id>/revoke/", keys.key_revoke, name="key_revoke"),
    path("app/usage/", usage.usage, name="usage"),
]

urlpatterns = [*public, *entrance, *console]
