"""How often each client address failed to authenticate. Bounded memory, no clock."""

import threading
from ipaddress import IPv6Address, ip_address

WINDOW_S = 60.0


class Attempts:
    """Counts failures per address and minute; beyond `per_minute` the address is to wait."""

    def __init__(self, *, per_minute: int, clients: int = 10_000) -> None:
        self._per_minute, self._clients = per_minute, clients
        self._failures: dict[str, tuple[float, int]] = {}  # place → (window's start, failures); oldest window first
        self._lock = threading.Lock()

    def failed(self, client: str, *, now: float) -> None:
        """Count a failure at `now` (monotonic seconds)."""
        place = _place(client)
        with self._lock:
            start, count = self._failures.get(place, (now, 0))
            if now - start >= WINDOW_S:
                start, count = now, 0
            if count == 0:
                self._failures.pop(place, None)  # a new window goes to the end
                while len(self._failures) >= self._clients:
                    del self._failures[next(iter(self._failures))]
            self._failures[place] = (start, count + 1)

    def wait_s(self, client: str, *, now: float) -> int:
        """Return the seconds until the address may try again; 0: now."""
        start, count = self._failures.get(_place(client), (now, 0))
        left = start + WINDOW_S - now
        return max(1, round(left)) if count >= self._per_minute and left > 0 else 0


def _place(client: str) -> str:
    """An IPv4 address, or the /64 that an IPv6 client owns whole."""
    try:
        address = ip_address(client)
    except ValueError:
        return client[:64]
    if isinstance(address, IPv6Address):
        return address.exploded[:19]
    return client
