"""All URLs of the portal process: pages, admin, management REST."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/v1/", include("config.rest_urls")),
    path("", include("portal.urls")),
]
