"""A worker that sends refunds in a process of its own, and stands still where it shall be killed."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from bookrunner.adapters.bank.payouts import Account
from bookrunner.adapters.payments.dispatch import carrier_to
from bookrunner.adapters.payments.orders import AccountBook, write_refunds
from bookrunner.adapters.payments.returns import Numbers, Original, write_return
from bookrunner.books import treasury
from bookrunner.core import clock
from bookrunner.db import Database, Endpoint
from bookrunner.db.endpoint import Secrets
from bookrunner.engine.intake import fingerprint

MOMENTS = ("taken", "stored", "sent", "none", "returned")
"""Refunds are locked and nothing is stored; bytes are committed and not sent; the bank has them and we have
not noted it; the worker ends by itself; the refunds of what nobody owned are decided and nothing is taken."""
PAY_ON = date(2026, 4, 1)
BANK = "021000021"
BOOK = f"name,number,bank\nExample Escrow,ESCROW1,{BANK}\nExample Person,ACC1,{BANK}\n"
WIRE = Original(reason="AC04", uetr="3F2B8C1E-5D4A-4B7E-9A3C-1F6D2E8B7A90", end_to_end="E2E1", message="MSG1")


def holder(fingerprint: bytes) -> Account:
    """Return the account behind a fingerprint, as the vault of these tests has it."""
    return Account("Example Person", f"ACC{fingerprint.hex()[:20].upper()}", BANK)


def main() -> None:
    """Send every refund of an offer, or one as the return of its wire.

    ``moment`` says where to stand still, ``after`` how many times later.
    """
    dsn, secrets, offering, to, moment, after, *one = sys.argv[1:]
    left = int(after)

    def reach(here: str) -> None:
        nonlocal left
        if here != moment:
            return
        left -= 1
        if left < 0:
            sys.stdout.write(f"{here}\n")
            sys.stdout.flush()
            time.sleep(600)

    database = Database(Endpoint(dsn, Secrets(Path(secrets))), max_size=2)
    treasury.return_due(treasury.keeper(database), clock.today())
    reach("returned")
    with carrier_to(to) as courier:
        write = write_refunds(Account("Escrow", "ESCROW1", BANK), holder, PAY_ON)
        write_back = write_return(AccountBook(BOOK, fingerprint), WIRE, PAY_ON)

        def written(order: str, refunds: Sequence[Mapping[str, Any]]) -> bytes:
            content = write(order, refunds)
            reach("taken")
            return content

        def written_back(refund: Mapping[str, Any], marks: frozenset[str], numbers: Numbers) -> bytes:
            content = write_back(refund, marks, numbers)
            reach("taken")
            return content

        class Watched:
            """The way to the bank, with places to stand still on it."""

            def hand_over(self, order: str, content: bytes) -> str:
                reach("stored")
                reference = courier.hand_over(order, content)
                reach("sent")
                return reference

            def reference_of(self, order: str) -> str | None:
                return courier.reference_of(order)

        keeper = treasury.keeper(database)
        if one:
            treasury.send_return(keeper, (offering, one[0]), written_back, Watched())
        else:
            treasury.send_refunds(keeper, offering, written, Watched(), most=1)
    database.close()
    sys.stdout.write("done\n")


if __name__ == "__main__":
    main()
