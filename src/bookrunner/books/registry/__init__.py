"""The transfer agent: wallets, issuance, the master securityholder file, control book, turnaround log."""

from bookrunner.books.registry import transfers as _transfers
from bookrunner.books.registry.statements import issue_statement, register_csv, verify_statement
from bookrunner.books.registry.transfers import item_clock, present_again, refusals, request_transfer
from bookrunner.books.registry.turnaround import MonthFigures, counts_from, due_on, month_figures, receive
from bookrunner.db import Database, Keeper

__all__ = [
    "MonthFigures",
    "counts_from",
    "due_on",
    "issue_statement",
    "item_clock",
    "keeper",
    "month_figures",
    "present_again",
    "receive",
    "refusals",
    "register_csv",
    "request_transfer",
    "transfers_of",
    "verify_statement",
]


def keeper(database: Database) -> Keeper:
    """Return the verbs and lookups of this book, under its own login."""
    return Keeper(database, "registry", __name__)


def transfers_of(database: Database) -> Keeper:
    """Return the verbs and lookups of transfers, under the same login."""
    return _transfers.keeper(database)
