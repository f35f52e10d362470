"""Where this installation may connect to: every address of a name is checked, and the checked one is connected to.

A guard at save time is not enough: names are rebound, so the guard runs at every connect and hands out
addresses, never names. Only an exact `host:port` on the operator's list may lead to loopback or a private network.
"""

import socket
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

CACHE_S = 30.0
CACHED_NAMES = 1000
DEFAULT_PORTS = {"http": 80, "https": 443}

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Sequence[str]]

# Beside what `is_global` refuses: IANA's special-purpose blocks, and metadata services at public-looking addresses.
_DENIED = tuple(
    ip_network(network)
    for network in (
        "0.0.0.0/8",
        "100.64.0.0/10",  # carrier NAT; also Alibaba's metadata
        "168.63.129.16/32",  # Azure's
        "169.254.0.0/16",
        "192.0.0.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "198.18.0.0/15",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/96",  # IPv4-compatible
        "::ffff:0:0/96",  # IPv4-mapped: a name that needs it hides something
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",  # Teredo, ORCHID, benchmarks
        "2001:db8::/32",
        "2002::/16",  # 6to4: retired, it carries an IPv4 address, and Python releases disagree whether it is global
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",  # fd00:ec2::254 is AWS's metadata
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    )
)
_NAT64 = ip_network("64:ff9b::/96")


class NotAllowed(Exception):
    """This place may not be connected to; the message says why, and is for the operator and the provider."""


class NotFound(Exception):
    """The name has no address now: worth trying again."""


@dataclass(frozen=True)
class Place:
    """Where a URL leads: `host` is lower-case and without brackets."""

    scheme: str
    host: str
    port: int

    @property
    def authority(self) -> str:
        """As it stands in a Host header: the port only when it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


def place_of(url: str) -> Place:
    """Read the place a URL leads to. Raises NotAllowed for what only looks like one."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise NotAllowed(f"not a URL: {error}") from error
    if parts.scheme not in DEFAULT_PORTS:
        raise NotAllowed(f"the scheme is {parts.scheme!r}: only http and https are used")
    if parts.username is not None or parts.password is not None:
        raise NotAllowed("the URL carries a user name or a password")
    if not host or not host.isascii() or any(c in host for c in "%\\ \t"):
        raise NotAllowed(f"the host {host!r} is not a plain name or address")
    if port == 0:
        raise NotAllowed("port 0 leads nowhere")
    return Place(parts.scheme, host, port or DEFAULT_PORTS[parts.scheme])


def is_public(address: Address) -> bool:
    """Whether an address is on the public Internet, and so is every IPv4 address that it carries inside."""
    if not address.is_global or any(address in network for network in _DENIED if network.version == address.version):
        return False
    return all(is_public(inner) for inner in _embedded(address))


def _embedded(address: Address) -> list[IPv4Address]:
    """IPv4 inside IPv6 that a packet would reach: NAT64 (RFC 6052)."""
    if isinstance(address, IPv6Address) and address in _NAT64:
        return [IPv4Address(int(address) & 0xFFFF_FFFF)]
    return []


def look_up(host: str, port: int) -> Sequence[str]:
    """Ask the system's resolver. Raises OSError; UnicodeError for a label it cannot take."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Guard:
    """Turns places into checked addresses; caches for CACHE_S. Any thread."""

    def __init__(
        self, allow: Iterable[str], *, resolve: Resolve = look_up, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._allow = frozenset(entry.lower() for entry in allow)
        self._resolve, self._clock = resolve, clock
        self._cache: dict[tuple[str, int], tuple[float, tuple[str, ...]]] = {}
        self._lock = threading.Lock()

    def addresses(self, place: Place) -> tuple[str, ...]:
        """Return the addresses that may be connected to, in the resolver's order.

        Raises NotAllowed if any address of the name is not public (then none is used), NotFound without one.
        """
        known = self._cache.get((place.host, place.port))
        if known and self._clock() < known[0]:
            return known[1]
        found = self._found(place)
        if f"{place.host}:{place.port}" not in self._allow:
            for text in found:
                if not is_public(ip_address(text)):
                    raise NotAllowed(f"{place.host} leads to {text}, which is not a public address")
        with self._lock:
            while len(self._cache) >= CACHED_NAMES:
                del self._cache[next(iter(self._cache))]
            self._cache[place.host, place.port] = (self._clock() + CACHE_S, found)
        return found

    def _found(self, place: Place) -> tuple[str, ...]:
        try:
            found = tuple(self._resolve(place.host, place.port))
        except UnicodeError as error:
            raise NotAllowed(f"the host {place.host!r} is not a name") from error
        except OSError as error:
            raise NotFound(f"{place.host} has no address: {error}") from error
        if not found:
            raise NotFound(f"{place.host} has no address")
        return found
