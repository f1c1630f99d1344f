"""Conversions of a class: proposed on the issuer's paper, inputs confirmed, decided by another person."""

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
from bookrunner.api.shapes.onboarding import Day
from bookrunner.api.shapes.servicing.actions import (
    Conversion,
    ConversionActed,
    ConversionInput,
    Conversions,
    ConversionWorking,
    ConvertedHolder,
)
from bookrunner.core.errors import Malformed, UnknownRecord
from bookrunner.core.ids import new_id
from bookrunner.db import Row, Within

_CREATED = 201
_READERS = ("registry", "engine", "audit")
_KEEPER = "registry"
_ConversionId = Annotated[str, StringConstraints(pattern="^cnv_[0-9A-Za-z_]{1,64}$")]
_Formula = Literal["fixed_ratio", "fixed_price", "discounted_price", "capped_price", "lower_price"]
_Name = Literal[
    "new_units",
    "for_units",
    "unit_price_minor",
    "principal_minor",
    "price_minor",
    "round_price_minor",
    "discount_ppm",
    "valuation_cap_minor",
    "diluted_units",
    "interest_ppm",
    "interest_from",
    "year_days",
]


class NewConversion(Shape):
    """Every unit of the offer becomes units of another by a formula; its inputs are confirmed one by one."""

    into: OfferId
    formula: _Formula
    bears_interest: bool = False
    fractions: Literal["cash", "lapse"]
    effective_at: Moment
    authority_sha256: Sha256
    authority_reference: Label


class NewInput(Shape):
    """One input: an amount of money where its name ends in ``_minor``, a day, or else a whole number."""

    name: _Name
    amount: Price | None = None
    number: Annotated[int, Field(ge=0, lt=2**53)] | None = None
    day: Day | None = None
    source: Label
    source_sha256: Sha256


class ConversionDecision(Shape):
    """A second person's word; whoever declines or abandons says why."""

    decision: Literal["approved", "declined", "abandoned"]
    because: Because | None = None


def routes(gateway: Gateway) -> APIRouter:
    """Return the routes of conversions: read by registry, engine and audit, acted on by the agent."""
    router = Router(prefix="/v1/offers/{offer}/conversions", tags=["conversions"])
    _reading(router, gateway)

    @router.post("", operation_id="propose_conversion", status_code=_CREATED, response_model=ConversionActed)
    async def proposed(write: Written, offer: OfferId, body: NewConversion) -> Response:
        """Propose a conversion into units of another offer of the same issuer, on the issuer's authority.

        Refuses ``one_conversion_waits``, ``conversion_stays_with_its_issuer``, ``ratio_takes_no_interest``,
        ``conversion_is_in_the_currency_of_both_offers`` and ``conversion_goes_into_another_class``.
        """
        asked = body.model_dump(mode="json") | {"effective_at": instant(body.effective_at)}
        answer = await gateway.write(
            write,
            _KEEPER,
            "propose_conversion",
            offering=offer,
            conversion=new_id("cnv"),
            terms=json.dumps(asked),
        )
        answer.status_code = _CREATED
        return answer

    @router.post(
        "/{conversion}/inputs",
        operation_id="confirm_conversion_input",
        status_code=_CREATED,
        response_model=ConversionActed,
    )
    async def confirmed(
        write: Written, offer: OfferId, conversion: _ConversionId, body: NewInput
    ) -> Response:
        """Confirm an input from a paper; a later one of the same name takes its place.

        Refuses ``conversion_takes_the_inputs_of_its_formula``, ``conversion_inputs_are_locked``,
        ``conversion_input_is_an_amount_or_a_day`` and ``conversion_input_is_within_its_bounds``.
        """
        of = {"offering": offer, "conversion": conversion}
        answer = await gateway.write(write, _KEEPER, "confirm_input", **of, said=json.dumps(_told(body)))
        answer.status_code = _CREATED
        return answer

    @router.post("/{conversion}/decisions", operation_id="decide_conversion", response_model=ConversionActed)
    async def decided(
        write: Decided, offer: OfferId, conversion: _ConversionId, body: ConversionDecision
    ) -> Response:
        """Approve or decline a conversion on its version as another person, or abandon one not begun.

        Refuses ``conversion_has_its_inputs``, ``conversion_needs_two_people`` and
        ``whoever_confirms_an_input_approves_nothing``.
        """
        if body.decision != "approved" and body.because is None:
            raise Malformed("declined_conversion_has_its_reason", "say why")
        return await gateway.write(
            write,
            _KEEPER,
            "decide_conversion",
            offering=offer,
            conversion=conversion,
            version=write.decided_on,
            decision=body.decision,
            because=body.because,
        )

    return router


