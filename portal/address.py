"""The address a request comes from, behind the proxies we trust and no others."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """The last hop that is not one of ours: X-Forwarded-For read from the right, only as far as trust goes."""
    address = str(request.META.get("REMOTE_ADDR") or "0.0.0.0")  # noqa: S104  a Unix socket has none
    for hop in reversed(request.headers.get("X-Forwarded-For", "").split(",")):
        if not _trusted(address):
            break
        if not _is_address(hop.strip()):
            break
        address = hop.strip()
    return address


def network_of(address: str) -> str:
    """What one visitor owns: an IPv4 address, or the /64 around an IPv6 one."""
    parsed = ipaddress.ip_address(address)
    if parsed.version == 4:
        return str(parsed)
    return str(ipaddress.ip_network(f"{address}/64", strict=False))


def _trusted(address: str) -> bool:
    parsed = ipaddress.ip_address(address)
    return any(parsed in ipaddress.ip_network(cidr, strict=False) for cidr in settings.GATEWAY.trusted_proxies)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
