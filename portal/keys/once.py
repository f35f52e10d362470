"""A live secret between its minting and its one showing: sealed, in the reader's own browser, for ten minutes.

Nothing of ours may hold it: sessions, messages and the cache are stores. So the answer that follows the minting
carries it as an AES-GCM sealed cookie that only the once-page is sent, that opens only for the person it was
made for, and that the once-page takes away as it shows it (docs/decisions: live secrets travel sealed).
"""

import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from kit.secrets import NotOpened, decrypt, encrypt

SEALED = "tg_once"
WAITING = "tg_once_waiting"  # says only that there is one, so that other pages can offer it
SECONDS = 600
PATH = "/app/keys/once/"


@dataclass(frozen=True)
class Handed:
    key_id: UUID
    secret: str


def hand_over(response: HttpResponse, *, user_id: UUID, key_id: UUID, secret: str, at: datetime) -> None:
    """Put a secret into the answer's cookies. A second one replaces the first."""
    text = json.dumps({"key": str(key_id), "secret": secret, "until": at.timestamp() + SECONDS})
    sealed = encrypt(settings.ENCRYPTION_KEY, text, aad=_place(user_id))
    secure: bool = settings.HTTPS
    response.set_cookie(SEALED, sealed, SECONDS, path=PATH, secure=secure, httponly=True, samesite="Strict")
    response.set_cookie(WAITING, "1", SECONDS, path="/", secure=secure, httponly=True, samesite="Lax")


def take(request: HttpRequest, *, user_id: UUID, at: datetime) -> Handed | None:
    """Open what this browser holds; None if it holds nothing, or nothing of this person's, or it is too old."""
    try:
        found = json.loads(decrypt(settings.ENCRYPTION_KEY, request.COOKIES.get(SEALED, ""), aad=_place(user_id)))
    except NotOpened:
        return None
    if found["until"] < at.timestamp():
        return None
    return Handed(UUID(found["key"]), found["secret"])


def forget(response: HttpResponse) -> None:
    response.delete_cookie(SEALED, path=PATH, samesite="Strict")
    response.delete_cookie(WAITING, path="/", samesite="Lax")


def waiting(request: HttpRequest) -> bool:
    return request.COOKIES.get(WAITING) == "1"


def _place(user_id: UUID) -> str:
    return f"portal once:{user_id}"
