"""What the registry answers to events of wallets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from bookrunner.core.errors import Refused
from bookrunner.core.ids import new_id
from bookrunner.db import Keeper, Row, Step, Within
from bookrunner.engine.desk import PROCESS, Desk, event_keys, event_name

Events = Sequence[Row]


class Carry(Protocol):
    """Takes events and acts on those that nobody took before, in one transaction of the keeper."""

    def __call__(
        self,
        keeper: Keeper,
        events: Events,
        acts: Callable[[Within], Iterable[tuple[str, Step]]] = ...,
        *,
        result: str = ...,
    ) -> None:
        """Carry the acts out, or note the result where there is nothing to do."""
        ...


class Wallets:
    """Answers claims and screenings of wallets."""

    def __init__(self, desk: Desk, carry: Carry) -> None:
        self._desk = desk
        self._carry = carry

    def open_mappings(self, events: Events) -> None:
        """Open the mapping of each wallet that an investor claimed; refuses ``event_is_readable``."""
        if any(event["payload"] is None for event in events):
            raise Refused("event_is_readable", "the text of a claim is damaged")
        self._carry(
            self._desk.registry,
            events,
            lambda within: (
                (
                    event_name(event),
                    within.open_mapping.step(
                        actor=PROCESS,
                        offering=event["scope"],
                        mapping=new_id("wal"),
                        investor=event["payload"]["investor_id"],
                        chain_id=event["payload"]["chain_id"],
                        address=bytes.fromhex(event["payload"]["address"].removeprefix("\\x")),
                        claim_fact=event_name(event),
                        proof_kind=event["payload"]["proof_kind"],
                        controller=event["payload"]["controller"],
                        custodian=event["payload"].get("custodian_id"),
                    ),
                )
                for event in events
            ),
        )

    def mark_screened(self, events: Events) -> None:
        """Mark the mappings whose wallet was screened clear; the screening of a person marks none."""
        of_wallets = [event for event in events if event["scope"].startswith("wallet:")]
        of_people = [event for event in events if not event["scope"].startswith("wallet:")]
        self._carry(self._desk.registry, of_people, result="not_applicable")
        waiting = self._desk.engine.claimed_wallets(**event_keys(of_wallets))
        self._carry(
            self._desk.registry,
            of_wallets,
            lambda within: (
                (
                    row["cause"],
                    within.mark_screened.step(
                        actor=PROCESS,
                        offering=row["offering_id"],
                        mapping=row["mapping_id"],
                        screening_fact=row["cause"],
                    ),
                )
                for row in waiting
            ),
        )
