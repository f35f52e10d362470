"""The reference of an API: its index, and one operation per page with its form, samples and Run."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from marketplace import public as marketplace
from portal.catalogue.views import find_api, searched
from portal.docs.declared import example_reply
from portal.docs.form import OperationForm, shown_parameters, typed_values
from portal.docs.highlight import highlighted
from portal.docs.outgoing import Values, compose, field_name
from portal.docs.pick import Group, grouped
from portal.docs.run import Environment, Outcome, environment_of, own_test_key, run_once
from portal.docs.samples import Sample, samples
from portal.docs.schema import Node, schema_tree
from portal.keys import once
from portal.limits import spend
from portal.site.failures import in_words
from portal.who import member_of

PLACEHOLDER = "YOUR_API_KEY"


@dataclass(frozen=True)
class Row:
    """A parameter beside its input."""

    parameter: marketplace.ParameterView
    tree: Node
    field: object


@dataclass(frozen=True)
class Answer:
    """A declared response: its status, words and schema."""

    status: str
    description: str
    tree: Node | None


@require_safe
def reference(request: HttpRequest, slug: str) -> HttpResponse:
    api = find_api(slug, request)
    operations = _of_version(marketplace.operations(api.id), request.GET.get("version", ""))
    q = searched(request)
    found = [
        o for o in operations if q.lower() in f"{o.method} {o.full_path} {o.summary} {o.operation_id} {o.tag}".lower()
    ]
    context = {"api": api, "groups": grouped(found), "count": len(found), "total": len(operations), "q": q}
    return render(request, "portal/docs/index.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def operation(request: HttpRequest, slug: str, operation_id: str) -> HttpResponse:
    """Read, fill in, Run: a POST runs the request and answers the same page with the reply (or only the reply)."""
    api = find_api(slug, request, priced=member_of(request) is None)
    operations = marketplace.operations(api.id)
    shown = _chosen(operations, operation_id, request.GET.get("version", ""))
    environment = environment_of(request, shown, api)
    if request.method == "POST":
        return _run(request, api, shown, operations, environment)
    response = _read(request, api, shown, operations, environment)
    if member_of(request):
        response["Cache-Control"] = "private, no-store"  # the reader's key stands in it
    return response


def _read(
    request: HttpRequest,
    api: marketplace.ApiView,
    shown: marketplace.OperationView,
    operations: list[marketplace.OperationView],
    environment: Environment,
) -> HttpResponse:
    values = typed_values(shown, request.GET)
    if request.headers.get("HX-Target") == "samples":
        context = _samples_context(request, shown, values) | {"alone": True, "request_line": compose(shown, values)}
        return render(request, "portal/docs/samples.html", context)
    form = OperationForm(shown)
    form.initial = dict(values)
    return render(
        request, "portal/docs/operation.html", _context(request, api, shown, operations, form, values, environment)
    )


def _run(
    request: HttpRequest,
    api: marketplace.ApiView,
    shown: marketplace.OperationView,
    operations: list[marketplace.OperationView],
    environment: Environment,
) -> HttpResponse:
    form = OperationForm(shown, request.POST)
    values = typed_values(shown, request.POST)
    outcome, status = None, 200
    if not form.is_valid():
        status = 422
    elif exceeded := spend(request, "run" if member_of(request) else "visitor_run"):
        status, outcome = 429, Outcome(refused=exceeded, wait=in_words(exceeded.retry_after))
    else:
        outcome = run_once(request, api, compose(shown, values), environment)
    context = _context(request, api, shown, operations, form, values, environment) | {"outcome": outcome}
    template = "portal/docs/reply.html" if request.headers.get("HX-Request") else "portal/docs/operation.html"
    response = render(request, template, context, status=status)
    if outcome and outcome.refused:
        response["Retry-After"] = str(outcome.refused.retry_after)
    response["Cache-Control"] = "no-store"
    return response


def _context(
    request: HttpRequest,
    api: marketplace.ApiView,
    shown: marketplace.OperationView,
    operations: list[marketplace.OperationView],
    form: OperationForm,
    values: Values,
    environment: Environment,
) -> dict[str, object]:
    return {
        "api": api,
        "operation": shown,
        "groups": _navigation(operations, shown),
        "form": form,
        "rows": [Row(p, schema_tree(p.schema), form[field_name(p)]) for p in shown_parameters(shown)],
        "body_tree": schema_tree(shown.body.content[0].schema) if shown.body and shown.body.content else None,
        "answers": _answers(shown),
        "example": highlighted(example_reply(shown), "json"),
        "request_line": compose(shown, values),
        "environment": environment.kind,
        "env": environment,
        "outcome": None,
        "waiting": once.waiting(request),
        "here": _here(request, shown, values),
        **_samples_context(request, shown, values),
    }


def _samples_context(request: HttpRequest, shown: marketplace.OperationView, values: Values) -> dict[str, object]:
    key = own_test_key(member_of(request)) or PLACEHOLDER
    language = request.COOKIES.get("language", "curl")
    found: tuple[Sample, ...] = samples(compose(shown, values), gateway=settings.GATEWAY_URL, key=key)
    known = {sample.language.slug for sample in found}
    return {"samples": found, "own_key": key != PLACEHOLDER, "language": language if language in known else "curl"}


def _here(request: HttpRequest, shown: marketplace.OperationView, values: Values) -> str:
    """This page with these parameters: where signing up comes back to."""
    asked = {name: value for name, value in values.items() if value and len(value) < 1_000}
    if version := request.GET.get("version"):
        asked["version"] = version[:40]
    return f"{request.path}?{urlencode(asked)}" if asked else request.path


def _of_version(operations: list[marketplace.OperationView], asked: str) -> list[marketplace.OperationView]:
    """The operations of the version asked for; of the newest where it is not there."""
    names = [operation.version for operation in operations]
    version = asked if asked in names else next(iter(names), "")
    return [operation for operation in operations if operation.version == version]


def _chosen(operations: list[marketplace.OperationView], operation_id: str, version: str) -> marketplace.OperationView:
    """Raises Http404."""
    named = [o for o in operations if o.operation_id == operation_id]
    found = next((o for o in named if o.version == version), None) or next(iter(named), None)
    if found is None:
        raise Http404
    return found


def _navigation(operations: list[marketplace.OperationView], shown: marketplace.OperationView) -> tuple[Group, ...]:
    return grouped([operation for operation in operations if operation.version == shown.version])


def _answers(shown: marketplace.OperationView) -> list[Answer]:
    return [
        Answer(r.status, r.description, schema_tree(r.content[0].schema) if r.content else None)
        for r in shown.responses
    ]


__all__ = ("operation", "reference")
