"""A worker that pays lines in a process of its own, and stands still where it shall be killed."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bookrunner.adapters.bank.payouts import Account
from bookrunner.adapters.payments.dispatch import carrier_to
from bookrunner.adapters.payments.orders import write_refunds
from bookrunner.books import treasury
from bookrunner.db import Database, Endpoint
from bookrunner.db.endpoint import Secrets
from tests.treasury.payout_worker import BANK, PAY_ON, holder

MOMENTS = ("taken", "stored", "sent")
"""Lines are locked and nothing is stored; bytes are committed and not sent; the bank has them and we have not
noted it."""


def main() -> None:
    """Order every owed line of an offer, two to a file, and hand the files over."""
    dsn, secrets, offering, to, moment = sys.argv[1:]

    def reach(here: str) -> None:
        if here == moment:
            sys.stdout.write(f"{here}\n")
            sys.stdout.flush()
            time.sleep(600)

    database = Database(Endpoint(dsn, Secrets(Path(secrets))), max_size=2)
    keeper = treasury.keeper(database)
    write = write_refunds(Account("Escrow", "ESCROW1", BANK), holder, PAY_ON)

    def written(order: str, lines: Sequence[Mapping[str, Any]]) -> bytes:
        content = write(order, lines)
        reach("taken")
        return content

    with carrier_to(to) as courier:

        class Watched:
            """The way to the bank, with places to stand still on it."""

            def hand_over(self, order: str, content: bytes) -> str:
                reach("stored")
                reference = courier.hand_over(order, content)
                reach("sent")
                return reference

            def reference_of(self, order: str) -> str | None:
                return courier.reference_of(order)

        treasury.hand_over_waiting(keeper, offering, Watched())
        treasury.store_orders(database, offering, written, most=2)
        treasury.hand_over_waiting(keeper, offering, Watched())
    database.close()
    sys.stdout.write("done\n")


if __name__ == "__main__":
    main()
