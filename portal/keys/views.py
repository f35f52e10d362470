"""The key pages: list, create, the one showing of a secret, roll, revoke."""

import uuid
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from kit.django.outbox import Undelivered
from kit.errors import ProblemError
from marketplace import public as marketplace
from portal.docs.highlight import highlighted
from portal.home.first_call import api_slugs, first_call, held_now
from portal.keys import once
from portal.keys.forms import KeyForm, RollForm
from portal.keys.rows import key_rows
from portal.limits import limited
from portal.site.failures import in_a_sentence
from portal.who import Member, MemberRequest, demand, member_required

TWICE = "This form was sent twice and the key was made once. If you have not seen its secret, roll the key."


@require_GET
@member_required
def keys(request: MemberRequest) -> HttpResponse:
    member = request.member
    demand(member, "keys.read")
    rows = key_rows(marketplace.keys(member.org, used=True), at=timezone.now())
    revealed = _revealed(request, rows)
    context = {
        "page": "keys",
        "rows": rows,
        "revealed": revealed,
        "waiting": once.waiting(request),
        "may": member.may("keys.write"),
    }
    return render(request, "portal/keys/list.html", context)


def _revealed(request: MemberRequest, rows: list) -> tuple[str, str] | None:
    """The test key that the address asks to see: its id and its secret."""
    asked = request.GET.get("reveal", "")
    shown = next((row for row in rows if str(row.key.id) == asked and row.key.kind == "test" and row.works), None)
    return (asked, marketplace.reveal_test_key(request.member.org, id=shown.key.id)) if shown else None


@require_http_methods(["GET", "POST"])
@member_required
@limited("key")
def key_new(request: MemberRequest) -> HttpResponse:
    member = request.member
    demand(member, "keys.write")
    form = KeyForm(request.POST or None, apis=[(slug, slug) for slug in api_slugs(held_now(member))])
    if request.method == "POST" and form.is_valid():
        if not _first_time(request):
            messages.warning(request, TWICE)
            return redirect("keys")
        try:
            return _create(member, form)
        except ProblemError as error:
            _blame(form, error)
    status = 422 if request.method == "POST" else 200
    context = {"page": "keys", "form": form, "token": request.POST.get("token") or uuid.uuid4().hex}
    return render(request, "portal/keys/new.html", context, status=status)


def _create(member: Member, form: KeyForm) -> HttpResponse:
    at = timezone.now()
    key, secret = marketplace.create_key(
        member.org,
        project_id=member.project.id,
        name=form.cleaned_data["name"],
        kind=form.cleaned_data["kind"],
        scopes=form.scope_list(),
        expires_at=form.expires_at(at),
        allowed_ips=form.cleaned_data["allowed_ips"],
        actor=member.actor,
        at=at,
    )
    if key.kind == "test":
        return redirect(f"{reverse('keys')}?reveal={key.id}")
    response = redirect("key_once")
    once.hand_over(response, user_id=member.user_id, key_id=key.id, secret=secret, at=at)
    return response


@require_GET
@member_required
def key_once(request: MemberRequest) -> HttpResponse:
    """Show the secret that this browser was handed, and take it away with the same answer."""
    member = request.member
    handed = once.take(request, user_id=member.user_id, at=timezone.now())
    if handed is None:
        # Coming from another site, a browser keeps the sealed cookie back and sends only the mark that there is one.
        waiting = once.waiting(request)
        context = {"page": "keys", "waiting": waiting}
        return render(request, "portal/keys/gone.html", context, status=200 if waiting else 410)
    key = marketplace.key(member.org, id=handed.key_id)
    context = {
        "page": "keys",
        "key": key,
        "row": key_rows([key], at=timezone.now())[0],
        "secret": handed.secret,
        "dotenv": highlighted(f"TOLLGATE_API_KEY={handed.secret}"),
        "curl": highlighted(first_call(held_now(member), key=handed.secret), "shell"),
    }
    response = render(request, "portal/keys/once.html", context)
    once.forget(response)
    return response


@require_http_methods(["GET", "POST"])
@member_required
@limited("key")
def key_roll(request: MemberRequest, key_id: UUID) -> HttpResponse:
    member = request.member
    demand(member, "keys.write")
    key = marketplace.key(member.org, id=key_id)
    form = RollForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if not _first_time(request):
            messages.warning(request, TWICE)
            return redirect("keys")
        try:
            return _roll(member, key, form)
        except ProblemError as error:
            _blame(form, error)
    status = 422 if request.method == "POST" else 200
    context = {"page": "keys", "key": key, "form": form, "token": request.POST.get("token") or uuid.uuid4().hex}
    return render(request, "portal/keys/roll.html", context, status=status)


def _roll(member: Member, key: marketplace.KeyView, form: RollForm) -> HttpResponse:
    at = timezone.now()
    fresh, secret = marketplace.roll_key(member.org, id=key.id, overlap=form.chosen(), actor=member.actor, at=at)
    if fresh.kind == "test":
        return redirect(f"{reverse('keys')}?reveal={fresh.id}")
    response = redirect("key_once")
    once.hand_over(response, user_id=member.user_id, key_id=fresh.id, secret=secret, at=at)
    return response


@require_http_methods(["GET", "POST"])
@member_required
@limited("key")
def key_revoke(request: MemberRequest, key_id: UUID) -> HttpResponse:
    """Ask, then do it. Twice is once."""
    member = request.member
    demand(member, "keys.write")
    key = marketplace.key(member.org, id=key_id)
    if request.method == "GET":
        row = key_rows([key], at=timezone.now())[0]
        return render(request, "portal/keys/revoke.html", {"page": "keys", "key": key, "row": row})
    try:
        marketplace.revoke_key(member.org, id=key.id, actor=member.actor, at=timezone.now())
    except Undelivered:
        messages.warning(
            request, f"“{key.name}” is revoked, but the gateway has not taken it yet. It is told again each second."
        )
    else:
        messages.success(request, f"“{key.name}” is revoked: calls with it answer 401.")
    return redirect("keys")


def _blame(form: forms.Form, error: ProblemError) -> None:
    """Show a refusal at the fields it names. What is not the form's fault goes on."""
    if error.code not in ("invalid", "conflict"):
        raise error
    for wrong in error.errors:
        form.add_error(wrong.field if wrong.field in form.fields else None, wrong.message)
    if not error.errors:
        form.add_error(None, in_a_sentence(error))


def _first_time(request: HttpRequest) -> bool:
    """Whether this form has not been sent before (a double click sends it twice)."""
    token = request.POST.get("token", "")[:64]
    return not token or bool(cache.add(f"portal:form:{request.user.pk}:{token}", 1, 3600))
