"""Run: send the form's request through the gateway's own flow, in this process, and keep what came back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from gateway import public as gateway
from kit.problems import PROBLEMS
from marketplace import public as marketplace
from portal.address import client_address
from portal.docs.outgoing import Outgoing
from portal.docs.reply import Fix, Reply, Trouble, show
from portal.limits import Exceeded
from portal.who import Member, member_of

Kind = Literal["test", "live"]


@dataclass(frozen=True)
class Environment:
    """Where a Run goes: the chosen environment, and which of them the API has."""

    kind: Kind
    sandbox: bool
    live: bool
    visitor: bool


@dataclass(frozen=True)
class Outcome:
    """What came of a Run: a reply, or the reason why there is none."""

    reply: Reply | None = None
    trouble: Trouble | None = None  # refused before any call was made
    refused: Exceeded | None = None  # too many from here
    wait: str = ""
    visitor: bool = False


def environment_of(request: HttpRequest, operation: marketplace.OperationView, api: marketplace.ApiView) -> Environment:
    """The environment asked for, as far as the reader and the API have it. Visitors have the sandbox only."""
    version = next((v for v in api.versions if v.id == operation.version_id), None)
    sandbox, live = (version.sandbox, version.live) if version else (False, False)
    visitor = member_of(request) is None
    asked = request.POST.get("environment") or request.GET.get("environment") or ""
    kind: Kind = "live" if not visitor and live and (asked == "live" or not sandbox) else "test"
    return Environment(kind, sandbox, live, visitor)


def run_once(request: HttpRequest, api: marketplace.ApiView, outgoing: Outgoing, environment: Environment) -> Outcome:
    """Make the call with the reader's own grant, or a visitor's. Never sends a cookie or a token of the portal."""
    member = member_of(request)
    at = timezone.now()
    if member is None:
        grant = marketplace.visitor_grant(api.slug, at=at)
    else:
        found = marketplace.run_grant(member.org, api_slug=api.slug, kind=environment.kind, at=at)
        if found is None:
            return Outcome(trouble=_no_key(environment.kind))
        grant = found
    reply = gateway.run(
        settings.GATEWAY,
        method=outgoing.method,
        path=outgoing.path,
        query=outgoing.query,
        headers=[(name.lower(), value) for name, value in outgoing.headers],
        body=outgoing.body.encode(),
        client=client_address(request),
        grant=grant,
        api=marketplace.api_record(api.slug),
    )
    shown = show(reply, test=environment.kind == "test", api_slug=api.slug)
    return Outcome(reply=shown, visitor=member is None)


def _no_key(kind: Kind) -> Trouble:
    word = "sandbox" if kind == "test" else "live"
    problem = PROBLEMS["key_missing"]
    fix = Fix("Create a key", reverse("key_new"))
    return Trouble(problem.code, problem.title, f"Your organization has no working {word} key.", "", "", fix)


def own_test_key(member: Member | None, *, keys: Sequence[marketplace.KeyView] | None = None) -> str:
    """The newest working test key of the first project, for the samples; "" for visitors and where there is none."""
    if member is None:
        return ""
    at = timezone.now()
    keys = marketplace.keys(member.org) if keys is None else keys
    first_project = keys[-1].project_id if keys else None
    mine = next((k for k in keys if k.kind == "test" and k.works(at) and k.project_id == first_project), None)
    return marketplace.reveal_test_key(member.org, id=mine.id) if mine else ""
