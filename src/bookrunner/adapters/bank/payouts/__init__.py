"""Payment files that we send: pain.001, NACHA and pacs.004, equal bytes for equal input."""

from __future__ import annotations

from bookrunner.adapters.bank.payouts.ach import (
    AchAccount,
    AchClass,
    AchEntry,
    AchFile,
    AchReturn,
    write_ach,
)
from bookrunner.adapters.bank.payouts.orders import Account, PaymentFile, Payout
from bookrunner.adapters.bank.payouts.pacs004 import WireReturn, write_pacs004
from bookrunner.adapters.bank.payouts.pain001 import write_pain001

__all__ = [
    "Account",
    "AchAccount",
    "AchClass",
    "AchEntry",
    "AchFile",
    "AchReturn",
    "PaymentFile",
    "Payout",
    "WireReturn",
    "write_ach",
    "write_pacs004",
    "write_pain001",
]
