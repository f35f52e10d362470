"""API keys, management tokens and sealed fields: how secrets are made, recognised, stored and opened.

A key or token is `<prefix><30 random base62><6 base62 CRC32>`: the prefix makes a leaked one findable, the
checksum turns typing errors away before any store is asked. It guards nothing else; the 178 random bits do.
At rest stand only digests: a database that leaks alone opens nothing.
"""

import hashlib
import hmac
import re
import secrets
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from typing import Literal
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kit.ids import BASE62, base62

KeyKind = Literal["live", "test"]

_RANDOM = 30
_CHECK = 6
_NONCE = 12
_SHAPE = re.compile(r"(?:tg_(live|test)_|tgm_)[0-9A-Za-z]{36}", re.ASCII)


class NotOpened(Exception):
    """A sealed text cannot be opened: another key, another `aad`, or damage. Carries no part of the text."""


# --- making ---


def new_api_key(kind: KeyKind) -> str:
    """Mint an API key: `tg_live_…` or `tg_test_…`, 44 characters."""
    return _signed(f"tg_{kind}_", _random())


def derived_test_key(encryption_key: str, key_id: UUID | str) -> str:
    """The test key of the ApiKey row `key_id`: always the same one, so that it can be shown again."""
    digest = _subkey(encryption_key, f"test key:{key_id}")
    return _signed("tg_test_", base62(int.from_bytes(digest, "big") % 62**_RANDOM, _RANDOM))


def new_token() -> str:
    """Mint a management token: `tgm_…`, 40 characters."""
    return _signed("tgm_", _random())


def _random() -> str:
    return "".join(secrets.choice(BASE62) for _ in range(_RANDOM))


def _signed(prefix: str, body: str) -> str:
    return prefix + body + _checksum(prefix + body)


def _checksum(text: str) -> str:
    return base62(zlib.crc32(text.encode()), _CHECK)


# --- recognising ---


def key_kind(text: str) -> KeyKind | None:
    """Read off which kind of API key `text` is; None if its shape or checksum is wrong. Asks no store."""
    match = _SHAPE.fullmatch(text)
    if not match or _checksum(text[:-_CHECK]) != text[-_CHECK:]:
        return None
    if match[1] == "live":
        return "live"
    return "test" if match[1] == "test" else None


def is_token(text: str) -> bool:
    """Whether `text` has a management token's shape and checksum. Asks no store."""
    return (
        text.startswith("tgm_") and _SHAPE.fullmatch(text) is not None and _checksum(text[:-_CHECK]) == text[-_CHECK:]
    )


# --- storing ---


def key_digests(secret: str, peppers: Iterable[str]) -> tuple[str, ...]:
    """All digests (hex, newest first) under which `secret` may be stored; `peppers` are oldest first.

    A chain: d1 = HMAC-SHA256(p1, secret), d2 = HMAC-SHA256(p2, d1), …: a new pepper wraps the stored digests
    without knowing one key (`rewrapped`), and while it does, either digest finds the key. New keys are stored
    under the first. Raises ValueError without a pepper.
    """
    chain: list[bytes] = []
    message = secret.encode()
    for pepper in peppers:
        message = hmac.digest(pepper.encode(), message, "sha256")
        chain.append(message)
    if not chain:
        raise ValueError("no pepper is configured")
    return tuple(link.hex() for link in reversed(chain))


def rewrapped(digest: str, pepper: str) -> str:
    """Wrap a stored digest (hex) with the next pepper of the chain."""
    return hmac.digest(pepper.encode(), bytes.fromhex(digest), "sha256").hex()


def token_digest(secret: str) -> str:
    """SHA-256 of a management token, hex: 178 random bits need no pepper and no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def same(left: str, right: str) -> bool:
    """Compare two secrets in time that does not depend on where they differ."""
    return hmac.compare_digest(left.encode(), right.encode())


# --- sealing fields ---


def encryption_key_id(key: str) -> str:
    """The public name of an encryption key, as it stands in front of what it sealed."""
    return _subkey(key, "key id").hex()[:8]


def encrypt(key: str, text: str, *, aad: str) -> str:
    """Seal `text` with AES-256-GCM: `v1.<key id>.<base64url of nonce and ciphertext>`.

    `aad` names the place it belongs to ("upstream:<id>:headers"): moved elsewhere, it does not open.
    """
    nonce = secrets.token_bytes(_NONCE)
    sealed = nonce + AESGCM(_subkey(key, "seal")).encrypt(nonce, text.encode(), aad.encode())
    return f"v1.{encryption_key_id(key)}.{urlsafe_b64encode(sealed).decode().rstrip('=')}"


def decrypt(key: str, sealed: str, *, aad: str) -> str:
    """Open what `encrypt` sealed. Raises NotOpened."""
    version, _, rest = sealed.partition(".")
    key_id, _, body = rest.partition(".")
    if version != "v1" or not body:
        raise NotOpened("not a sealed text")
    if key_id != encryption_key_id(key):
        raise NotOpened(f"sealed with another key ({key_id[:8]!r})")
    try:
        raw = urlsafe_b64decode(body + "=" * (-len(body) % 4))
        return AESGCM(_subkey(key, "seal")).decrypt(raw[:_NONCE], raw[_NONCE:], aad.encode()).decode()
    except (InvalidTag, ValueError) as error:
        raise NotOpened("damaged, or moved from another place") from error


def _subkey(key: str, purpose: str) -> bytes:
    """32 bytes for one purpose: no key is ever used for two things."""
    return hmac.digest(key.encode(), f"tollgate {purpose}".encode(), "sha256")
