"""The management REST API: every app's `rest/` mounted under /api/v1/."""

from django.urls import include, path
from drf_spectacular.views import SpectacularJSONAPIView

urlpatterns = [
    path("openapi.json", SpectacularJSONAPIView.as_view(authentication_classes=[], permission_classes=[])),
    path("", include("accounts.rest.urls")),
    path("", include("marketplace.rest.urls")),
    path("", include("usage.rest.urls")),
]
