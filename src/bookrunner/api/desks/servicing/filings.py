"""What offers owe: the calendar of filings, the pack of each, and what people did with it."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import StringConstraints

from bookrunner.api.caller import Called, Decided, Written
from bookrunner.api.gateway import Gateway
from bookrunner.api.routing import Router
from bookrunner.api.shapes import PAGE, Because, OfferId, Sha256, Shape
from bookrunner.api.shapes.servicing.owed import (
    FactStated,
    Filing,
    FilingActed,
    FilingItem,
    FilingPack,
    Filings,
)
from bookrunner.core.errors import Malformed, UnknownRecord
from bookrunner.core.ids import new_id
from bookrunner.db import Row, Within
from bookrunner.engine.life.servicing.filings import told_value

_CREATED = 201
_KEEPER = "engine"
_FilingId = Annotated[str, StringConstraints(pattern="^fil_[0-9A-Za-z_]{1,64}$")]
# A day that every month has, or one that its month has.
_Day = Annotated[
    str,
    StringConstraints(
        pattern="^20[0-9]{2}-((0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])|(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31)$"
    ),
]
_Line = Annotated[str, StringConstraints(min_length=1, max_length=400, pattern=r"\S")]


class NewFact(Shape):
    """A fact that no book holds, and the document that says it; a sale in a state names it, as ``US-CA``."""

    fact: Literal["year_end", "state_sale", "change_of_notice", "reportable_event", "end_of_duty"]
    place: Annotated[str, StringConstraints(pattern="^(US-[A-Z]{2})?$")] = ""
    happened_on: _Day
    because: Because
    document_sha256: Sha256


class FilledItem(Shape):
    """The value of one item that no book holds, and the record that it comes from."""

    item: Annotated[str, StringConstraints(pattern="^[a-z0-9_]{1,60}$")]
    value: Annotated[str, StringConstraints(min_length=1, max_length=4000, pattern=r"\S")]
    source: _Line


class NewSubmission(Shape):
    """That a person filed it: the day, the accession or reference number, the digest of the proof."""

    filed_on: _Day
    reference: _Line
    proof_sha256: Sha256


class FilingReason(Shape):
    """Why a filing is owed no more, or is opened again."""

    because: Because


def routes(gateway: Gateway) -> APIRouter:
    """Return the routes of filings."""
    router = Router(tags=["filings"])
    _reads(router, gateway)
    _fills(router, gateway)
    _ends(router, gateway)
    return router


def _reads(router: APIRouter, gateway: Gateway) -> None:
    @router.get("/v1/filings", operation_id="list_filings")
    async def every(
        caller: Called, offer: Annotated[OfferId | None, Query()] = None, *, missed: bool = False
    ) -> Filings:
        """List what offers owe, what is missed first, then by the day it is due; at most 200."""
        rows = await gateway.read(
            caller,
            lambda of: list(of.filings(offering=offer, filing=None, is_missed=missed, most=PAGE)),
        )
        return {"filings": [_shown(row) for row in rows]}

    @router.get("/v1/filings/{filing}", operation_id="get_filing")
    async def one(caller: Called, filing: _FilingId) -> FilingPack:
        """Return a filing with its pack: each value, the record it comes from, and what nobody has filled."""

        def work(of: Within) -> tuple[Row, list[Row]]:
            found = list(of.filings(offering=None, filing=filing, is_missed=False, most=1))
            if not found:
                raise UnknownRecord("filing_exists", f"there is no filing {filing}")
            return found[0], list(of.filing_pack(offering=found[0]["offering_id"], filing=filing))

        head, items = await gateway.read(caller, work)
        unfilled = [row["code"] for row in items if row["is_mandatory"] and row["value"] is None]
        return {**_shown(head), "unfilled": unfilled, "items": [_item(row) for row in items]}


def _fills(router: APIRouter, gateway: Gateway) -> None:
    @router.post(
        "/v1/offers/{offer}/filing_facts",
        operation_id="state_filing_fact",
        response_model=FactStated,
        status_code=_CREATED,
    )
    async def stated(write: Written, offer: OfferId, body: NewFact) -> Response:
        """State a fact on a document; the filing that it starts is opened in the same breath."""
        answer = await gateway.write(
            write,
            _KEEPER,
            "state_filing_fact",
            offering=offer,
            fact_id=new_id("fct"),
            fact=body.fact,
            place=body.place,
            happened_on=body.happened_on,
            because=body.because,
            evidence_sha256=bytes.fromhex(body.document_sha256),
        )
        answer.status_code = _CREATED
        return answer

    @router.post("/v1/filings/{filing}/values", operation_id="fill_filing", response_model=FilingActed)
    async def filled(write: Written, filing: _FilingId, body: FilledItem) -> Response:
        """Fill an item that no book holds; a pack that was prepared is open again."""
        return await gateway.write(
            write,
            _KEEPER,
            "fill_filing",
            filing=filing,
            code=body.item,
            value=body.value,
            source=body.source,
        )

    @router.post(
        "/v1/filings/{filing}/preparations", operation_id="prepare_filing", response_model=FilingActed
    )
    async def prepared(write: Decided, filing: _FilingId) -> Response:
        """Say that the pack is ready, on the version that was seen; refused while a value is missing."""
        return await gateway.write(
            write, _KEEPER, "prepare_filing", filing=filing, version=_version(write.decided_on)
        )


def _ends(router: APIRouter, gateway: Gateway) -> None:
    @router.post("/v1/filings/{filing}/submissions", operation_id="record_filing", response_model=FilingActed)
    async def recorded(write: Decided, filing: _FilingId, body: NewSubmission) -> Response:
        """Record that a person filed it, with number and proof, on the version that was seen."""
        return await gateway.write(
            write,
            _KEEPER,
            "record_filing",
            filing=filing,
            version=_version(write.decided_on),
            filed_on=body.filed_on,
            reference=body.reference,
            proof_sha256=bytes.fromhex(body.proof_sha256),
        )

    @router.post("/v1/filings/{filing}/ends", operation_id="end_filing", response_model=FilingActed)
    async def ended(write: Decided, filing: _FilingId, body: FilingReason) -> Response:
        """Say why a filing is owed no more, on the version that was seen; another person confirms it."""
        return await gateway.write(
            write,
            _KEEPER,
            "end_filing",
            filing=filing,
            version=_version(write.decided_on),
            because=body.because,
        )

    @router.post(
        "/v1/filings/{filing}/ends/confirmations",
        operation_id="confirm_filing_end",
        response_model=FilingActed,
    )
    async def confirmed(write: Decided, filing: _FilingId) -> Response:
        """Confirm, as another person than who said so, that a filing is not owed; on the version seen."""
        return await gateway.write(
            write, _KEEPER, "confirm_filing_end", filing=filing, version=_version(write.decided_on)
        )

    @router.post("/v1/filings/{filing}/reopenings", operation_id="reopen_filing", response_model=FilingActed)
    async def reopened(write: Decided, filing: _FilingId, body: FilingReason) -> Response:
        """Open a prepared pack again, or a filing said not to be owed, on the version that was seen."""
        return await gateway.write(
            write,
            _KEEPER,
            "reopen_filing",
            filing=filing,
            version=_version(write.decided_on),
            because=body.because,
        )


def _version(seen: str) -> int:
    if not seen.isdecimal() or len(seen) > len(str(10**17)):
        raise Malformed("if_match_is_a_filings_version", "send the ETag as it came")
    return int(seen)


def _shown(row: Row) -> Filing:
    return {
        "id": row["filing_id"],
        "offer": row["offering_id"],
        "form": row["form"],
        "clock": row["clock"],
        "state": row["place"] or None,
        "status": row["status"],
        "fact_on": _day(row["fact_on"]),
        "fact_source": row["fact_source"],
        "due_on": _day(row["due_on"]),
        "is_missed": row["is_missed"],
        "is_late": row["is_late"],
        "rule": row["rule_id"],
        "citation": row["citation"],
        "filed_on": _day(row["filed_on"]),
        "reference": row["reference"],
        "proof_sha256": row["proof"],
        "because": row["because"],
        "ended_by": row["ended_by"],
        "version": str(row["version"]),
    }


def _item(row: Row) -> FilingItem:
    return {
        "code": row["code"],
        "sentence": row["sentence"],
        "citation": row["citation"],
        "is_mandatory": row["is_mandatory"],
        "is_found": row["is_found"],
        "value": told_value(row["value"], row["unit"]),
        "unit": row["unit"],
        "source": row["source"],
        "differs": row["differs"],
        "value_now": told_value(row["value_now"], row["unit_now"]) if row["differs"] else None,
    }


def _day(day: object) -> str | None:
    return None if day is None else str(day)
