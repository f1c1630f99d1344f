"""Bank statements on their way into the treasury book."""

from __future__ import annotations

import hashlib
import json
from datetime import date

from bookrunner.adapters.bank import Entry, EntryStatus, FindingRule, Statement, StatementReader
from bookrunner.core.errors import Refused
from bookrunner.core.ids import new_id
from bookrunner.core.reference import find_references
from bookrunner.engine.desk import Desk


def import_statement(desk: Desk, reader: StatementReader, offering: str, raw: bytes, *, actor: str) -> int:
    """Post the booked credits of one statement file, match them by the rules; return how many are new.

    The same entry is posted once, whatever file brings it. Pending entries, debits, reversals and entries
    that move no money are not posted. A statement is posted whole or refused: when it was imported before,
    when it lacks a balance or its entries do not make the closing balance, when its account has another
    currency than the offer.
    """
    statement = reader.read(raw)
    closed_on = _closed_on(statement)
    booked = [entry for entry in statement.entries if _is_receipt(entry)]
    head = {
        "id": new_id("stm"),
        "account": statement.account,
        "bank_id": statement.statement_id,
        "currency": statement.currency,
        "file_sha256": hashlib.sha256(raw).hexdigest(),
        "opening_minor": statement.opening_minor,
        "closing_minor": statement.closing_minor,
        "closed_on": closed_on.isoformat(),
    }
    entries = [_receipt(entry) for entry in booked]
    with desk.treasury.together() as within:
        added: int = within.import_statement(
            actor=actor, offering=offering, statement=head, entries=json.dumps(entries)
        )
        within.match(actor=actor, offering=offering)
    return added


def _closed_on(statement: Statement) -> date:
    """Return the day of the closing balance; a statement that may lack an entry is refused."""
    if statement.opening_minor is None or statement.closing_minor is None or statement.closed_on is None:
        raise Refused("statement_has_its_balances", "opening or closing balance is missing")
    for finding in statement.findings:
        if finding.rule is FindingRule.BALANCES_ADD_UP:
            raise Refused(finding.rule.value, f"line {finding.line}: {finding.detail}")
    return statement.closed_on


def _is_receipt(entry: Entry) -> bool:
    return entry.credit and not entry.reversal and entry.status is EntryStatus.BOOK and entry.amount_minor > 0


def fingerprint(account: str) -> bytes:
    """Return the digest under which an account that pays in is known."""
    return hashlib.sha256(b"bookrunner/account/1/" + account.replace(" ", "").upper().encode()).digest()


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
        "reference": references[0] if len(references) == 1 else None,
        "fingerprint": fingerprint(entry.debtor_account).hex() if entry.debtor_account else None,
        "sender": entry.debtor_name,
        "line_sha256": entry.line_sha256,
    }
