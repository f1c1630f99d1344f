"""Transfers of registered units: rules, requests with their papers and clocks, what the chain shows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from bookrunner.books.registry.turnaround import counts_from, due_on
from bookrunner.core import clock
from bookrunner.core.ids import new_id
from bookrunner.db import Database, Keeper, Row

_ITEM = "transfer"


def keeper(database: Database) -> Keeper:
    """Return the verbs and lookups of transfers, under the agent's login."""
    return Keeper(database, "registry", __name__)


def request_transfer(
    transfers: Keeper,
    on: tuple[str, str],
    said: Mapping[str, object],
    papers: Sequence[Mapping[str, str]],
    *,
    received_at: datetime | None = None,
) -> str:
    """Take a request for a transfer and start its clock; return its id.

    ``on`` is offering and actor; ``said`` has kind, route (``agent`` or ``holder``), seller, buyer, units
    and, of a sale, price_minor and currency; papers are rows of paper and sha256 (hex) and may come later.
    Refuses what the constraints of a request refuse.
    """
    offering, actor = on
    transfer = new_id("xfr")
    transfers.request_transfer(
        actor=actor,
        offering=offering,
        transfer=transfer,
        said=dict(said),
        papers=json.dumps([dict(paper) for paper in papers]),
        item=new_id("itm"),
        clock=item_clock(received_at),
    )
    return transfer


def present_again(transfers: Keeper, on: tuple[str, str, str], papers: Sequence[Mapping[str, str]]) -> None:
    """Present a returned request again with what it lacked; ``on`` is offering, request and actor."""
    offering, transfer, actor = on
    transfers.present_again(
        actor=actor,
        offering=offering,
        transfer=transfer,
        papers=json.dumps([dict(paper) for paper in papers]),
        item=new_id("itm"),
        clock=item_clock(None),
    )


def refusals(transfers: Keeper, offering: str, parties: tuple[str, str], units: int) -> Sequence[Row]:
    """Return every rule that keeps ``units`` from going from the first party to the second now.

    Rows have place, rule, detail and passes_on, in the order of precedence; none means that they may go.
    """
    seller, buyer = parties
    found: Sequence[Row] = transfers.transfer_refusals(
        offering=offering, seller=seller, buyer=buyer, units=units, transfer=None
    )
    return found


def item_clock(received_at: datetime | None, *, is_routine: bool = True) -> dict[str, object]:
    """Return the clock of a transfer in the turnaround log, from its receipt or now (17 CFR 240.17Ad-2)."""
    moment = received_at or clock.now()
    start = counts_from(moment)
    return {
        "received_at": moment.isoformat(),
        "counts_from": start.isoformat(),
        "due_on": due_on(_ITEM, start).isoformat(),
        "is_routine": is_routine,
    }
