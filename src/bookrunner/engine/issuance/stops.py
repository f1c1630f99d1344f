"""Keys that somebody else used, and the two people who let them sign again."""

from __future__ import annotations

from enum import StrEnum

from bookrunner.adapters.chain import Chain
from bookrunner.core.errors import Refused
from bookrunner.db import Keeper, Row
from bookrunner.engine.issuance.submission import ACTOR


class Outcome(StrEnum):
    """What became of one stop."""

    PROPOSED = "proposed"
    STARTED = "started"
    MISTAKEN = "mistaken"


def start_again(
    registry: Keeper, chain: Chain, offering: str, *, actor: str, because: str
) -> list[tuple[bytes, Outcome]]:
    """Propose or, as a second person, approve that the stopped keys of an offer sign again.

    Before anything is freed the chain is asked for every attempt at the dropped intent: when it holds one
    after all, that one goes on and the stop was mistaken. Returns key and outcome of each stop. Refuses
    ``started_key_is_stopped`` when no key of the offer is, and what the register refuses.
    """
    stops = registry.key_stops(offering=offering)
    if not stops:
        raise Refused("started_key_is_stopped", f"no key of {offering} is stopped")
    return [(row["sender"], _decide(registry, chain, (offering, row), (actor, because))) for row in stops]


def _decide(registry: Keeper, chain: Chain, at: tuple[str, Row], said: tuple[str, str]) -> Outcome:
    (offering, row), (actor, because) = at, said
    of = {"offering": offering, "stop": row["stop_id"]}
    attempts = registry.attempts(intent=row["intent_id"])
    receipts = chain.receipts([attempt["hash"] for attempt in attempts])
    for attempt, receipt in zip(attempts, receipts, strict=True):
        if receipt is not None:
            registry.find_again(actor=ACTOR, transaction=attempt["transaction_id"], **of)
            return Outcome.MISTAKEN
    if row["status"] == "stopped":
        registry.propose_start(actor=actor, because=because, **of)
        return Outcome.PROPOSED
    registry.start_key(actor=actor, next_nonce=chain.nonce(row["sender"], "finalized"), **of)
    return Outcome.STARTED
