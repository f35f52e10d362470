"""Guides, and a page per error code, each with its Markdown twin."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from kit.problems import PROBLEMS
from portal.guides.markdown import page_html
from portal.guides.pages import error_page, guides, problems_by_status
from portal.guides.pages import guide as find_guide

MARKDOWN = "text/markdown; charset=utf-8"


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/guides/index.html", {"guides": guides(), "codes": len(PROBLEMS)})


@require_safe
def guide(request: HttpRequest, slug: str) -> HttpResponse:
    page = find_guide(slug)
    if page is None:
        raise Http404
    pages = guides()
    after = pages[pages.index(page) + 1 :]
    context = {"guide": page, "html": page_html(page.text), "guides": pages, "next_guide": after[0] if after else None}
    return render(request, "portal/guides/page.html", context)


@require_safe
def guide_source(request: HttpRequest, slug: str) -> HttpResponse:
    page = find_guide(slug)
    if page is None:
        raise Http404
    return HttpResponse(page.source, content_type=MARKDOWN)


@require_safe
def errors(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/errors/index.html", {"groups": problems_by_status(), "count": len(PROBLEMS)})


@require_safe
def error(request: HttpRequest, code: str) -> HttpResponse:
    page = error_page(code)
    if page is None:
        raise Http404
    context = {"problem": PROBLEMS[code], "guide": page, "html": page_html(page.text), "groups": problems_by_status()}
    return render(request, "portal/errors/page.html", context)


@require_safe
def error_source(request: HttpRequest, code: str) -> HttpResponse:
    page = error_page(code)
    if page is None:
        raise Http404
    return HttpResponse(page.source, content_type=MARKDOWN)
