"""Which key a caller presents: `X-API-Key`, or a bearer token in `Authorization` (RFC 6750 §2.1)."""

from gateway.call import Credential, Headers, Refusal
from kit.secrets import key_kind

OURS = ("tg_live_", "tg_test_", "tgm_")  # what must never reach an upstream, whichever header it came in


def presented(headers: Headers) -> Credential:
    """Read the one key a caller sends; `Authorization` is not looked at when an X-API-Key is there.

    Shape and checksum are checked here, so a mistyped key costs no look-up.
    """
    keys = {part.strip() for name, value in headers if name == "x-api-key" for part in value.split(",")}
    bearers = {token for name, value in headers if name == "authorization" and (token := bearer(value))}
    if keys:
        bearers = {token for token in bearers if token.startswith(OURS)}
    candidates = (keys | bearers) - {""}
    if len(candidates) > 1:
        return Credential("", "", "two_credentials")
    if not candidates:
        return Credential("", "", "key_missing")
    secret = candidates.pop()
    kind = key_kind(secret)
    return Credential(kind, secret) if kind else Credential("", "", "key_invalid")


def unambiguous(credential: Credential) -> Credential:
    """Raises Refusal two_credentials 400: one request, two keys, and no telling who pays."""
    if credential.refusal == "two_credentials":
        raise Refusal(credential.refusal)
    return credential


def recognised(credential: Credential) -> None:
    """Raises Refusal 401 for a key that is missing, or cannot be one."""
    if credential.refusal:
        raise Refusal(credential.refusal)


def bearer(value: str) -> str:
    """Return the token of a bearer Authorization, "" for another scheme."""
    scheme, _, token = value.strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def is_ours(name: str, value: str) -> bool:
    """Whether a request header carries a key or token of this gateway."""
    return name == "x-api-key" or (name == "authorization" and bearer(value).startswith(OURS))
