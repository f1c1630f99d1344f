"""Lines that holders are paid as entries of the ACH: a NACHA file, and the trace number of each entry."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

from bookrunner.adapters.bank.payouts import Account, AchClass, AchEntry, write_ach
from bookrunner.adapters.payments import debit_identification, payment_id
from bookrunner.adapters.payments.debits import header, originator
from bookrunner.adapters.payments.orders import AccountBook, write_refunds
from bookrunner.core.errors import Refused

_BANK_DIGITS: Final = 8
Rows = Sequence[Mapping[str, Any]]
WriteOrder = Callable[[str, Rows], bytes]
WriteEntries = Callable[[Rows, Mapping[str, int]], tuple[bytes, list[dict[str, str]]]]


def line_writers(
    accounts: str, sender: Path | None, fingerprint: Callable[[str], bytes], pay_on: date
) -> tuple[WriteOrder, WriteEntries | None]:
    """Return what writes lines for the bank, and as entries of the ACH where the file of a sender is given.

    Refuses ``account_book_is_readable`` and ``originator_is_readable``.
    """
    book = AccountBook(accounts, fingerprint)
    entries = None if sender is None else write_entries(originator(sender), book.holder, pay_on)
    return write_refunds(book.debtor, book.holder, pay_on), entries


def write_entries(said: Mapping[str, str], holder: Callable[[bytes], Account], pay_on: date) -> WriteEntries:
    """Return what writes the NACHA file of some lines from its numbers, and says the trace number of each.

    ``said`` is the header of `originator`, ``holder`` finds the account behind a fingerprint, whose bank is
    the routing number. The numbers are ``first`` of the entries and that of the ``file``. Refuses
    ``ach_pays_in_dollars``, ``payee_account_is_known`` and what the format refuses.
    """

    def written(lines: Rows, numbers: Mapping[str, int]) -> tuple[bytes, list[dict[str, str]]]:
        # The writer numbers its entries class by class.
        ordered = sorted(lines, key=lambda line: (line["class"], line["refund"]))
        first = numbers["first"]
        bank = said["origin"][:_BANK_DIGITS]
        traces = [
            {"line": line["refund"], "trace": f"{bank}{first + place:07d}"}
            for place, line in enumerate(ordered)
        ]
        head = header(said, pay_on, first=first, file=numbers["file"])
        return write_ach(head, [_entry(line, holder) for line in ordered]), traces

    return written


def _entry(line: Mapping[str, Any], holder: Callable[[bytes], Account]) -> AchEntry:
    if line["currency"] != "USD":
        raise Refused("ach_pays_in_dollars", "an entry of the ACH is in US dollars")
    account = holder(bytes.fromhex(line["fingerprint"]))
    return AchEntry(
        routing=account.bank,
        account=account.number,
        amount_minor=line["amount"],
        credit=True,
        name=account.name,
        identification=debit_identification(payment_id(line["refund"], line["try"])),
        entry_class=AchClass(line["class"]),
    )
