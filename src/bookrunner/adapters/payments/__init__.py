"""What the treasury needs of whoever moves money: notices that are heard, orders that are taken once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final, Protocol

from bookrunner.core.errors import Unavailable

__all__ = [
    "RATES_BYTES_MAX",
    "RATES_SOURCE",
    "NoticeStatus",
    "OrderStatus",
    "PaymentNotice",
    "PaymentRail",
    "RailUnavailable",
    "ReferenceRate",
    "SettlementNotice",
    "StandingOrder",
    "debit_identification",
    "payment_id",
]

RATES_SOURCE: Final = "ecb"
"""The source of reference rates under its name in the treasury's book."""
RATES_BYTES_MAX: Final = 4 * 1024 * 1024
_ID_CHARACTERS_MAX: Final = 35


@dataclass(frozen=True, slots=True)
class ReferenceRate:
    """How many units of a currency one euro was worth on a day; ``rate`` keeps the digits of the file."""

    currency: str
    on: date
    rate: str


class NoticeStatus(StrEnum):
    """What a provider says of a payment; none of it clears money."""

    FAILED = "failed"
    """Refused before any money moved."""
    PENDING = "pending"
    """On its way."""
    RETURNED = "returned"
    """Taken back."""
    SETTLED = "settled"
    """Paid, as far as the provider knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentNotice:
    """One notice about one payment of ours; ``rail`` and ``code`` give the reason of an end."""

    offering: str
    payment: str
    status: NoticeStatus
    amount_minor: int
    currency: str
    rail: str | None
    code: str | None
    happened_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementNotice:
    """One settlement of one allocation of ours; the amount is in whole minor units."""

    offering: str
    allocation: str
    amount_minor: int
    currency: str
    settled_at: datetime


class OrderStatus(StrEnum):
    """How far a bank is with an order, in the words that all rails share."""

    ACCEPTED = "accepted"
    """The bank has the bytes and will carry them out."""
    EXECUTED = "executed"
    """Every payment of the order has left."""


@dataclass(frozen=True, slots=True)
class StandingOrder:
    """An order that the bank knows: its own reference for it, and how far it is."""

    reference: str
    status: OrderStatus


class RailUnavailable(Unavailable):
    """The bank gave no answer; it may have the order all the same."""


class PaymentRail(Protocol):
    """Takes orders to pay, each once by its id; what it was given before it answers for again."""

    def submit(self, order: str, content: bytes) -> StandingOrder:
        """Hand over the bytes of an order; the same id again changes nothing.

        Refuses ``order_id_has_one_content``; raises RailUnavailable.
        """

    def status(self, order: str) -> StandingOrder | None:
        """Return how far an order is, None when the bank does not know it; raises RailUnavailable."""


def payment_id(refund: str, try_no: int) -> str:
    """Return the id of a refund's payment: its own on the first try where a bank's field has room for it."""
    if try_no == 1 and len(refund) <= _ID_CHARACTERS_MAX:
        return refund
    return f"rfd.{hashlib.sha256(f'{refund} {try_no}'.encode()).hexdigest()[:30]}"


def debit_identification(debit: str) -> str:
    """Return the id of a debit in the fifteen characters that the network gives back."""
    return f"dbt{hashlib.sha256(debit.encode()).hexdigest()[:12]}"
