"""Bank statements on their way into the treasury book."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from itertools import islice

from bookrunner.adapters.bank import (
    Entry,
    EntryStatus,
    Rail,
    Statement,
    StatementReader,
    keys_of,
    postable,
    rail_of,
)
from bookrunner.core.errors import Refused
from bookrunner.core.ids import new_id
from bookrunner.core.reference import find_references
from bookrunner.db import Row, Within
from bookrunner.engine.desk import Desk
from bookrunner.engine.intake.outgoing import (
    debits_of,
    marks_of,
    names_taken_back,
    note_refunds,
    note_returns,
)

# A long file reaches the database in pieces, all in one transaction.
PIECE = 5000
# No policy clears what came on a rail that the bank did not name: a person confirms it.
UNNAMED = "unnamed"


def import_statement(desk: Desk, reader: StatementReader, offering: str, raw: bytes, *, actor: str) -> int:
    """Post the booked credits of one statement file, match them by the rules; return how many are new.

    The same entry is posted once, whatever file brings it and under whichever of its references. Pending
    entries, other debits and entries that move no money are not posted; a booked debit that takes one of our
    receipts back is its return, and an alarm when it names none. A statement is posted whole or refused: when
    it was imported before, when it lacks a balance or its entries and totals do not add up, when it has one
    entry twice, when its account has another currency than the offer.
    """
    statement = reader.read(raw)
    with desk.treasury.together() as within:
        return post_statement(
            within, statement, (offering, actor), (new_id("stm"), hashlib.sha256(raw).hexdigest())
        )


def post_statement(within: Within, statement: Statement, on: tuple[str, str], file: tuple[str, str]) -> int:
    """Post a statement for (offering, actor) in a transaction that is open; return how many are new.

    ``file`` is the id that the statement gets and the SHA-256 of its bytes. Refuses as `import_statement`.
    """
    (offering, actor), (name, file_sha256) = on, file
    closed_on = _closed_on(statement)
    fresh, keys = _fresh(statement, lambda told: within.known_keys(offering=offering, keys=json.dumps(told)))
    others = note_refunds(within, offering, fresh, actor=actor)
    receipts = [entry for entry in others if _is_receipt(entry)]
    head = {
        "id": name,
        "account": statement.account,
        "bank_id": statement.statement_id,
        "currency": statement.currency,
        "file_sha256": file_sha256,
        "opening_minor": statement.opening_minor,
        "closing_minor": statement.closing_minor,
        "closed_on": closed_on.isoformat(),
        "entries": len(receipts),
    }
    within.import_statement(actor=actor, offering=offering, statement=head, entries="[]")
    added = _take_in(within, (offering, actor), name, _told(within, offering, others, receipts))
    # A credit and its return may stand on one statement: it arrived first, and is nobody's any more.
    note_returns(within, offering, others, actor=actor)
    within.remember_keys(actor=actor, offering=offering, keys=json.dumps(keys))
    # Each call matches a part of a long statement, within the time that a statement may take.
    while within.match(actor=actor, offering=offering):
        pass
    return added


def _told(
    within: Within, offering: str, entries: Sequence[Entry], receipts: list[Entry]
) -> Iterator[dict[str, object]]:
    """Yield what the book is told of each receipt, in the order in which money is matched.

    What an entry of the same statement takes back waits: it is returned before anything is matched.
    """
    debits, taken_back = debits_of(within, offering), names_taken_back(entries)
    for entry in sorted(receipts, key=lambda receipt: (str(receipt.booked_on), receipt.dedupe_key)):
        receipt = _claimed(_receipt(entry), entry, debits)
        yield receipt if marks_of(entry).isdisjoint(taken_back) else receipt | {"waits": True}


def _take_in(
    within: Within, on: tuple[str, str], statement: str, receipts: Iterator[dict[str, object]]
) -> int:
    """Post receipts piece by piece; return how many are new. While one is posted, the next is made."""
    offering, actor = on
    added = 0
    with ThreadPoolExecutor(max_workers=1) as ahead:
        piece = ahead.submit(_piece, receipts).result()
        while piece:
            following = ahead.submit(_piece, receipts)
            added += within.import_entries(actor=actor, offering=offering, statement=statement, entries=piece)
            piece = following.result()
    return added


def _piece(receipts: Iterator[dict[str, object]]) -> str:
    """Return the next receipts as JSON, empty text when there are none."""
    piece = list(islice(receipts, PIECE))
    return json.dumps(piece) if piece else ""


def _fresh(
    statement: Statement, known: Callable[[list[str]], Iterable[Row]]
) -> tuple[list[Entry], list[str]]:
    """Return the entries that no earlier file brought, and the keys to remember with them.

    An entry in another currency than its account stands by itself in the ledger.
    """
    told = sorted({key for entry in statement.entries for key in keys_of(entry)})
    posted = {row["key"] for row in known(told)}
    split = postable(statement, posted, statement.currency)
    twice = [entry for entry in split.held if entry.amount_minor and entry.currency == statement.currency]
    if twice:
        raise Refused("each_bank_entry_posts_once", f"the file has {twice[0].dedupe_key} twice")
    foreign = [entry for entry in split.held if entry.amount_minor and not keys_of(entry) & posted]
    further = {key for entry in (*split.known, *foreign) for key in keys_of(entry)}
    return [*split.new, *foreign], sorted((split.keys | further) - posted)


def _closed_on(statement: Statement) -> date:
    """Return the day of the closing balance; a statement that may lack an entry is refused."""
    if statement.opening_minor is None or statement.closing_minor is None or statement.closed_on is None:
        raise Refused("statement_has_its_balances", "opening or closing balance is missing")
    return statement.closed_on


def _is_receipt(entry: Entry) -> bool:
    return entry.credit and not entry.reversal and entry.status is EntryStatus.BOOK and entry.amount_minor > 0


def fingerprint(account: str) -> bytes:
    """Return the digest under which an account that pays in is known."""
    return hashlib.sha256(b"bookrunner/account/1/" + account.replace(" ", "").upper().encode()).digest()


def _claimed(receipt: dict[str, object], entry: Entry, debits: Mapping[str, Row]) -> dict[str, object]:
    """Return a receipt that is the money of a debit of ours with what the debit knows of it."""
    debit = debits.get(entry.end_to_end_id or "") or debits.get(entry.entry_ref or "") if debits else None
    if debit is None or (debit["amount_minor"], debit["currency"]) != (entry.amount_minor, entry.currency):
        return receipt
    return receipt | {
        "references": [debit["reference"]],
        "fingerprint": debit["fingerprint"],
        "rail": Rail.ACH_DEBIT,
        "marks": sorted({*marks_of(entry), debit["trace"]}),
    }


def _receipt(entry: Entry) -> dict[str, object]:
    told = " ".join(filter(None, (entry.remittance_structured, entry.remittance_text, entry.end_to_end_id)))
    references = find_references(told)
    booked_on = entry.booked_on
    if booked_on is None:
        raise Refused("booked_entry_has_its_day", entry.dedupe_key)
    return {
        "id": new_id("rcp"),
        "key": entry.dedupe_key,
        "amount": entry.amount_minor,
        "currency": entry.currency,
        "booked_on": booked_on.isoformat(),
        "value_on": (entry.value_on or booked_on).isoformat(),
        "references": references,
        "rail": rail_of(entry.bank_code) or UNNAMED,
        "fingerprint": fingerprint(entry.debtor_account).hex() if entry.debtor_account else None,
        "sender": entry.debtor_name,
        "line_sha256": entry.line_sha256,
        "marks": sorted(marks_of(entry)),
    }
