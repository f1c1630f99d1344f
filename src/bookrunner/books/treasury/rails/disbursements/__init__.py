"""Payments to holders: the lines of distributions on their way to payees."""

from bookrunner.books.treasury.rails.disbursements.paying import (
    LINES,
    WriteEntries,
    disbursements,
    store_orders,
)

__all__ = ["LINES", "WriteEntries", "disbursements", "store_orders"]
