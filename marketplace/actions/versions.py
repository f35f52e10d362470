"""Owns: versions, the operations compiled from their documents, servers and routes. Does not own: the API's life.
Idempotent: setting what is set already changes nothing but `rev`; a version's name and base path are unique."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction

from accounts.public import Actor
from kit.errors import ProblemError, invalid
from kit.secrets import encrypt
from marketplace.actions.apis import locked
from marketplace.actions.telling import note, tell
from marketplace.contract.document import Contract, read_contract
from marketplace.contract.operations import Operation as Compiled
from marketplace.mapping import version_view
from marketplace.models import Api, ApiState, Operation, Route, Upstream, Version, VersionState
from marketplace.text import clean_line
from marketplace.upstreams import clean_base_url, clean_headers, clean_seconds
from marketplace.values import VersionView

Environment = Literal["live", "test"]


@transaction.atomic
def add_version(
    org: UUID,
    *,
    api_id: UUID,
    name: str,
    document: str | bytes,
    actor: Actor,
    at: datetime,
    base_path: str | None = None,
) -> VersionView:
    """Add a version from an OpenAPI document (JSON or YAML text).

    `base_path`: where its operations live; None: as the document says. Raises ProblemError invalid (with line and
    JSON Pointer of each fault), not_found, conflict (name or base path taken).
    """
    contract = read_contract(document, base_path=base_path)
    api = locked(org, api_id)
    row = Version(api=api, name=clean_line(name, field="name", most=40), base_path=contract.base_path)
    row.document = contract.root
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        raise ProblemError("conflict", f"This API has a version {row.name!r} or {row.base_path!r} already.") from error
    Operation.objects.bulk_create(_rows(row, contract))
    _changed(api)
    note(row, "version.added", org=org, actor=actor, at=at, after={"operations": len(contract.operations)})
    return version_view(row)


@transaction.atomic
def replace_document(org: UUID, *, version_id: UUID, document: str | bytes, actor: Actor, at: datetime) -> VersionView:
    """Read a version's document anew: operations keep their ids as long as they keep their operationId.

    Raises ProblemError invalid, not_found.
    """
    row = _version(org, version_id)
    contract = read_contract(document, base_path=row.base_path)
    known = dict(row.operations.values_list("operation_id", "id"))
    fresh = _rows(row, contract)
    row.operations.all().delete()
    for operation in fresh:
        operation.id = known.get(operation.operation_id, operation.id)
    Operation.objects.bulk_create(fresh)
    row.document = contract.root
    row.save(update_fields=["document"])
    _changed(row.api)
    note(row, "version.document_replaced", org=org, actor=actor, at=at, after={"operations": len(fresh)})
    return version_view(row)


@transaction.atomic
def deprecate_version(
    org: UUID, *, version_id: UUID, sunset_at: datetime | None, actor: Actor, at: datetime
) -> VersionView:
    """Announce a version's end: answers carry Deprecation and Sunset.

    Raises ProblemError invalid, not_found, conflict (it has ended).
    """
    row = _version(org, version_id)
    if row.state == VersionState.RETIRED:
        raise ProblemError("conflict", "This version is retired.")
    if sunset_at is not None and (sunset_at.utcoffset() is None or sunset_at <= at):
        raise invalid("sunset_at", "Choose an instant in the future, with its zone.")
    row.state, row.sunset_at = VersionState.DEPRECATED, sunset_at
    row.deprecated_at = row.deprecated_at or at
    row.save(update_fields=["state", "sunset_at", "deprecated_at"])
    _changed(row.api)
    after = {"sunset_at": sunset_at.isoformat() if sunset_at else None}
    note(row, "version.deprecated", org=org, actor=actor, at=at, after=after)
    return version_view(row)


@transaction.atomic
def retire_version(org: UUID, *, version_id: UUID, actor: Actor, at: datetime) -> VersionView:
    """Switch a version off: its calls are answered 410. Raises ProblemError not_found."""
    row = _version(org, version_id)
    if row.state != VersionState.RETIRED:
        row.state = VersionState.RETIRED
        row.save(update_fields=["state"])
        note(row, "version.retired", org=org, actor=actor, at=at)
    _changed(row.api)
    return version_view(row)


@transaction.atomic
def set_upstream(
    org: UUID,
    *,
    api_id: UUID,
    name: str,
    base_url: str,
    actor: Actor,
    at: datetime,
    headers: Sequence[tuple[str, str]] | None = None,
    connect_s: float = 3.0,
    first_byte_s: float = 30.0,
    between_bytes_s: float = 60.0,
) -> UUID:
    """Create or change one of an API's servers, by its name; answer its id.

    `headers` go with every call and are stored sealed; None keeps those there are. Raises ProblemError
    invalid, not_found.
    """
    api = locked(org, api_id)
    name = clean_line(name, field="name", most=60)
    row = Upstream.objects.filter(api=api, name=name).first() or Upstream(api=api, name=name)
    row.base_url = clean_base_url(base_url)
    row.connect_s = clean_seconds(connect_s, field="connect_s", most=60)
    row.first_byte_s = clean_seconds(first_byte_s, field="first_byte_s", most=600)
    row.between_bytes_s = clean_seconds(between_bytes_s, field="between_bytes_s", most=600)
    if headers is not None:
        row.secret_headers = sealed(row.id, headers)
    row.save()
    _changed(api)
    after = {"base_url": row.base_url, "headers_replaced": headers is not None}
    note(row, "upstream.set", org=org, actor=actor, at=at, after=after)
    return row.id


@transaction.atomic
def set_route(
    org: UUID,
    *,
    version_id: UUID,
    environment: Environment,
    upstream_id: UUID | None,
    actor: Actor,
    at: datetime,
) -> VersionView:
    """Send a version's live or test calls to a server of its API; None: nowhere.

    Raises ProblemError invalid, not_found.
    """
    row = _version(org, version_id)
    if environment not in ("live", "test"):
        raise invalid("environment", "live or test.")
    if upstream_id is None:
        row.routes.filter(environment=environment).delete()
    else:
        upstream = Upstream.objects.filter(api=row.api, id=upstream_id).first()
        if upstream is None:
            raise invalid("upstream", "Not a server of this API.")
        Route.objects.update_or_create(version=row, environment=environment, defaults={"upstream": upstream})
    _changed(row.api)
    after = {"environment": environment, "upstream": str(upstream_id) if upstream_id else None}
    note(row, "version.routed", org=org, actor=actor, at=at, after=after)
    return version_view(Version.objects.get(id=row.id))


def sealed(upstream_id: UUID, headers: Iterable[tuple[str, str]]) -> str:
    """Encrypt a server's headers so that only the gateway can open them, and only for this server."""
    pairs = clean_headers(list(headers))
    if not pairs:
        return ""
    return encrypt(settings.ENCRYPTION_KEY, json.dumps(pairs), aad=f"upstream:{upstream_id}:headers")


def _version(org: UUID, version_id: UUID) -> Version:
    """The version, its API locked."""
    row = Version.objects.filter(id=version_id, api__provider=org).first()
    if row is None:
        raise ProblemError("not_found")
    row.api = locked(org, row.api_id)
    return row


def _rows(version: Version, contract: Contract) -> list[Operation]:
    return [_row(version, each, position) for position, each in enumerate(contract.operations)]


def _row(version: Version, each: Compiled, position: int) -> Operation:
    return Operation(version=version, position=position, **vars(each))


def _changed(api: Api) -> None:
    """Nobody was promised more than "soon", so the gateway may hear of it a moment later."""
    if api.state != ApiState.DRAFT:
        tell(api, may_wait=True)
