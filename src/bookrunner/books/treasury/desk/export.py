"""The escrow ledger as CSV and as a beancount journal, for an auditor's own tools; amounts are decimals."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping

from bookrunner.core.money import Money, currency
from bookrunner.db import Keeper

Line = Mapping[str, object]

_AMOUNT = "_minor"
_ROOTS = {"asset": "Assets", "liab": "Liabilities", "exp": "Expenses"}


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


def ledger_beancount(treasury: Keeper, offering: str) -> str:
    """Return every journal of an offer as a beancount file: accounts opened, debits above zero."""
    lines = treasury.all_entries(offering=offering)
    opened: dict[str, str] = {}
    journals: dict[str, list[str]] = {}
    for line in lines:
        day = line["occurred_at"].date().isoformat()
        account = _account(line["account"])
        opened.setdefault(account, f"{day} open {account}")
        head = f'{day} * "{line["kind"]}" "{line["journal_id"]}"'
        amount = Money(int(line["amount_minor"]), currency(line["currency"]))
        signed = amount if line["side"] == "debit" else -amount
        journals.setdefault(head, []).append(f"  {account}  {signed}")
    written = ["\n".join(opened.values()), *("\n".join([head, *legs]) for head, legs in journals.items())]
    return "\n\n".join(written) + "\n"


def _account(name: str) -> str:
    """Return an account under a name that beancount takes: words in capitals, no underscores."""
    root, *rest = name.split(":")
    words = [part.replace("_", "-") for part in rest]
    return ":".join([_ROOTS[root], *(word[:1].upper() + word[1:] for word in words)])


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
