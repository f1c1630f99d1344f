"""The administrators' desk: the ledger as files; what is proposed and decided stands in its SQL."""

from bookrunner.books.treasury.desk.export import (
    account_statement_csv,
    ledger_beancount,
    statement_agreement_csv,
    three_way_csv,
    trial_balance_csv,
)

__all__ = [
    "account_statement_csv",
    "ledger_beancount",
    "statement_agreement_csv",
    "three_way_csv",
    "trial_balance_csv",
]
