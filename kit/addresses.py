"""Who really calls, behind proxies that we trust and others that anybody may pretend to be."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network


def client_address(peer: str, forwarded_for: str, *, trusted: Iterable[str]) -> str | None:
    """The address of the client: the nearest one in X-Forwarded-For that is not a trusted proxy's (CIDRs).

    `forwarded_for` is the header's values joined with commas; what stands left of the answer was written by
    the client and means nothing. None if even the peer has no address (a Unix socket).
    """
    networks = [ip_network(cidr) for cidr in trusted]
    address = _address(peer)
    for hop in reversed(forwarded_for.split(",") if forwarded_for else []):
        if address is None or not any(address in network for network in networks):
            break
        nearer = _address(hop.strip())
        if nearer is None:
            break
        address = nearer
    return str(address) if address else None


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address
