"""Packets: agreements as files that both parties sign, from the template to the archive.

What needs a large library is imported at its first use, so that a command answers fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from bookrunner.books.subscription.packets.archive import Archive, Stored
from bookrunner.books.subscription.packets.certificates import Certificates, SigningEvidence
from bookrunner.books.subscription.packets.room import Room
from bookrunner.books.subscription.packets.snapshot import Stated, packet_data
from bookrunner.db import Database, Keeper

if TYPE_CHECKING:
    from bookrunner.books.subscription.packets.signing import Heard, Made, Outcome, PacketDesk

__all__ = [
    "Archive",
    "Certificates",
    "Heard",
    "Made",
    "Outcome",
    "PacketDesk",
    "Room",
    "SigningEvidence",
    "Stated",
    "Stored",
    "keeper",
    "packet_data",
]

_SIGNING: Final = frozenset({"Heard", "Made", "Outcome", "PacketDesk"})


def keeper(database: Database) -> Keeper:
    """Return the verbs and lookups of packets, under the login of the subscription book."""
    return Keeper(database, "subscription", __name__)


def __getattr__(name: str) -> object:
    """Return a public name from the module that holds it."""
    if name not in _SIGNING:
        raise AttributeError(name)
    return getattr(import_module(f"{__name__}.signing"), name)
