"""Idempotency-Key: a request repeated with the same key has its effect once and is answered alike, for 24 hours.

The answer is stored in the transaction of the effect: either both are there after a crash, or neither. Only
success is stored; after a refusal the same key may be tried again. Repeats that arrive meanwhile wait a moment,
then are told 409. A secret is never stored: where one stood, a repeat finds null, and `replayed: true`.
(The IETF draft "The Idempotency-Key HTTP Header Field" is followed where it decides anything.)
"""

import hashlib
import json
import re
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any

from django.contrib.postgres.functions import TransactionNow
from django.db import OperationalError, connection, transaction
from psycopg.errors import LockNotAvailable
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from kit.django import outbox
from kit.django.models import IdempotentAnswer, Outbox
from kit.errors import ProblemError, invalid

HEADER = "Idempotency-Key"
KEPT = timedelta(hours=24)
WAIT_MS = 3000

_PRUNE = """
    delete from kit_idempotentanswer where id in (
        select id from kit_idempotentanswer where created_at < now() - interval '24 hours' order by created_at
         limit 50 for update skip locked)
"""
_KEY = re.compile(r"[\x21-\x7e]{1,255}", re.ASCII)

Handler = Callable[..., Response]


def idempotent(*, secrets: tuple[str, ...] = (), required: bool = False) -> Callable[[Handler], Handler]:
    """Decorate a REST view's method. `secrets` are fields of its answer that a replay must not show.

    `request.auth.scope` names the principal. The method runs in a transaction; with `required`, a request
    without a key is refused.
    """

    def decorated(method: Handler) -> Handler:
        @wraps(method)
        def answered(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
            key = request.headers.get(HEADER)
            if key is None:
                if required:
                    raise ProblemError("idempotency_key_missing")
                return method(view, request, *args, **kwargs)
            scope, asked = _scope(request, key), _asked(request)
            with transaction.atomic():
                stored = _locked(scope)
                if stored is None:
                    response = method(view, request, *args, **kwargs)
                    _store(scope, asked, response, secrets)
                    return response
            return _replay(stored, asked)

        return answered

    return decorated


def _scope(request: Request, key: str) -> str:
    if not _KEY.fullmatch(key):
        raise invalid(HEADER, "1 to 255 visible ASCII characters.")
    principal: Any = request.auth
    return _digest(principal.scope, str(request.method), request.path, key)


def _asked(request: Request) -> str:
    return _digest(request.query_params.urlencode(), json.dumps(request.data, sort_keys=True))


def _digest(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _locked(scope: str) -> IdempotentAnswer | None:
    """Wait until no other request works on this scope, then find its answer. Raises ProblemError in flight."""
    number = int.from_bytes(bytes.fromhex(scope)[:8], "big", signed=True)
    try:
        with connection.cursor() as cursor:
            cursor.execute("select set_config('lock_timeout', %s, true)", [f"{WAIT_MS}ms"])
            cursor.execute("select pg_advisory_xact_lock(%s)", [number])
            cursor.execute("set local lock_timeout to default")
            cursor.execute(_PRUNE)
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            raise ProblemError("idempotency_in_flight", retry_after=1) from error
        raise
    return IdempotentAnswer.objects.filter(scope=scope, created_at__gt=TransactionNow() - KEPT).first()


def _store(scope: str, asked: str, response: Response, secrets: tuple[str, ...]) -> None:
    if not 200 <= response.status_code < 300:
        return
    shown = response.data
    if secrets:
        shown = {**shown, **dict.fromkeys(secrets), "replayed": True}
    row = IdempotentAnswer(
        scope=scope, request=asked, status=response.status_code, body=JSONRenderer().render(shown).decode()
    )
    IdempotentAnswer.objects.bulk_create(  # over an expired row that another request is about to prune
        [row],
        update_conflicts=True,
        unique_fields=["scope"],
        update_fields=["request", "status", "body", "created_at"],
    )


def _replay(stored: IdempotentAnswer, asked: str) -> Response:
    """Answer as before, but not before what the effect had to tell is delivered. Raises ProblemError, Undelivered."""
    if stored.request != asked:
        raise ProblemError("idempotency_mismatch")
    told = Outbox.objects.filter(created_at=stored.created_at, may_wait=False, done_at=None)
    outbox.deliver(told.values_list("id", flat=True))
    return Response(json.loads(stored.body), status=stored.status, headers={"Idempotent-Replayed": "true"})
