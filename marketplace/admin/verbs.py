"""Buttons on a change page that do one thing: a POST of the page's own form, so it works without scripts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from accounts.public import Actor
from kit.django.admin import Admin, attempt
from kit.django.rest import address_of


def actor_of(request: HttpRequest) -> Actor:
    """The operator behind an admin request, for the audit log."""
    return Actor("admin", request.user.pk, str(request.user), address_of(request))


def by(request: HttpRequest) -> dict[str, Any]:
    """Who does it and when: the two arguments that every action takes."""
    return {"actor": actor_of(request), "at": timezone.now()}


@dataclass(frozen=True)
class Verb:
    """One button. `run(row, actor, at)` answers the sentence that is shown, and the row to go on to (or None)."""

    label: str
    run: Callable[[Any, Actor, datetime], tuple[str, Any]]
    offered: Callable[[Any], bool]


class WithVerbs(Admin):
    """An admin whose change page has the buttons of `verbs`; show them by the read-only field "verbs_here"."""

    verbs: ClassVar[Mapping[str, Verb]] = {}

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_verb"
        view = self.admin_site.admin_view(self.verb_view)
        return [path("<path:object_id>/do/<slug:verb>/", view, name=name), *super().get_urls()]

    def verb_view(self, request: HttpRequest, object_id: str, verb: str) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        row = self.get_object(request, object_id)
        if row is None or verb not in self.verbs or not self.may(request):
            raise PermissionDenied
        answer: list[tuple[str, Any]] = []
        if attempt(request, lambda: answer.append(self.verbs[verb].run(row, actor_of(request), timezone.now()))):
            said, other = answer[0]
            messages.success(request, said)
            return HttpResponseRedirect(self.page_of(other or row))
        return HttpResponseRedirect(self.page_of(row))

    def may(self, request: HttpRequest) -> bool:
        """Whether the operator may use the buttons: they change things where the fields themselves are read-only."""
        return bool(request.user.has_perm(f"{self.opts.app_label}.change_{self.opts.model_name}"))

    def page_of(self, row: Any) -> str:
        return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])

    def verbs_here(self, row: Any) -> SafeString:
        if row is None or row.pk is None:
            return SafeString("—")
        offered = [(name, verb) for name, verb in self.verbs.items() if verb.offered(row)]
        base = self.page_of(row).removesuffix("change/")
        button = (
            '<button type="submit" formmethod="post" formnovalidate formaction="{}do/{}/" '
            'class="bg-primary-600 text-white font-medium px-3 py-2 rounded-default mr-2 cursor-pointer">{}</button>'
        )
        return format_html_join("", button, ((base, name, verb.label) for name, verb in offered)) or SafeString("—")

    verbs_here.short_description = "Do"  # type: ignore[attr-defined]  # as Django's admin names a column
