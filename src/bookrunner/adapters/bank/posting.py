"""Which entries of a statement may be posted, given what was posted before."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from bookrunner.adapters.bank.entries import Entry, EntryStatus, FindingRule, Statement
from bookrunner.core.errors import Refused

REFUSING: Final = (
    FindingRule.BALANCES_ADD_UP,
    FindingRule.CONTROL_TOTALS_MATCH,
    FindingRule.CONTROL_COUNTS_MATCH,
)
"""What a statement that may lack a line, or have one too many, is refused for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Postable:
    """The entries of one statement, each in one place, in the order of the file.

    ``keys`` are to be remembered once ``new`` is posted: every key under which another file may bring
    one of them again.
    """

    new: tuple[Entry, ...]
    known: tuple[Entry, ...]
    expected: tuple[Entry, ...]
    held: tuple[Entry, ...]
    keys: frozenset[str]


def postable(statement: Statement, posted: AbstractSet[str], account_currency: str) -> Postable:
    """Split a statement into what is new, known, only expected, or held for a person.

    Known is what any earlier file brought under one of its keys, or whose batch one posted as one line.
    Expected is what is not booked. Held is an entry that moves no money, or another currency than the
    account's, or that the same file has twice under one bank reference. Refuses
    ``statement_is_in_account_currency`` and what ``REFUSING`` names.
    """
    if statement.currency != account_currency:
        raise Refused("statement_is_in_account_currency", f"{statement.currency}, not {account_currency}")
    for finding in statement.findings:
        if finding.rule in REFUSING:
            raise Refused(finding.rule.value, f"line {finding.line}: {finding.detail}")
    new: list[Entry] = []
    known: list[Entry] = []
    expected: list[Entry] = []
    held: list[Entry] = []
    keys: set[str] = set()
    for entry in statement.entries:
        own = keys_of(entry)
        if entry.status is not EntryStatus.BOOK:
            expected.append(entry)
        elif entry.amount_minor == 0 or entry.currency != account_currency:
            held.append(entry)
        elif own & posted:
            known.append(entry)
        elif set(entry.aliases) & keys:
            held.append(entry)
        else:
            new.append(entry)
            keys |= own
    return Postable(
        new=tuple(new),
        known=tuple(known),
        expected=tuple(expected),
        held=tuple(held),
        keys=frozenset(keys),
    )


def keys_of(entry: Entry) -> set[str]:
    """Return every key under which another file may bring an entry, that of its batch among them."""
    batch = entry.batch.key if entry.batch is not None else None
    return {entry.dedupe_key, *entry.aliases, *([batch] if batch else [])}
