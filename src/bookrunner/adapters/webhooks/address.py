"""Which addresses a webhook may go to: a public name over TLS, and of it only public addresses.

A subscriber chooses the address, so the request that we send must not reach what only we can reach
(server-side request forgery, CWE-918). The name is checked when it is registered; the addresses that it
resolves to are checked for each try, and the try goes to an address that was checked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

from bookrunner.core.errors import Malformed

HTTPS_PORT: Final = 443
_LENGTH: Final = 2000
_NAME_LENGTH: Final = 253
_FIRST_FREE_PORT: Final = 1024
_LAST_PORT: Final = 65535
_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})+", re.ASCII)
# A last label of digits or of a hexadecimal number makes an IPv4 address of a name (WHATWG URL, 3.5).
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
_URL: Final = re.compile(r"https://[a-z0-9.-]+(?::[0-9]{1,5})?(?:[/?][!-~]*)?", re.ASCII)
_LOCAL: Final = ("localhost", "local", "internal", "localdomain", "lan", "intranet", "home.arpa", "onion")
# What counts as public in the standard library and still leads inside: IPv4 in IPv6, relays, sites, discards.
_FORBIDDEN: Final = tuple(
    ip_network(text)
    for text in (
        "192.0.0.0/24",
        "192.88.99.0/24",
        "240.0.0.0/4",
        "::/96",
        "::ffff:0:0/96",
        "::ffff:0:0:0/96",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",
        "2002::/16",
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",
        "fe80::/9",
        "fec0::/10",
    )
)


class AddressRule(StrEnum):
    """What an address has to hold, in the order of checking."""

    URL_IS_PLAIN = "webhook_url_is_plain"
    HOST_IS_A_PUBLIC_NAME = "webhook_host_is_a_public_name"
    PORT_IS_OPEN = "webhook_port_is_443_or_from_1024"
    ADDRESS_IS_PUBLIC = "webhook_address_is_public"


class AddressRefused(Malformed):
    """A webhook may not go to this address."""


@dataclass(frozen=True, slots=True)
class Target:
    """An address that was taken apart: name, port, and path with its query."""

    host: str
    port: int
    path: str


def parse_target(url: str, *, loopback: bool = False) -> Target:
    """Take an address apart; raises AddressRefused.

    Only ``https``, a name in lower-case ASCII with a dot, port 443 or from 1024 on, no user and no fragment.
    ``loopback`` lets ``localhost`` through, for a sandbox.
    """
    if len(url) > _LENGTH or _URL.fullmatch(url) is None or any(sign in url for sign in "@#\\"):
        raise AddressRefused(AddressRule.URL_IS_PLAIN, "https, a name in lower case, no user, no fragment")
    parts = urlsplit(url)
    host = parts.hostname or ""
    if not (loopback and host == "localhost"):
        _require_public_name(host)
    port = int(parts.netloc.partition(":")[2] or HTTPS_PORT)
    if port != HTTPS_PORT and not _FIRST_FREE_PORT <= port <= _LAST_PORT:
        raise AddressRefused(AddressRule.PORT_IS_OPEN, str(port))
    return Target(host, port, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))


def check_address(text: str, *, loopback: bool = False) -> IPv4Address | IPv6Address:
    """Return an address that a name resolved to; raises AddressRefused unless it is a public one.

    ``loopback`` lets the loopback through, for a sandbox.
    """
    try:
        address = ip_address(text)
    except ValueError:
        raise AddressRefused(AddressRule.ADDRESS_IS_PUBLIC, "no address") from None
    if loopback and address.is_loopback:
        return address
    inside = any(address in network for network in _FORBIDDEN if network.version == address.version)
    if inside or not address.is_global or address.is_multicast or "%" in text:
        raise AddressRefused(AddressRule.ADDRESS_IS_PUBLIC, "the name leads to an address that is not public")
    return address


def _require_public_name(host: str) -> None:
    last = host.rpartition(".")[2]
    is_local = any(host == name or host.endswith(f".{name}") for name in _LOCAL)
    if len(host) > _NAME_LENGTH or _NAME.fullmatch(host) is None or _NUMBER.fullmatch(last) or is_local:
        raise AddressRefused(AddressRule.HOST_IS_A_PUBLIC_NAME, "a name with a dot, no address")
