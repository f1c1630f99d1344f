"""The transfer agent: wallets, issuance, the master securityholder file, control book, turnaround log."""

from bookrunner.books.registry import holders as _holders
from bookrunner.books.registry import transfers as _transfers
from bookrunner.books.registry.holders import propose_change
from bookrunner.books.registry.statements import issue_statement, register_csv, verify_statement
from bookrunner.books.registry.statements.export import Described, export_package
from bookrunner.books.registry.statements.importing import (
    Judged,
    export_csv,
    judge_csv,
    judge_holders,
    judge_package,
    propose_import,
)
from bookrunner.books.registry.transfers import actions as _actions
from bookrunner.books.registry.transfers import item_clock, present_again, refusals, request_transfer
from bookrunner.books.registry.transfers import market as _market
from bookrunner.books.registry.transfers.actions import buybacks as _buybacks
from bookrunner.books.registry.transfers.actions import conversions as _conversions
from bookrunner.books.registry.transfers.actions import reinvestment as _reinvestment
from bookrunner.books.registry.transfers.market import (
    legs_of,
    match_interest,
    match_refused,
    post_interest,
    swap_over,
)
from bookrunner.books.registry.transfers.market import queries as market_queries
from bookrunner.books.registry.turnaround import MonthFigures, counts_from, due_on, month_figures, receive
from bookrunner.db import Database, Keeper

__all__ = [
    "Described",
    "Judged",
    "MonthFigures",
    "actions_of",
    "buybacks_of",
    "conversions_of",
    "counts_from",
    "due_on",
    "export_csv",
    "export_package",
    "holders_of",
    "issue_statement",
    "item_clock",
    "judge_csv",
    "judge_holders",
    "judge_package",
    "keeper",
    "legs_of",
    "market_of",
    "market_queries",
    "match_interest",
    "match_refused",
    "month_figures",
    "post_interest",
    "present_again",
    "propose_change",
    "propose_import",
    "receive",
    "refusals",
    "register_csv",
    "reinvestment_of",
    "request_transfer",
    "swap_over",
    "transfers_of",
    "verify_statement",
]


def keeper(database: Database) -> Keeper:
    """Return the verbs and lookups of this book, under its own login."""
    return Keeper(database, "registry", __name__)


def transfers_of(database: Database) -> Keeper:
    """Return the verbs and lookups of transfers, under the same login."""
    return _transfers.keeper(database)


def market_of(database: Database) -> Keeper:
    """Return the verbs and lookups of venues and their trades, under the same login."""
    return _market.keeper(database)


def actions_of(database: Database) -> Keeper:
    """Return the verbs and lookups of corporate actions, under the same login."""
    return _actions.keeper(database)


def buybacks_of(database: Database) -> Keeper:
    """Return the verbs and lookups of buy-backs, under the same login."""
    return _buybacks.keeper(database)


def conversions_of(database: Database) -> Keeper:
    """Return the verbs and lookups of conversions, under the same login."""
    return _conversions.keeper(database)


def reinvestment_of(database: Database) -> Keeper:
    """Return the verbs and lookups of reinvestment, under the same login."""
    return _reinvestment.keeper(database)


def holders_of(database: Database) -> Keeper:
    """Return the verbs and lookups about holders and their custodians, under the same login."""
    return _holders.keeper(database)
