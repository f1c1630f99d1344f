"""Splits of a class: proposed on the issuer's paper, decided by another person."""

from __future__ import annotations

import json
from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import Field, StringConstraints

from bookrunner.api.caller import Called, Decided, Written
from bookrunner.api.gateway import Gateway
from bookrunner.api.resources.offers import required
from bookrunner.api.routing import Router
from bookrunner.api.shapes import Because, Label, OfferId, Price, Sha256, Shape, money
from bookrunner.api.shapes.moments import Moment, instant
from bookrunner.api.shapes.servicing.actions import Split, SplitActed, Splits
from bookrunner.core.errors import Malformed
from bookrunner.core.ids import new_id
from bookrunner.db import Row, Within

_CREATED = 201
_READERS = ("registry", "engine", "audit")
_KEEPER = "registry"
_SplitId = Annotated[str, StringConstraints(pattern="^spl_[0-9A-Za-z_]{1,64}$")]
_Part = Annotated[int, Field(ge=1, le=1_000_000)]


class NewSplit(Shape):
    """So many new units for so many old ones; of fractions paid in cash, the price of one new unit."""

    new_units: _Part
    for_units: _Part
    fractions: Literal["cash", "round_up", "round_half"]
    price: Price | None = None
    effective_at: Moment
    authority_sha256: Sha256
    authority_reference: Label


class SplitDecision(Shape):
    """A second person's word; whoever declines or abandons says why."""

    decision: Literal["approved", "declined", "abandoned"]
    because: Because | None = None


def routes(gateway: Gateway) -> APIRouter:
    """Return the routes of splits: read by registry, engine and audit, proposed and decided by the agent."""
    router = Router(prefix="/v1/offers/{offer}/splits", tags=["splits"])

    @router.get("", operation_id="list_splits")
    async def listed(caller: Called, offer: OfferId) -> Splits:
        """List the splits of an offer, the newest first, each with the rules that it waits for."""
        await gateway.admitted(caller, *_READERS)

        def work(of: Within) -> list[Row]:
            required(of, offer)
            return list(of.splits(offering=offer))

        rows = await gateway.read(caller, work)
        return {"splits": [_shown(row) for row in rows]}

    @router.post("", operation_id="propose_split", status_code=_CREATED, response_model=SplitActed)
    async def proposed(write: Written, offer: OfferId, body: NewSplit) -> Response:
        """Propose a split on the issuer's authority; another person decides.

        Refuses ``one_split_waits``, ``split_ratio_is_in_lowest_terms``, ``split_changes_the_units``,
        ``cash_in_lieu_has_its_price`` and ``split_price_is_in_the_currency_of_the_offer``.
        """
        price = None if body.price is None else body.price.exact()
        asked = {
            "new_units": body.new_units,
            "for_units": body.for_units,
            "fractions": body.fractions,
            "cash_price_minor": None if price is None else price.minor,
            "currency": None if price is None else price.currency.code,
            "effective_at": instant(body.effective_at),
            "authority_sha256": body.authority_sha256,
            "authority_reference": body.authority_reference,
        }
        answer = await gateway.write(
            write, _KEEPER, "propose_split", offering=offer, split=new_id("spl"), terms=json.dumps(asked)
        )
        answer.status_code = _CREATED
        return answer

    @router.post("/{split}/decisions", operation_id="decide_split", response_model=SplitActed)
    async def decided(write: Decided, offer: OfferId, split: _SplitId, body: SplitDecision) -> Response:
        """Approve or decline a split on its version as another person, or abandon one that has not begun.

        Refuses ``split_needs_two_people``.
        """
        if body.decision != "approved" and body.because is None:
            raise Malformed("declined_split_has_its_reason", "say why")
        return await gateway.write(
            write,
            _KEEPER,
            "decide_split",
            offering=offer,
            split=split,
            version=write.decided_on,
            decision=body.decision,
            because=body.because,
        )

    return router


def _shown(row: Row) -> Split:
    code = row["currency"]
    return {
        "id": row["split_id"],
        "status": row["status"],
        "new_units": row["new_units"],
        "for_units": row["for_units"],
        "fractions": row["fractions"],
        "price": None if row["cash_price_minor"] is None else money(row["cash_price_minor"], code),
        "effective_at": instant(row["effective_at"]),
        "executed_at": None if row["executed_at"] is None else instant(row["executed_at"]),
        "units_before": row["units_before"],
        "units_after": row["units_after"],
        "cash_owed": None if row["cash_minor"] is None else money(row["cash_minor"], code),
        "waits_for": list(row["waits_for"]),
        "proposed_by": row["proposed_by"],
        "decided_by": row["decided_by"],
        "version": str(row["version"]),
    }
