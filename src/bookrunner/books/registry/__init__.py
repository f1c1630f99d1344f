"""The transfer agent: wallets, issuance, the master securityholder file, control book, turnaround log."""

from bookrunner.books.registry.statements import issue_statement, register_csv, verify_statement
from bookrunner.books.registry.turnaround import MonthFigures, counts_from, due_on, month_figures, receive
from bookrunner.db import Database, Keeper

__all__ = [
    "MonthFigures",
    "counts_from",
    "due_on",
    "issue_statement",
    "keeper",
    "month_figures",
    "receive",
    "register_csv",
    "verify_statement",
]


def keeper(database: Database) -> Keeper:
    """Return the verbs and lookups of this book, under its own login."""
    return Keeper(database, "registry", __name__)
