"""What bank files say of money that went the other way: refunds paid or sent back, receipts taken back."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import date

from bookrunner.adapters.bank import BankFileReader, Entry, EntryStatus
from bookrunner.adapters.payments import debit_identification, payment_id
from bookrunner.db import Row, Within, load
from bookrunner.engine.desk import Desk

_REVERSED = "reversal"
_LINE, _REMITTANCE = "line", "remittance"
_ANNOUNCED = "announced"
_LINES = "bookrunner.books.treasury.rails.disbursements"
_TRACE = re.compile(r"-([0-9]{15})$", re.ASCII)


class _Sent:
    """The refunds with the bank, by the names under which a statement may show them."""

    def __init__(self, refunds: Sequence[Row]) -> None:
        self._own: dict[str, Row] = {}
        self._returns: list[Row] = []
        for row in refunds:
            name = payment_id(row["refund_id"], row["try_no"])
            self._own[name] = row
            if row["is_return"]:
                self._own[debit_identification(name)] = row
                if row["status"] == "sent":
                    self._returns.append(row)
            elif row["marks"]:
                # An entry of the ACH has room for fifteen characters, and comes back under its trace number.
                self._own |= {debit_identification(name): row, row["marks"][0]: row}

    def refund_of(self, entry: Entry) -> Row | None:
        """Return the refund that an entry books or sends back, None when it is of no refund."""
        if not self._own or entry.status is not EntryStatus.BOOK:
            return None
        named = (self._own.get(name) for name in (entry.end_to_end_id, entry.original_reference) if name)
        found = next((row for row in named if row is not None), None)
        if found is not None and not _may_be(entry, found):
            found = None
        if entry.credit:
            return found
        if found is None:
            names = _names(entry)
            found = next(
                (row for row in self._returns if not names.isdisjoint(row["marks"]) and _may_be(entry, row)),
                None,
            )
        self._returns = [row for row in self._returns if row is not found]
        return found


def _may_be(entry: Entry, refund: Row) -> bool:
    """Say whether an entry that names a refund books it: a bank may give the debit of a return as one."""
    if (refund["amount_minor"], refund["currency"]) != (entry.amount_minor, entry.currency):
        return False
    if entry.credit:
        return entry.return_reason is not None and not entry.reversal
    return refund["is_return"] or (entry.return_reason is None and not entry.reversal)


def note_refunds(within: Within, offering: str, entries: Sequence[Entry], *, actor: str) -> list[Entry]:
    """Settle and bounce refunds as the booked entries of a statement say; return the other entries.

    So are the lines of distributions and remittances of withheld tax. The payments of releases are booked
    too, and the deposits of cheques that were recorded by hand.

    An entry is of a refund when it names its payment and has its amount to the cent: what came back would
    look like an investor's money otherwise. A refund that was sent as the return of its payment may be booked
    under the names of that payment; only the first such debit is ours, another one is the bank's own.
    """
    entries = _note_cheques(
        within, offering, _note_releases(within, offering, entries, actor=actor), actor=actor
    )
    sent = _Sent(within.refunds_with_the_bank(offering=offering))
    others: list[Entry] = []
    settled: defaultdict[tuple[date | None, str], list[str]] = defaultdict(list)
    bounced: list[tuple[Entry, Row]] = []
    lines = within.using(load(_LINES))
    for entry in entries:
        refund = sent.refund_of(entry)
        if refund is None:
            others.append(entry)
        elif refund["status"] == _ANNOUNCED:
            lines.book_entry(
                actor=actor,
                offering=offering,
                line=refund["refund_id"],
                try_no=refund["try_no"],
                is_back=entry.credit,
                booked_on=entry.booked_on,
            )
        elif entry.credit:
            bounced.append((entry, refund))
        elif refund["status"] == "sent":
            settled[entry.booked_on, refund["kind"]].append(refund["refund_id"])
    for (day, kind), paid in settled.items():
        on = {"actor": actor, "offering": offering, "booked_on": day}
        if kind == _LINE:
            lines.settle_disbursements(lines=paid, **on)
        elif kind == _REMITTANCE:
            lines.settle_remittances(remittances=paid, **on)
        else:
            within.settle_refunds(refunds=paid, **on)
    # What left and came back on one statement left first.
    for entry, refund in bounced:
        _bring_back(within, (offering, actor), entry, refund)
    return others


def _bring_back(within: Within, on: tuple[str, str], entry: Entry, refund: Row) -> None:
    offering, actor = on
    back = {"actor": actor, "offering": offering, "code": entry.return_reason, "booked_on": entry.booked_on}
    lines = within.using(load(_LINES))
    if refund["kind"] == _LINE:
        lines.return_disbursement(line=refund["refund_id"], **back)
    elif refund["kind"] == _REMITTANCE:
        lines.return_remittance(remittance=refund["refund_id"], **back)
    else:
        within.bounce_refund(refund=refund["refund_id"], **back)


def _note_releases(within: Within, offering: str, entries: Sequence[Entry], *, actor: str) -> list[Entry]:
    known = {row["payment"]: row for row in within.releases_with_the_bank(offering=offering)}
    others: list[Entry] = []
    for entry in entries:
        row = known.get(entry.end_to_end_id or "")
        shown = not entry.credit and not entry.reversal and entry.status is EntryStatus.BOOK
        if (
            row is None
            or not shown
            or (row["amount_minor"], row["currency"]) != (entry.amount_minor, entry.currency)
        ):
            others.append(entry)
            continue
        within.book_release_payment(
            actor=actor,
            offering=offering,
            release=row["release_id"],
            payment=row["payment"],
            booked_on=entry.booked_on,
        )
    return others


def _note_cheques(within: Within, offering: str, entries: Sequence[Entry], *, actor: str) -> list[Entry]:
    """Book the deposits that name a recorded cheque by its number, with its amount; return the others."""
    known = {row["number"].lstrip("0"): row for row in within.cheques_in_hand(offering=offering)}
    others: list[Entry] = []
    for entry in entries:
        numbers = (entry.end_to_end_id, entry.remittance_text)
        row = next((known[n.lstrip("0")] for n in numbers if n and n.lstrip("0") in known), None)
        shown = entry.credit and not entry.reversal and entry.status is EntryStatus.BOOK
        if (
            row is None
            or not shown
            or (row["amount_minor"], row["currency"]) != (entry.amount_minor, entry.currency)
        ):
            others.append(entry)
            continue
        del known[row["number"].lstrip("0")]
        within.deposit_cheque(
            actor=actor, offering=offering, receipt=row["receipt_id"], booked_on=entry.booked_on
        )
    return others


def debits_of(within: Within, offering: str) -> dict[str, Row]:
    """Return the debits that a statement may show, by the names under which a bank gives them back."""
    found: dict[str, Row] = {}
    for row in within.debits_sent(offering=offering):
        found |= {row["trace"]: row, debit_identification(row["debit_id"]): row}
    return found


def marks_of(entry: Entry) -> set[str]:
    """Return the names under which a bank may take an entry back: UETR, end-to-end id, its own reference."""
    names = (entry.uetr, entry.end_to_end_id, entry.entry_ref, _trace(entry))
    return {name.lower() for name in names if name}


def note_returns(within: Within, offering: str, entries: Sequence[Entry], *, actor: str) -> int:
    """Record the receipts that booked debits take back, with their reasons; return how many.

    A debit is a return of one receipt when it names it and has its amount to the cent. One that the bank
    gives as a return and that names no single receipt raises the alarm ``return_has_its_receipt``.
    """
    return _take_back(within, (offering, actor), _taken_back(entries), is_booked=True)


def names_taken_back(entries: Sequence[Entry]) -> set[str]:
    """Return every name by which the booked debits among entries take a receipt back."""
    return set().union(*map(_names, _taken_back(entries)))


def _taken_back(entries: Sequence[Entry]) -> list[Entry]:
    return [
        entry
        for entry in entries
        if not entry.credit and entry.status is EntryStatus.BOOK and (entry.return_reason or entry.reversal)
    ]


def import_returns(desk: Desk, reader: BankFileReader, offering: str, raw: bytes, *, actor: str) -> int:
    """Record the returns that a file announces and no statement shows yet; return how many receipts.

    Such files are NACHA returns and pacs.004: the receipts are taken back at once, and the debit of a later
    statement books it. A line that was paid by the ACH is open again. The same announcement again changes
    nothing.
    """
    file = reader.read_file(raw)
    told = [entry for statement in file.statements for entry in statement.entries if entry.return_reason]
    with desk.treasury.together() as within:
        keys = [entry.dedupe_key for entry in told]
        known = {row["key"] for row in within.known_keys(offering=offering, keys=json.dumps(keys))}
        fresh = [entry for entry in told if entry.dedupe_key not in known]
        ours = [entry for entry in fresh if not _reopens(within, (offering, actor), entry)]
        taken = _take_back(within, (offering, actor), ours, is_booked=False)
        taken_in = json.dumps(sorted({entry.dedupe_key for entry in fresh}))
        within.remember_keys(actor=actor, offering=offering, keys=taken_in)
    return taken


def _reopens(within: Within, on: tuple[str, str], entry: Entry) -> bool:
    """Open the line that an entry of ours paid and that the network sends back; False for any other entry."""
    offering, actor = on
    back: bool = within.using(load(_LINES)).return_entry(
        actor=actor,
        offering=offering,
        trace=entry.original_reference or "",
        amount=entry.amount_minor,
        code=entry.return_reason,
    )
    return back


def _take_back(within: Within, on: tuple[str, str], entries: Sequence[Entry], *, is_booked: bool) -> int:
    offering, actor = on
    if not entries:
        return 0
    named = {id(entry): _names(entry) for entry in entries}
    rows: Sequence[Row] = within.receipts_with_marks(
        offering=offering, marks=sorted(set().union(*named.values()))
    )
    gone: set[str] = set()
    for entry in entries:
        found = [
            row
            for row in rows
            if named[id(entry)] & set(row["marks"])
            and (row["amount_minor"], row["currency"]) == (entry.amount_minor, entry.currency)
            and row["receipt_id"] not in gone
            and _may_go(row, is_booked=is_booked)
        ]
        trace = entry.original_reference or ""
        if not found and within.return_debit(
            actor=actor, offering=offering, trace=trace, code=entry.return_reason or _REVERSED
        ):
            continue
        if len(found) != 1:
            within.question_entry(
                actor=actor,
                offering=offering,
                rule="return_has_its_receipt",
                entry=entry.dedupe_key,
                evidence=bytes.fromhex(entry.line_sha256),
            )
            continue
        gone.add(found[0]["receipt_id"])
        within.record_return(
            actor=actor,
            offering=offering,
            receipt=found[0]["receipt_id"],
            code=entry.return_reason or _REVERSED,
            booked_on=entry.booked_on,
            is_booked=is_booked,
        )
    return len(gone)


def _may_go(row: Row, *, is_booked: bool) -> bool:
    """Say whether a receipt stands, or went by an announcement that this booking follows."""
    return row["status"] != "returned" or (is_booked and not row["is_return_booked"])


def _names(entry: Entry) -> set[str]:
    """Return what a returned entry calls the one that it takes back."""
    names = (entry.original_reference, entry.end_to_end_id, entry.uetr)
    return {name.lower() for name in names if name}


def _trace(entry: Entry) -> str | None:
    """Return the trace number at the end of a NACHA entry's reference."""
    found = _TRACE.search(entry.entry_ref or "")
    return None if found is None else found[1]
