"""What a payment file is written from, with what each format can carry."""

from __future__ import annotations

import hashlib
import re
import unicodedata
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from bookrunner.adapters.bank.nacha.records import is_routing
from bookrunner.core.errors import Refused
from bookrunner.core.money import Money

_BIC: Final = re.compile(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?")
_ACCOUNT: Final = re.compile(r"[A-Za-z0-9-]{1,34}", re.ASCII)
_IDENTITY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+-]{0,34}", re.ASCII)
_NAME_CHARACTERS_MAX: Final = 140
_PAYMENTS_MAX: Final = 100_000


@dataclass(frozen=True, slots=True)
class Account:
    """A bank account: its holder's name, its IBAN or number, its bank's BIC or routing number.

    Refuses ``holder_is_named``, ``account_number_is_usable`` and ``bank_is_named``.
    """

    name: str
    number: str = field(repr=False)
    bank: str

    def __post_init__(self) -> None:
        """Refuse what no bank would take."""
        if not self.name.strip() or len(self.name) > _NAME_CHARACTERS_MAX or _has_controls(self.name):
            raise Refused("holder_is_named", "1 to 140 printable characters")
        if _ACCOUNT.fullmatch(self.number) is None:
            raise Refused("account_number_is_usable", "1 to 34 letters and digits")
        if not is_routing(self.bank) and _BIC.fullmatch(self.bank) is None:
            raise Refused("bank_is_named", "neither a BIC nor a routing number with its check digit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Payout:
    """One payment of ours; ``payment_id`` is the refund's or release's id and comes back in reports."""

    payment_id: str
    amount: Money
    creditor: Account
    reference: str | None = None
    text: str | None = None

    def __post_init__(self) -> None:
        """Refuse ``payment_id_is_usable``, ``payout_is_positive`` and ``remittance_is_printable``."""
        check_identity(self.payment_id)
        check_amount(self.amount)
        for told in (self.reference, self.text):
            if told is not None and (
                not told.strip() or len(told) > _NAME_CHARACTERS_MAX or _has_controls(told)
            ):
                raise Refused("remittance_is_printable", "1 to 140 printable characters")


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentFile:
    """What a file says besides its payments; ``written_at`` has a zone and comes from the caller."""

    file_id: str
    written_at: datetime
    pay_on: date
    debtor: Account

    def __post_init__(self) -> None:
        """Refuse ``payment_id_is_usable`` and ``file_time_has_zone``."""
        check_identity(self.file_id)
        if self.written_at.tzinfo is None:
            raise Refused("file_time_has_zone", "a time without a zone")


def check_identity(identity: str) -> None:
    """Refuse ``payment_id_is_usable``: 1 to 35 characters that every bank gives back unchanged."""
    if _IDENTITY.fullmatch(identity) is None:
        raise Refused("payment_id_is_usable", "1 to 35 letters, digits and . _ / + -")


def check_amount(amount: Money) -> None:
    """Refuse ``payout_is_positive``."""
    if amount.minor <= 0:
        raise Refused("payout_is_positive", "nothing to pay")


def check_payouts(payouts: Sequence[Payout]) -> Money:
    """Return the sum; refuses ``file_has_payouts``, ``payment_id_is_unique``, ``currencies_are_equal``."""
    if not 0 < len(payouts) <= _PAYMENTS_MAX:
        raise Refused("file_has_payouts", "1 to 100,000 payments")
    if len({payout.payment_id for payout in payouts}) != len(payouts):
        raise Refused("payment_id_is_unique", "one payment twice in a file")
    total = payouts[0].amount
    for payout in payouts[1:]:
        total += payout.amount
    return total


def uetr_of(payment_id: str) -> str:
    """Return the UETR of a payment, equal for each time that its file is written."""
    digest = hashlib.sha256(b"bookrunner/uetr/1/" + payment_id.encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))


def _has_controls(text: str) -> bool:
    return any(unicodedata.category(character).startswith("C") for character in text)
