"""REST routes of usage, below /api/v1/."""

from django.urls import path

from usage.rest import views

urlpatterns = [
    path("usage", views.Usage.as_view()),
    path("events", views.Events.as_view()),
]
