"""REST routes of accounts, below /api/v1/."""

from django.urls import path

from accounts.rest import views

urlpatterns = [
    path("me", views.Me.as_view()),
    path("organizations", views.Organizations.as_view()),
    path("organizations/<uuid:id>", views.OneOrganization.as_view()),
    path("projects", views.Projects.as_view()),
    path("tokens", views.Tokens.as_view()),
    path("tokens/<uuid:id>/revoke", views.RevokeToken.as_view()),
    path("audit-events", views.AuditEvents.as_view()),
]
