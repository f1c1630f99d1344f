"""Releases of escrow to the issuer: proposed by one administrator, named again in every figure by another."""

from __future__ import annotations

import json
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import Field, StringConstraints

from bookrunner.api.caller import Called, Decided, Written
from bookrunner.api.gateway import Gateway
from bookrunner.api.resources.offers import required
from bookrunner.api.routing import Router
from bookrunner.api.shapes import PAGE, Because, ClosingId, OfferId, Price, Shape, money
from bookrunner.api.shapes.cursors import Cursor, cursor_of, place_of
from bookrunner.api.shapes.decided import EscrowRelease, ReleaseActed, Releases
from bookrunner.core.errors import Malformed, UnknownRecord
from bookrunner.core.ids import new_id
from bookrunner.db import Row, Within
from bookrunner.engine.intake import fingerprint

_CREATED = 201
_KEEPER = "treasury"
_DEDUCTIONS_MAX = 50
_ReleaseId = Annotated[str, StringConstraints(pattern="^rel_[0-9A-Za-z_]{1,64}$")]
_Account = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"\S")]
_Limit = Annotated[int, Query(ge=1, le=PAGE)]


class Deduction(Shape):
    """What is withheld for a payee that the issuer owes: a fee or a commission, and the account of it."""

    kind: Annotated[str, StringConstraints(pattern="^[a-z_]{1,40}$")]
    payee: Annotated[str, StringConstraints(pattern="^[0-9A-Za-z_.-]{1,64}$")]
    account: _Account
    amount: Price


class NewRelease(Shape):
    """Which closing is released, the account that is paid, and what is deducted."""

    closing: ClosingId
    account: _Account
    deductions: list[Deduction] = Field(default_factory=list, max_length=_DEDUCTIONS_MAX)


class ReleaseDecision(Shape):
    """A second person's word; whoever approves names account, amount and every deduction again.

    The net is named too where something is deducted. ``because`` says why the deductions are not the fees
    that investors were shown.
    """

    decision: Literal["approved", "declined"]
    account: _Account | None = None
    amount: Price | None = None
    net: Price | None = None
    deductions: list[Deduction] = Field(default_factory=list, max_length=_DEDUCTIONS_MAX)
    because: Because | None = None


def routes(gateway: Gateway) -> APIRouter:
    """Return the routes of releases, for keys of the treasury."""
    router = Router(prefix="/v1/offers/{offer}/releases", tags=["releases"])
    _reads(router, gateway)

    @router.post("", operation_id="propose_release", response_model=ReleaseActed, status_code=_CREATED)
    async def proposed(write: Written, offer: OfferId, body: NewRelease) -> Response:
        """Propose to release what is registered and cleared of a closing; another person decides.

        Refuses deductions in another currency than the offer's: ``release_is_in_the_offers_currency``.
        """
        answer = await gateway.write(
            write,
            _KEEPER,
            "propose_release",
            offering=offer,
            release=new_id("rel"),
            closing=body.closing,
            payee_fingerprint=fingerprint(body.account),
            deductions=json.dumps([_deducted(each) for each in body.deductions]),
        )
        answer.status_code = _CREATED
        return answer

    @router.post("/{release}/decisions", operation_id="decide_release", response_model=ReleaseActed)
    async def decided(write: Decided, offer: OfferId, release: _ReleaseId, body: ReleaseDecision) -> Response:
        """Approve a release on its version, naming what was proposed, or decline it.

        What is named otherwise is refused: ``both_people_confirm_payee_and_amount``, and in another currency
        ``release_is_in_the_offers_currency``.
        """
        is_approved = body.decision == "approved"
        if is_approved and (body.account is None or body.amount is None):
            raise Malformed(
                "approved_release_names_payee_and_amount", "name the account and the amount again"
            )
        return await gateway.write(
            write,
            _KEEPER,
            "decide_release",
            offering=offer,
            release=release,
            version=write.decided_on,
            is_approved=is_approved,
            payee_fingerprint=fingerprint(body.account or ""),
            named=json.dumps(_named(body)),
            because=body.because,
        )

    return router


def _reads(router: APIRouter, gateway: Gateway) -> None:
    @router.get("", operation_id="list_releases")
    async def listed(caller: Called, offer: OfferId, cursor: Cursor = None, limit: _Limit = 50) -> Releases:
        """List the releases of an offer by id: of which closing, how much, by whom."""
        await gateway.admitted(caller, _KEEPER)

        def work(of: Within) -> list[Row]:
            required(of, offer)
            return list(of.releases(offering=offer, release=None, after=place_of(cursor), most=limit))

        rows = await gateway.read(caller, work)
        return {"releases": [_shown(row) for row in rows], "next": cursor_of(rows, "release_id", limit)}

    @router.get("/{release}", operation_id="get_release")
    async def one(caller: Called, offer: OfferId, release: _ReleaseId, response: Response) -> EscrowRelease:
        """Return one release; its ETag is the version that a decision is made on."""
        await gateway.admitted(caller, _KEEPER)
        rows = await gateway.read(
            caller, lambda of: list(of.releases(offering=offer, release=release, after=None, most=1))
        )
        if not rows:
            raise UnknownRecord("release_exists", f"there is no release {release} in {offer}")
        response.headers["ETag"] = f'"{rows[0]["version"]}"'
        return _shown(rows[0])


def _named(body: ReleaseDecision) -> dict[str, object]:
    return {
        "amount": None if body.amount is None else _exact(body.amount),
        "net": None if body.net is None else _exact(body.net),
        "deductions": [_deducted(each) for each in body.deductions],
    }


def _exact(price: Price) -> dict[str, str | int]:
    return {"minor": price.exact().minor, "currency": price.currency}


def _deducted(each: Deduction) -> dict[str, str | int]:
    return {
        "kind": each.kind,
        "payee": each.payee,
        "fingerprint": fingerprint(each.account).hex(),
        "amount": each.amount.exact().minor,
        "currency": each.amount.currency,
    }


def _shown(row: Row) -> EscrowRelease:
    amount, deducted, code = row["amount_minor"], row["deducted_minor"], row["currency"]
    return {
        "id": row["release_id"],
        "closing": row["closing_id"],
        "status": row["status"],
        "amount": money(amount, code),
        "deducted": money(deducted, code),
        "net": money(amount - deducted, code),
        "deductions": [
            {"kind": each["kind"], "payee": each["payee"], "amount": money(each["amount_minor"], code)}
            for each in row["deductions"]
        ],
        "proposed_by": row["proposed_by"],
        "approved_by": row["approved_by"],
        "fees_differ": bool(row["fees_differ"]),
        "version": str(row["version"]),
    }