def _reading(router: Router, gateway: Gateway) -> None:
    @router.get("", operation_id="list_conversions")
    async def listed(caller: Called, offer: OfferId) -> Conversions:
        """List the conversions of an offer, the newest first, each with the rules that it waits for."""
        await gateway.admitted(caller, *_READERS)

        def work(of: Within) -> list[Row]:
            required(of, offer)
            return list(of.conversions(offering=offer))

        rows = await gateway.read(caller, work)
        return {"conversions": [_shown(row) for row in rows]}

    @router.get("/{conversion}", operation_id="get_conversion_working")
    async def worked(caller: Called, offer: OfferId, conversion: _ConversionId) -> ConversionWorking:
        """Return the inputs of a conversion and what each holder gets by them.

        Refuses ``conversion_exists``.
        """
        await gateway.admitted(caller, *_READERS)

        def work(of: Within) -> ConversionWorking:
            rows = of.conversions(offering=offer)
            code = next((row["currency"] for row in rows if row["conversion_id"] == conversion), None)
            if code is None:
                raise UnknownRecord("conversion_exists", f"there is no conversion {conversion} in {offer}")
            on = {"offering": offer, "conversion": conversion}
            return {
                "inputs": [_input(row, code) for row in of.conversion_inputs(**on)],
                "holders": [_holder(row, code) for row in of.conversion_working(**on)],
            }

        return await gateway.read(caller, work)


def _told(body: NewInput) -> dict[str, object]:
    said = {"name": body.name, "source": body.source, "source_sha256": body.source_sha256}
    if body.name.endswith("_minor") and body.number is None and body.amount is not None:
        return {**said, "amount": body.amount.exact().minor}
    if body.amount is not None or body.name.endswith("_minor"):
        raise Malformed("conversion_input_is_an_amount_or_a_day", "money is an amount, and nothing else is")
    return {**said, "amount": body.number, "day": body.day}


def _shown(row: Row) -> Conversion:
    code = row["currency"]
    return {
        "id": row["conversion_id"],
        "status": row["status"],
        "into": row["into_offering_id"],
        "formula": row["formula"],
        "bears_interest": row["bears_interest"],
        "fractions": row["fractions"],
        "effective_at": instant(row["effective_at"]),
        "executed_at": None if row["executed_at"] is None else instant(row["executed_at"]),
        "price": None if row["above"] is None else f"{row['above']}/{row['below']}",
        "price_by": row["basis"],
        "units_before": row["units_before"],
        "units_after": row["units_after"],
        "cash_owed": None if row["cash_minor"] is None else money(row["cash_minor"], code),
        "missing": list(row["missing"]),
        "waits_for": list(row["waits_for"]),
        "proposed_by": row["proposed_by"],
        "decided_by": row["decided_by"],
        "version": str(row["version"]),
    }


def _input(row: Row, code: str) -> ConversionInput:
    is_money = row["name"].endswith("_minor")
    return {
        "name": row["name"],
        "amount": money(row["amount"], code) if is_money else None,
        "number": None if is_money else row["amount"],
        "day": None if row["day"] is None else row["day"].isoformat(),
        "source": row["source"],
        "source_sha256": row["source_sha256"],
        "confirmed_by": row["confirmed_by"],
        "confirmed_at": instant(row["confirmed_at"]),
    }


def _holder(row: Row, code: str) -> ConvertedHolder:
    return {
        "investor": row["investor_id"],
        "units_before": row["units_before"],
        "principal": money(row["principal_minor"], code),
        "interest": money(row["interest_minor"], code),
        "units_after": row["units_after"],
        "cash_owed": money(row["cash_minor"], code),
    }
