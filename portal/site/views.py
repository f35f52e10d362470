"""The front page and the small addresses every site has."""

from datetime import timedelta

from django.conf import settings
from django.contrib.staticfiles import finders
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_POST, require_safe

from gateway.public import NotPublished, directory_present
from marketplace import public as marketplace
from portal.context import THEMES
from portal.docs.hero import hero_of
from portal.links import next_of
from portal.site.failures import csrf_failure, failure

__all__ = ("csrf_failure", "favicon", "health", "index", "ready", "security_txt", "theme", "too_many")
FEATURED = 6
YEAR = 365 * 24 * 3600


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """What this is, in one screen, with one request that runs."""
    apis = marketplace.catalogue(count=FEATURED)
    shown = next((api for api in apis if any(version.sandbox for version in api.versions)), None)
    context = {
        "apis": apis,
        "count": marketplace.catalogue_size(),
        "hero": hero_of(shown) if shown else None,
        "hero_api": shown,
    }
    return render(request, "portal/site/home.html", context)


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Keep the chosen colours in a cookie; anything else goes back to the system's."""
    response = redirect(next_of(request, default="/"))
    chosen = request.POST.get("theme", "")
    if chosen in THEMES:
        response.set_cookie("theme", chosen, max_age=YEAR, samesite="Lax", secure=settings.HTTPS)
    else:
        response.delete_cookie("theme", samesite="Lax")
    return response


@require_safe
def health(request: HttpRequest) -> HttpResponse:
    """This process answers; it asks no store."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """Whether pages can be served: PostgreSQL answers, Redis answers and holds the directory."""
    with connection.cursor() as cursor:
        cursor.execute("select 1")
    try:
        directory = directory_present(settings.GATEWAY)
    except NotPublished:
        return JsonResponse({"database": "ok", "redis": "away"}, status=503)
    state = {"database": "ok", "redis": "ok", "directory": "ok" if directory else "missing"}
    return JsonResponse(state, status=200 if directory else 503)


@require_safe
@cache_control(max_age=86_400)
def security_txt(request: HttpRequest) -> HttpResponse:
    """RFC 9116. `Expires` is always half a year ahead: the contact is this installation's own."""
    expires = (timezone.now() + timedelta(days=182)).strftime("%Y-%m-%dT00:00:00Z")
    lines = [
        f"Contact: {settings.SECURITY_CONTACT}",
        f"Expires: {expires}",
        "Preferred-Languages: en",
        f"Canonical: {settings.PORTAL_URL}/.well-known/security.txt",
    ]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


@require_safe
@cache_control(max_age=86_400)
def favicon(request: HttpRequest) -> HttpResponse:
    """For what asks at the old address without reading the page."""
    with open(str(finders.find("img/favicon.svg")), "rb") as image:  # noqa: PTH123  finders answer text
        return HttpResponse(image.read(), content_type="image/svg+xml")


def too_many(request: HttpRequest, exception: Exception) -> HttpResponse:
    """RATELIMIT_VIEW: for a view that uses django-ratelimit's own decorator."""
    return failure(request, "too_many_attempts")
