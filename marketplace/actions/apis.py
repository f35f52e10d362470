"""Owns: an API's life: created, published, suspended, retired. Does not own: its versions and servers (`versions.py`).
Idempotent: each verb leaves an API that is there already as it is, and tells the gateway again."""

from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts import public as accounts
from accounts.public import Actor
from kit.errors import ProblemError, invalid
from marketplace import queries
from marketplace.actions.telling import note, tell
from marketplace.mapping import api_view
from marketplace.models import Api, ApiState, Environment, VersionState, Visibility
from marketplace.text import clean_line, clean_slug, clean_text
from marketplace.values import ApiView

_LINES = {"name": (120, True), "summary": (200, False), "category": (60, False)}  # most characters, required


@transaction.atomic
def create_api(
    org: UUID,
    *,
    slug: str,
    name: str,
    actor: Actor,
    at: datetime,
    summary: str = "",
    description_md: str = "",
    category: str = "",
    visibility: str = "public",
    featured: bool = False,
    pass_undeclared: bool = False,
) -> ApiView:
    """Create a draft that the organization provides. Raises ProblemError invalid, conflict (slug taken)."""
    row = Api(provider_id=accounts.organization(org).id, slug=clean_slug(slug), featured=featured)
    texts = {"name": name, "summary": summary, "category": category}
    _describe(row, texts | {"description_md": description_md, "visibility": visibility})
    row.pass_undeclared = pass_undeclared
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        raise ProblemError("conflict", f"The name {row.slug!r} is taken.") from error
    note(row, "api.created", org=org, actor=actor, at=at, after={"slug": row.slug, "name": row.name})
    return _view(row.id)


@transaction.atomic
def update_api(
    org: UUID,
    *,
    id: UUID,
    actor: Actor,
    at: datetime,
    texts: dict[str, str] | None = None,
    featured: bool | None = None,
    pass_undeclared: bool | None = None,
) -> ApiView:
    """Change what an API says of itself: name, summary, category, description_md, visibility. Its slug stays.

    Raises ProblemError invalid, not_found.
    """
    row = locked(org, id)
    before = _facts(row)
    _describe(row, texts or {})
    row.featured = row.featured if featured is None else featured
    row.pass_undeclared = row.pass_undeclared if pass_undeclared is None else pass_undeclared
    changed = {field: value for field, value in _facts(row).items() if value != before[field]}
    if changed:
        row.save(update_fields=list(changed))
        _tell_unless_draft(row)
        note(
            row,
            "api.changed",
            org=org,
            actor=actor,
            at=at,
            before={name: before[name] for name in changed},
            after=changed,
        )
    return _view(row.id)


@transaction.atomic
def publish_api(org: UUID, *, id: UUID, actor: Actor, at: datetime) -> ApiView:
    """Open a draft or suspended API to calls. Raises ProblemError not_found, conflict (nothing answers yet)."""
    row = locked(org, id)
    if row.state == ApiState.RETIRED:
        raise ProblemError("conflict", "A retired API does not come back: create a new one.")
    answering = row.versions.filter(routes__environment=Environment.LIVE).exclude(state=VersionState.RETIRED)
    if not answering.exists():
        raise ProblemError("conflict", "Add a version with a server for live calls first.")
    return _moved(row, ApiState.PUBLISHED, "api.published", actor=actor, at=at)


@transaction.atomic
def suspend_api(org: UUID, *, id: UUID, actor: Actor, at: datetime, reason: str = "") -> ApiView:
    """Refuse all calls until published again. Its commit raises Undelivered while the gateway has not taken it.

    Raises ProblemError not_found, conflict (never published, or retired).
    """
    row = locked(org, id)
    if row.state in (ApiState.DRAFT, ApiState.RETIRED):
        raise ProblemError("conflict", "Only a published API can be suspended.")
    return _moved(row, ApiState.SUSPENDED, "api.suspended", actor=actor, at=at, reason=reason)


@transaction.atomic
def retire_api(org: UUID, *, id: UUID, actor: Actor, at: datetime) -> ApiView:
    """Switch an API off for good: calls are answered 410. Raises ProblemError not_found, conflict (a draft)."""
    row = locked(org, id)
    if row.state == ApiState.DRAFT:
        raise ProblemError("conflict", "A draft was never there for anybody: nothing to retire.")
    return _moved(row, ApiState.RETIRED, "api.retired", actor=actor, at=at)


def locked(org: UUID, id: UUID) -> Api:
    """The API's row is the lock of all its parts."""
    row = queries.own_apis(org).select_for_update().filter(id=id).first()
    if row is None:
        raise ProblemError("not_found")
    return row


def _moved(row: Api, state: ApiState, action: str, *, actor: Actor, at: datetime, reason: str = "") -> ApiView:
    if row.state != state:
        before, row.state = row.state, state
        row.save(update_fields=["state"])
        after = {"state": str(state)} | ({"reason": reason} if reason else {})
        note(row, action, org=row.provider_id, actor=actor, at=at, before={"state": before}, after=after)
    tell(row)  # again also when nothing changed: asking twice heals a lost message
    return _view(row.id)


def _describe(row: Api, texts: dict[str, str]) -> None:
    for field, text in texts.items():
        if field == "visibility":
            if text not in Visibility.values:
                raise invalid("visibility", f"One of {', '.join(Visibility.values)}.")
            row.visibility = text
        elif field == "description_md":
            row.description_md = clean_text(text, field=field, most=20_000)
        elif field in _LINES:
            most, required = _LINES[field]
            setattr(row, field, clean_line(text, field=field, most=most, required=required))
        else:
            raise invalid(field, "Unknown field.")


def _facts(row: Api) -> dict[str, str | bool]:
    fields = (*_LINES, "description_md", "visibility", "featured", "pass_undeclared")
    return {field: getattr(row, field) for field in fields}


def _tell_unless_draft(row: Api) -> None:
    if row.state != ApiState.DRAFT:
        tell(row, may_wait=True)


def _view(id: UUID) -> ApiView:
    return api_view(queries.apis().get(id=id))
