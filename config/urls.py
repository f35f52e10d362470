"""All URLs of the portal process: pages, admin, management REST."""

from django.contrib import admin
from django.urls import include, path

from demo.mail import mailbox

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/v1/", include("config.rest_urls")),
    path("demo/mail/", mailbox),
    path("", include("portal.urls")),
]

handler400 = "portal.site.failures.bad_request"
handler403 = "portal.site.failures.forbidden"
handler429 = "portal.site.failures.too_many_requests"  # allauth looks for it
handler404 = "portal.site.failures.not_found"
handler500 = "portal.site.failures.broken"
