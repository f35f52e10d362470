"""The catalogue, and the page of one API."""

from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from kit.django.outbox import Undelivered
from kit.errors import ProblemError
from marketplace import public as marketplace
from portal.docs.hero import hero_of
from portal.docs.pick import grouped, newest
from portal.keys import once
from portal.links import next_of
from portal.site.failures import in_a_sentence
from portal.who import MemberRequest, demand, member_of, member_required

LONGEST_QUERY = 200
PER_PAGE = 24


@require_safe
def catalogue(request: HttpRequest) -> HttpResponse:
    q = searched(request)
    category = "".join(filter(str.isprintable, request.GET.get("category", "")))[:80]
    size = marketplace.catalogue_size(q=q, category=category)
    page = _page_number(request.GET.get("page", ""), last=max(1, -(-size // PER_PAGE)))
    context = {
        "q": q,
        "category": category,
        "categories": _category_links(q, category),
        "count": size,
        "apis": marketplace.catalogue(q=q, category=category, start=(page - 1) * PER_PAGE, count=PER_PAGE),
        "earlier": _address(q, category, page - 1) if page > 1 else "",
        "later": _address(q, category, page + 1) if page * PER_PAGE < size else "",
        "first": (page - 1) * PER_PAGE + 1,
        "last": min(page * PER_PAGE, size),
    }
    return render(request, "portal/catalogue/list.html", context)


def searched(request: HttpRequest) -> str:
    """What the search box asks for, as it can be asked and printed again."""
    return "".join(filter(str.isprintable, request.GET.get("q", ""))).strip()[:LONGEST_QUERY]


def _page_number(text: str, *, last: int) -> int:
    """A page that is there, whatever was asked for."""
    return min(max(1, int(text)), last) if text.isascii() and text.isdigit() and len(text) < 6 else 1


def _category_links(q: str, chosen: str) -> list[tuple[str, int, str, bool]]:
    """Name, count, address and whether it is the chosen one; an unknown choice shows as none chosen."""
    return [(name, count, _address(q, name, 1), name == chosen) for name, count in marketplace.categories()]


def _address(q: str, category: str, page: int) -> str:
    asked = {"q": q, "category": category, "page": str(page) if page > 1 else ""}
    query = urlencode({name: value for name, value in asked.items() if value})
    return reverse("catalogue") + (f"?{query}" if query else "")


@require_safe
def api(request: HttpRequest, slug: str) -> HttpResponse:
    member = member_of(request)
    shown = find_api(slug, request)
    operations = marketplace.operations(shown.id)
    context = {
        "api": shown,
        "hero": hero_of(shown, operations),
        "groups": grouped(newest(operations)),
        "count": len(newest(operations)),
        "plans": marketplace.plans(shown.id),
        "subscribed": member is not None and marketplace.reaches(member.org, api_slug=slug),
        "member": member,
        "waiting": once.waiting(request),
    }
    return render(request, "portal/catalogue/api.html", context)


def find_api(slug: str, request: HttpRequest, *, priced: bool = False) -> marketplace.ApiView:
    """The API as this reader may see it. Raises ProblemError not_found."""
    member = member_of(request)
    return marketplace.api(slug, viewer=member.org if member else None, priced=priced)


@require_POST
@member_required
def subscribe(request: MemberRequest, slug: str) -> HttpResponse:
    """Take a free plan and come back. Twice is once."""
    member = request.member
    demand(member, "subscriptions.write")
    back = redirect(next_of(request, default=reverse("api", args=[slug])))
    try:
        marketplace.subscribe_free(
            member.org,
            project_id=member.project.id,
            api_slug=slug,
            user_id=member.user_id,
            actor=member.actor,
            at=timezone.now(),
            plan_slug=request.POST.get("plan", "")[:80],
        )
    except ProblemError as error:
        if error.code == "not_found":
            raise
        messages.error(request, in_a_sentence(error))
    except Undelivered:
        messages.warning(request, "Subscribed. The gateway has not taken it yet; it is told again each second.")
    else:
        messages.success(request, "Subscribed: your keys now reach this API.")
    return back
