"""A key as its row in the list shows it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from marketplace.public import KeyView

SOON = timedelta(days=14)


@dataclass(frozen=True)
class KeyRow:
    key: KeyView
    works: bool
    status: str  # the word
    pip: str  # its shape: "" filled, half, off
    tone: str  # ok | warn | ""
    scopes: str


def key_rows(keys: Sequence[KeyView], *, at: datetime) -> list[KeyRow]:
    """Working keys first, each group newest first."""
    rows = [_row(key, at) for key in keys]
    return sorted(rows, key=lambda row: not row.works)


def _row(key: KeyView, at: datetime) -> KeyRow:
    works = key.works(at)
    if key.state == "revoked":
        look = ("revoked", "pip-off", "")
    elif not works:
        look = ("expired", "pip-off", "")
    elif key.expires_at and key.expires_at - at < SOON:
        look = ("expiring", "pip-half", "warn")
    else:
        look = ("active", "pip", "ok")
    return KeyRow(key, works, *look, scopes=_scopes(key.scopes))


def _scopes(scopes: Sequence[str]) -> str:
    if "*" in scopes:
        return "everything"
    words = []
    for scope in scopes:
        slug, _, what = scope.partition(":")
        words.append(slug if what in ("*", "") else f"{slug} {what.replace('read', 'read only')}")
    return ", ".join(words)
