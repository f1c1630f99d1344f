"""The escrow ledger as CSV, for an auditor's own tools; amounts are decimals of their currency."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping

from bookrunner.core.money import Money, currency
from bookrunner.db import Keeper

Line = Mapping[str, object]

_AMOUNT = "_minor"


def trial_balance_csv(treasury: Keeper, offering: str) -> str:
    """Return every account of an offer with its debit or credit balance."""
    return _csv(treasury.trial_balance(offering=offering))


def account_statement_csv(treasury: Keeper, offering: str, account: str) -> str:
    """Return the entries of one account in the order of posting, each with the balance after it."""
    return _csv(treasury.account_statement(offering=offering, account=account))


def statement_agreement_csv(treasury: Keeper, offering: str) -> str:
    """Return each bank statement beside the ledger of its day."""
    return _csv(treasury.statement_agreement(offering=offering))


def three_way_csv(treasury: Keeper, offering: str) -> str:
    """Return the balances of ledger, bank and investors, a line per currency."""
    return _csv(treasury.three_way(offering=offering))


def _csv(lines: Iterable[Line]) -> str:
    """Return lines as CSV with a head; a column of minor units becomes decimals under a shorter name."""
    written = io.StringIO(newline="")
    table = csv.writer(written, lineterminator="\n")
    head: list[str] = []
    for line in lines:
        if not head:
            head = list(line)
            table.writerow(name.removesuffix(_AMOUNT) for name in head)
        unit = currency(str(line["currency"]))
        table.writerow(
            Money(int(str(value)), unit).format() if name.endswith(_AMOUNT) else value
            for name, value in line.items()
        )
    return written.getvalue()
