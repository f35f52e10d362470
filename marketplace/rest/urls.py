"""REST routes of the marketplace, below /api/v1/."""

from django.urls import path

from marketplace.rest import catalogue, holdings

urlpatterns = [
    path("apis", catalogue.Apis.as_view()),
    path("apis/<slug:slug>", catalogue.OneApi.as_view()),
    path("versions", catalogue.Versions.as_view()),
    path("versions/<uuid:id>", catalogue.OneVersion.as_view()),
    path("plans", catalogue.Plans.as_view()),
    path("plans/<slug:slug>", catalogue.OnePlan.as_view()),
    path("subscriptions", holdings.Subscriptions.as_view()),
    path("subscriptions/<uuid:id>", holdings.OneSubscription.as_view()),
    path("subscriptions/<uuid:id>/cancel", holdings.CancelSubscription.as_view()),
    path("keys", holdings.Keys.as_view()),
    path("keys/<uuid:id>", holdings.OneKey.as_view()),
    path("keys/<uuid:id>/revoke", holdings.RevokeKey.as_view()),
    path("keys/<uuid:id>/roll", holdings.RollKey.as_view()),
    path("keys/<uuid:id>/reveal", holdings.RevealKey.as_view()),
]
