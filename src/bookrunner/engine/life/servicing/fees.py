"""The fee of a registered transfer on its way to the ledger: the register fixes it, the treasury posts it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from bookrunner.db import Database, Keeper
from bookrunner.engine.desk import PROCESS, Desk, event_name
from bookrunner.engine.life.servicing.filings.reactions import Carry, Events

KINDS: Final = ("transfer_request.registered", "transfer_request.carried_out")


def fees_of(database: Database) -> Keeper:
    """Return the verbs of charged fees, under the treasury's own login."""
    return Keeper(database, "treasury", __package__)


class TransferFees:
    """Posts what the register charges for a transfer, each once."""

    def __init__(self, desk: Desk, carry: Carry) -> None:
        self._keeper = fees_of(desk.database)
        self._carry = carry

    @property
    def answers(self) -> Mapping[str, tuple[Callable[[Events], None], tuple[str, ...]]]:
        """Our answer by consumer, with its kinds of events."""
        return {"process.transfer_fees": (self._post, KINDS)}

    def _post(self, events: Events) -> None:
        self._carry(
            self._keeper,
            events,
            lambda within: [
                (
                    event_name(event),
                    within.charge_transfer_fee.step(
                        actor=PROCESS, offering=event["scope"], transfer=event["subject"]
                    ),
                )
                for event in events
            ],
        )
