"""The fund administrator: receipts, matching, clearing, escrow, refunds, release."""

from bookrunner.books.treasury.desk import (
    account_statement_csv,
    ledger_beancount,
    statement_agreement_csv,
    three_way_csv,
    trial_balance_csv,
)
from bookrunner.books.treasury.rails.disbursements import LINES, disbursements, store_orders
from bookrunner.books.treasury.rails.exchange import exchange
from bookrunner.books.treasury.rails.payouts import (
    Carrier,
    clear_due,
    hand_over_waiting,
    return_due,
    send_refunds,
    send_return,
    send_waiting,
)
from bookrunner.db import Database, Keeper

__all__ = [
    "LINES",
    "Carrier",
    "account_statement_csv",
    "clear_due",
    "disbursements",
    "exchange",
    "hand_over_waiting",
    "keeper",
    "ledger_beancount",
    "return_due",
    "send_refunds",
    "send_return",
    "send_waiting",
    "statement_agreement_csv",
    "store_orders",
    "three_way_csv",
    "trial_balance_csv",
]


def keeper(database: Database) -> Keeper:
    """Return the verbs and lookups of this book, under its own login."""
    return Keeper(database, "treasury", __name__)
