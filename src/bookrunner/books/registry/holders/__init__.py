"""What belongs to a holder beside its units: its registration, custodians of wallets, lost holders."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from bookrunner.books.registry.turnaround import counts_from, due_on
from bookrunner.core import clock
from bookrunner.core.ids import new_id
from bookrunner.db import Database, Keeper

_ITEM = "registration_change"


def keeper(database: Database) -> Keeper:
    """Return the verbs and lookups about holders, under the agent's login."""
    return Keeper(database, "registry", __name__)


def propose_change(
    holders: Keeper, on: tuple[str, str], said: Mapping[str, object], papers: Sequence[Mapping[str, str]]
) -> str:
    """Propose a change of a registration, start its clock (17 CFR 240.17Ad-2) and return its id.

    ``on`` is offering and actor; ``said`` has kind (``name``, ``address``, ``death``, ``joint_tenancy``),
    holding, because and, of a joint tenancy, form and co_holder; papers are rows of paper and sha256 (hex).
    Refuses what the constraints of a change refuse.
    """
    offering, actor = on
    change, moment = new_id("rgc"), clock.now()
    start = counts_from(moment)
    holders.propose_registration(
        actor=actor,
        offering=offering,
        change=change,
        said=dict(said),
        papers=json.dumps([dict(paper) for paper in papers]),
        item=new_id("itm"),
        clock={
            "received_at": moment.isoformat(),
            "counts_from": start.isoformat(),
            "due_on": due_on(_ITEM, start).isoformat(),
            "is_routine": False,
        },
    )
    return change
