"""The pages for what went wrong: each says what happened and what to do, and none can fail by itself."""

import uuid

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from kit.errors import ProblemError
from kit.problems import PROBLEMS
from kit.problems import render as render_problem

PROBLEM_JSON = "application/problem+json"


def failure(
    request: HttpRequest, code: str, *, detail: str = "", retry_after: int | None = None, status: int = 0
) -> HttpResponse:
    """Answer with the page for a problem; programs under /api/ get the problem itself (RFC 9457)."""
    problem = PROBLEMS[code]
    status = status or problem.status
    if request.path.startswith("/api/"):
        return problem_json(request, code, detail=detail, retry_after=retry_after)
    if not hasattr(request, "user"):  # refused before anybody asked who it is: a host that is not ours
        return _bare(request, code, retry_after=retry_after)
    context = {"problem": problem, "status": status, "detail": detail or problem.detail, "retry_after": retry_after}
    template = "portal/site/failure_fragment.html" if request.headers.get("HX-Request") else "portal/site/failure.html"
    response = render(request, template, context, status=status)
    if retry_after:
        response["Retry-After"] = str(retry_after)
    response["Cache-Control"] = "no-store"
    return response


def problem_json(request: HttpRequest, code: str, *, detail: str = "", retry_after: int | None = None) -> HttpResponse:
    body = render_problem(
        code,
        portal_url=settings.PORTAL_URL,
        request_id=str(uuid.uuid4()),
        detail=detail,
        retry_after=retry_after,
    )
    return JsonResponse(body, status=PROBLEMS[code].status, content_type=PROBLEM_JSON)


def too_many_attempts(request: HttpRequest, *, what: str, retry_after: int) -> HttpResponse:
    detail = f"{what} from here have reached their limit. Try again in {in_words(retry_after)}."
    return failure(request, "too_many_attempts", detail=detail, retry_after=retry_after)


def too_many_requests(request: HttpRequest) -> HttpResponse:
    """For allauth, which says neither of what nor for how long."""
    return failure(request, "too_many_attempts")


def in_a_sentence(error: ProblemError) -> str:
    """What a refused action says, for a message or the top of a form."""
    return error.detail or "; ".join(wrong.message for wrong in error.errors) or PROBLEMS[error.code].detail


def in_words(seconds: int) -> str:
    """ "40 seconds", "12 minutes": rounded up, never zero."""
    if seconds < 90:
        return f"{max(1, seconds)} second{'' if seconds == 1 else 's'}"
    minutes = -(-seconds // 60)
    return f"{minutes} minutes" if minutes < 90 else f"{-(-minutes // 60)} hours"


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return failure(request, "not_found")


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return failure(request, "permission_denied")


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return failure(request, "bad_request")


def broken(request: HttpRequest) -> HttpResponse:
    """The 500 page."""
    return _bare(request, "internal_error")


def broken_store(request: HttpRequest) -> HttpResponse:
    """The 503 page: PostgreSQL or Redis is away."""
    return _bare(request, "unavailable", retry_after=5)


def _bare(request: HttpRequest, code: str, *, retry_after: int | None = None) -> HttpResponse:
    """A page without context processors or session, so that what broke cannot break it too."""
    if request.path.startswith("/api/"):
        return problem_json(request, code, retry_after=retry_after)
    html = render_to_string("portal/site/bare.html", {"problem": PROBLEMS[code], "path": request.path})
    response = HttpResponse(html, status=PROBLEMS[code].status)
    if retry_after:
        response["Retry-After"] = str(retry_after)
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form came without this browser's token: usually cookies are off, or the page is older than the session."""
    context = {"reason": reason}
    return render(request, "portal/site/csrf.html", context, status=403)
