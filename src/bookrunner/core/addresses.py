"""Addresses of callers, as what counts calls and tries sees them."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Final

_OLD: Final = 4


def network_of(address: str) -> str:
    """Return what one caller has: an IPv4 address, or the /64 of an IPv6 one, which is one site's."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if found.version == _OLD:
        return str(found)
    return str(found.ipv4_mapped or ip_network((int(found) >> 64 << 64, 64)))
