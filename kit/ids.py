"""UUIDv7 (RFC 9562 §5.7) and base62.

Ids sort by time, so indexes append, and an event's id *is* its instant:
`at_ms(uuid7(ms)) == ms` always holds.
"""

import os
import threading
import time
from uuid import UUID

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

_lock = threading.Lock()
_tail = int.from_bytes(os.urandom(8), "big") & ((1 << 62) - 1)
_pid = os.getpid()


def uuid7(at_ms: int | None = None) -> UUID:
    """Mint an id for the instant `at_ms` (Unix milliseconds; default: now).

    The 62-bit tail counts up from a random start per process, beside 12 random bits: ids of one
    process never repeat, and two processes practically never meet.
    """
    global _tail, _pid
    if at_ms is None:
        at_ms = time.time_ns() // 1_000_000
    noise = int.from_bytes(os.urandom(2), "big")
    with _lock:
        if _pid != os.getpid():  # a fork must not repeat its parent's sequence
            _pid, _tail = os.getpid(), int.from_bytes(os.urandom(8), "big") & ((1 << 62) - 1)
        _tail = (_tail + 1) & ((1 << 62) - 1)
        tail = _tail
    value = (at_ms & ((1 << 48) - 1)) << 80 | 0x7 << 76 | (noise & 0xFFF) << 64 | 0b10 << 62 | tail
    return UUID(int=value)


def at_ms(value: UUID) -> int:
    """Return the Unix milliseconds inside a UUIDv7. Raises ValueError for another version."""
    if value.version != 7:
        raise ValueError(f"{value} is a UUID version {value.version}, not 7: it carries no instant")
    return value.int >> 80


def base62(number: int, width: int = 0) -> str:
    """Write a non-negative integer in base 62, left-padded with zeros to `width`."""
    digits = []
    while number:
        number, rest = divmod(number, 62)
        digits.append(BASE62[rest])
    return "".join(reversed(digits)).rjust(width, "0")
