"""Which addresses are asked under a credential of ours."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

import httpx

_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


def is_safe(address: str) -> bool:
    """Say whether an address can be asked, and is at ``https``, or at ``http`` on the loopback.

    It has a host and a port that exist, and no name, query or fragment.
    """
    try:
        parts, url = urlsplit(address), httpx.URL(address)
        # A port out of range and a host that is no name show only where they are read.
        host, _ = url.host, parts.port
    except (httpx.InvalidURL, ValueError):
        return False
    is_private = url.scheme == "https" or (url.scheme == "http" and host in _LOOPBACK)
    return (
        is_private
        and bool(host)
        and host == parts.hostname
        and not (parts.username or parts.query or parts.fragment or " " in host or "*" in host)
    )


def is_loopback(address: str) -> bool:
    """Say whether an address that can be asked is on this very machine, at ``https`` or ``http``."""
    host = httpx.URL(address).host
    if host in _LOOPBACK:
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
