"""Heads that two servers could frame differently (RFC 9112 §6.3) are refused, whatever our own server made of them."""

import re

from gateway.call import Call, Refusal

_LENGTH = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)


def framed(call: Call) -> None:
    """Raise Refusal 400 for a body whose end is in doubt, or a head without exactly one Host."""
    hosts, lengths, codings = [], [], []
    for name, value in call.headers:
        if name == "host" and value:
            hosts.append(value)
        elif name == "content-length":
            lengths.append(value)
        elif name == "transfer-encoding":
            codings.append(value.lower())
    if len(hosts) != 1 and not call.console:
        raise _refusal("A request has exactly one Host header.")
    if len(lengths) > 1 or not all(_LENGTH.fullmatch(length) for length in lengths):
        raise _refusal("Content-Length is not one plain number.")
    if codings and (lengths or codings != ["chunked"]):
        raise _refusal("Transfer-Encoding is not exactly `chunked`, or stands beside Content-Length.")


def _refusal(detail: str) -> Refusal:
    return Refusal("bad_request", detail, headers=(("connection", "close"),))
