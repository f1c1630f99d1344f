"""Refunds as a payment file, and the way of its bytes to a bank."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from bookrunner.adapters.bank.payouts import Account, PaymentFile, Payout, write_pain001
from bookrunner.adapters.payments import PaymentRail, RailUnavailable, payment_id
from bookrunner.core.errors import Refused
from bookrunner.core.money import Money, currency

Holders = Callable[[bytes], Account]


class AccountBook:
    """The accounts that the administrator knows, found by fingerprint; the first is the escrow account.

    Reads lines of ``name,number,bank`` under a header; refuses ``account_book_is_readable`` and what an
    account refuses.
    """

    def __init__(self, text: str, fingerprint: Callable[[str], bytes]) -> None:
        lines = csv.DictReader(text.splitlines(), strict=True)
        try:
            accounts = [Account(line["name"], line["number"], line["bank"]) for line in lines]
            self.debtor = accounts[0]
        except (csv.Error, IndexError, KeyError, TypeError):
            raise Refused("account_book_is_readable", "lines of name,number,bank under a header") from None
        self._accounts = {fingerprint(account.number): account for account in accounts}

    def holder(self, fingerprint: bytes) -> Account:
        """Return the account behind a fingerprint; refuses ``payee_account_is_known``."""
        found = self._accounts.get(fingerprint)
        if found is None:
            raise Refused("payee_account_is_known", "a refund goes to an account that the book does not have")
        return found


def write_refunds(
    debtor: Account, holder: Holders, pay_on: date
) -> Callable[[str, Sequence[Mapping[str, Any]]], bytes]:
    """Return what writes the pain.001 of some refunds from the id of its order.

    ``holder`` finds the account behind a fingerprint, the source that the money came from. A refund that is
    tried again carries its try in the id of its payment, since the bank answers for an id once.
    """

    def written(order: str, refunds: Sequence[Mapping[str, Any]]) -> bytes:
        head = PaymentFile(
            file_id=order, written_at=datetime.combine(pay_on, time(), UTC), pay_on=pay_on, debtor=debtor
        )
        return write_pain001(head, [_payout(refund, holder) for refund in refunds])

    return written


def write_release(
    debtor: Account, holder: Holders, pay_on: date
) -> Callable[[str, Mapping[str, Any]], bytes]:
    """Return what writes the pain.001 of a release from the id of its order: issuer and payees of fees."""

    def written(order: str, release: Mapping[str, Any]) -> bytes:
        head = PaymentFile(
            file_id=order, written_at=datetime.combine(pay_on, time(), UTC), pay_on=pay_on, debtor=debtor
        )
        unit = currency(release["currency"])
        return write_pain001(
            head,
            [
                Payout(
                    payment_id=line["payment"],
                    amount=Money(line["amount"], unit),
                    creditor=holder(bytes.fromhex(line["fingerprint"])),
                )
                for line in release["lines"]
            ],
        )

    return written


class Courier:
    """Takes stored bytes to a bank; a lost answer is asked for."""

    def __init__(self, rail: PaymentRail) -> None:
        self._rail = rail

    def hand_over(self, order: str, content: bytes) -> str:
        """Hand bytes over and return the bank's reference.

        A bank whose answer is lost is asked whether it has the order; raises RailUnavailable when it has not,
        or cannot be asked.
        """
        try:
            return self._rail.submit(order, content).reference
        except RailUnavailable:
            known = self._rail.status(order)
            if known is None:
                raise
            return known.reference

    def reference_of(self, order: str) -> str | None:
        """Return the bank's reference of an order, None when it does not have it; raises RailUnavailable."""
        known = self._rail.status(order)
        return None if known is None else known.reference


def _payout(refund: Mapping[str, Any], holder: Holders) -> Payout:
    identity = payment_id(refund["refund"], refund["try"])
    amount = Money(refund["amount"], currency(refund["currency"]))
    return Payout(payment_id=identity, amount=amount, creditor=holder(bytes.fromhex(refund["fingerprint"])))
