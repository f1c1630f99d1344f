"""How an investor ends its investment: by right, or by a request that the issuer decides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bookrunner.db import Database, Keeper

Row = Mapping[str, Any]

_COMMITTED = frozenset({"confirmed", "legally_confirmed"})


def cancelling(investment: Row, right: Row | None) -> dict[str, Any]:
    """Return the right with its end, and what the investor may do: withdraw, cancel, ask, or nothing."""
    status = str(investment["status"])
    act = None
    if status == "new":
        act = "withdraw"
    elif status in _COMMITTED:
        if right is not None and right["is_open"]:
            act = "cancel"
        elif right is None or not right["is_last_word"]:
            act = "ask"
    return {
        "act": act,
        "right": right if status in _COMMITTED else None,
        "is_asked": status == "cancellation_requested",
    }


def cancel(database: Database, investment: Row, actor: str, because: str) -> None:
    """Withdraw what is not confirmed; ask to end what is, which a free cancellation grants at once.

    Refuses ``cancellation_is_before_its_cut_off``, ``ended_investment_is_in_no_running_set`` and what the
    machine of investments does not list.
    """
    life = Keeper(database, "engine", "bookrunner.engine.life")
    where = {"actor": actor, "offering": investment["offering_id"], "investment": investment["investment_id"]}
    if investment["status"] == "new":
        life.withdraw(**where)
    else:
        life.request_cancellation(**where, because=because.strip() or None)
