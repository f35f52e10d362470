"""What every template knows: the site's name, the theme, where we are, who looks, and at most one banner."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from portal import banners
from portal.who import Member, member_of

THEMES = ("light", "dark")
SECTIONS = {"app": "app", "apis": "apis", "docs": "docs"}


@dataclass(frozen=True)
class Site:
    """Read lazily: a page that shows no banner asks nobody about it."""

    request: HttpRequest
    name: str = "Tollgate"

    @property
    def gateway_url(self) -> str:
        return str(settings.GATEWAY_URL)

    @property
    def theme(self) -> str:
        chosen = self.request.COOKIES.get("theme", "")
        return chosen if chosen in THEMES else ""

    @property
    def section(self) -> str:
        return SECTIONS.get(self.request.path.split("/")[1], "")

    @cached_property
    def member(self) -> Member | None:
        return member_of(self.request)

    @cached_property
    def banner(self) -> banners.Banner | None:
        return banners.first(self.request, self.member) if self.member else None


def site(request: HttpRequest) -> dict[str, Any]:
    """Named `portal`: allauth calls its own `site`."""
    return {"portal": Site(request)}
