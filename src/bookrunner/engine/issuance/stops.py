"""Keys that somebody else used, tokens that changed, and the two people after whom deliveries go on."""

from __future__ import annotations

from enum import StrEnum

from bookrunner.adapters.chain import Chain, checksum
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
) -> list[tuple[str, Outcome]]:
    """Propose or, as a second person, approve that the stopped keys and deliveries of an offer go on.

    A token that is not as recorded is then recorded as it was found. Before anything is freed the chain is
    asked for every attempt at the dropped intent: when it holds one after all, that one goes on and the stop
    was mistaken. Returns each key, or what changed, and the outcome.
    Refuses ``started_key_is_stopped`` when nothing of the offer is, and what the register refuses.
    """
    stops, changes = registry.key_stops(offering=offering), registry.delivery_stops(offering=offering)
    if not stops and not changes:
        raise Refused("started_key_is_stopped", f"nothing of {offering} is stopped")
    said = (actor, because)
    keys = [
        (checksum(bytes(row["sender"])), _decide(registry, chain, (offering, row), said)) for row in stops
    ]
    return keys + [
        (", ".join(row["changed"]), _acknowledge(registry, (offering, row), said)) for row in changes
    ]


def _acknowledge(registry: Keeper, at: tuple[str, Row], said: tuple[str, str]) -> Outcome:
    (offering, row), (actor, because) = at, said
    of = {"offering": offering, "stop": row["stop_id"]}
    if row["status"] == "stopped":
        registry.propose_acknowledgement(actor=actor, because=because, **of)
        return Outcome.PROPOSED
    registry.acknowledge_change(actor=actor, **of)
    return Outcome.STARTED


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
