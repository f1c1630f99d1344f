"""The subscription desk: packets, agreements, signatures, allocation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bookrunner.books.subscription import packets as _packets
from bookrunner.books.subscription.consent import Consents, missed
from bookrunner.books.subscription.packets import (
    Archive,
    Certificates,
    Room,
    SigningEvidence,
    Stated,
    Stored,
    packet_data,
)
from bookrunner.db import Database, Keeper

if TYPE_CHECKING:
    from bookrunner.books.subscription.packets import Heard, Made, Outcome, PacketDesk

__all__ = [
    "Archive",
    "Certificates",
    "Consents",
    "Heard",
    "Made",
    "Outcome",
    "PacketDesk",
    "Room",
    "SigningEvidence",
    "Stated",
    "Stored",
    "keeper",
    "missed",
    "packet_data",
    "packets_of",
]


def keeper(database: Database) -> Keeper:
    """Return the verbs and lookups of this book, under its own login."""
    return Keeper(database, "subscription", __name__)


def packets_of(database: Database) -> Keeper:
    """Return the verbs and lookups of packets, under the same login."""
    return _packets.keeper(database)


def __getattr__(name: str) -> object:
    """Return a public name of the packets, which need a large library."""
    if name not in __all__:
        raise AttributeError(name)
    return getattr(_packets, name)
