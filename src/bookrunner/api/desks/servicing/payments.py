"""What is paid beside the lines of distributions: withheld tax, accounts of payees, tax years, coupons."""

from __future__ import annotations

import json
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import Field, StringConstraints

from bookrunner.api.caller import Called, Decided, Written
from bookrunner.api.gateway import Gateway
from bookrunner.api.resources.offers import required
from bookrunner.api.routing import Router
from bookrunner.api.shapes import Because, InvestorId, OfferId, Price, Sha256, Shape, money
from bookrunner.api.shapes.servicing.payments import (
    Coupon,
    Coupons,
    Fixing,
    PayeeAccount,
    PayeeAccounts,
    Remittance,
    Remittances,
    ServicingActed,
    TaxYear,
    TaxYears,
)
from bookrunner.core.errors import Malformed
from bookrunner.core.ids import new_id
from bookrunner.db import Row, Within
from bookrunner.engine import Desk
from bookrunner.engine.desk import PROCESS
from bookrunner.engine.intake import fingerprint
from bookrunner.engine.life.servicing.distributions import Distributions

_CREATED = 201
_RemittanceId = Annotated[str, StringConstraints(pattern="^rmt_[0-9A-Za-z_]{1,64}$")]
_AccountId = Annotated[str, StringConstraints(pattern="^pac_[0-9A-Za-z_]{1,64}$")]
_TaxYearId = Annotated[str, StringConstraints(pattern="^txy_[0-9A-Za-z_]{1,64}$")]
_Account = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"\S")]
_Year = Annotated[int, Field(ge=2000, le=2100)]


class NewRemittance(Shape):
    """Withheld tax that goes to the tax office: the return that reports it, the year, where it is paid."""

    form: Literal["1042", "945"]
    year: _Year
    amount: Price
    account: _Account


class RemittanceDecision(Shape):
    """A second person's word, or another try; whoever gives one up says why."""

    decision: Literal["approved", "declined", "retried", "given_up"]
    because: Because | None = None


class NewPayeeAccount(Shape):
    """An account that no book has, by the paper that shows it; with a class it is paid by the ACH."""

    payee: InvestorId
    account: _Account
    evidence_sha256: Sha256
    because: Because
    entry_class: Literal["PPD", "CCD"] | None = None


class PayeeAccountDecision(Shape):
    """A second person's word on an account of a payee; two payees may have accounts of one name."""

    decision: Literal["approved", "declined"]
    payee: InvestorId


class NewTaxYear(Shape):
    """The year whose forms are drafted from what was paid in it."""

    year: _Year


class TaxYearDecision(Shape):
    """A second person's word; whoever cancels says why."""

    decision: Literal["released", "cancelled"]
    because: Because | None = None


def routes(gateway: Gateway) -> APIRouter:
    """Return the routes of the treasury beside distributions, and of the engine's years and coupons."""
    router = Router(prefix="/v1/offers/{offer}", tags=["servicing"])
    _remittances(router, gateway)
    _accounts(router, gateway)
    _years(router, gateway)
    return router


def _remittances(router: APIRouter, gateway: Gateway) -> None:
    @router.get("/remittances", operation_id="list_remittances")
    async def listed(caller: Called, offer: OfferId) -> Remittances:
        """List the remittances of withheld tax, the newest first; no account is told."""
        await gateway.admitted(caller, "treasury")

        def work(of: Within) -> list[Row]:
            required(of, offer)
            return list(of.remittances(offering=offer))

        return {"remittances": [_remittance(row) for row in await gateway.read(caller, work)]}

    @router.post(
        "/remittances", operation_id="propose_remittance", status_code=_CREATED, response_model=ServicingActed
    )
    async def proposed(write: Written, offer: OfferId, body: NewRemittance) -> Response:
        """Propose that withheld tax goes to the tax office; another person agrees."""
        said = {
            "form": body.form,
            "year": body.year,
            "amount": body.amount.exact().minor,
            "fingerprint": fingerprint(body.account).hex(),
        }
        answer = await gateway.write(
            write,
            "treasury",
            "act_on_remittance",
            offering=offer,
            subject=new_id("rmt"),
            version=None,
            act="proposed",
            said=json.dumps(said),
        )
        answer.status_code = _CREATED
        return answer

    @router.post(
        "/remittances/{remittance}/decisions", operation_id="decide_remittance", response_model=ServicingActed
    )
    async def decided(
        write: Decided, offer: OfferId, remittance: _RemittanceId, body: RemittanceDecision
    ) -> Response:
        """Agree to a remittance or decline it as another person, try it again, or give it up.

        Refuses ``remittance_needs_two_people``.
        """
        if body.decision == "given_up" and body.because is None:
            raise Malformed("given_up_remittance_says_why", "say why")
        return await gateway.write(
            write,
            "treasury",
            "act_on_remittance",
            offering=offer,
            subject=remittance,
            version=write.decided_on,
            act=body.decision,
            said=json.dumps({"because": body.because}),
        )


def _accounts(router: APIRouter, gateway: Gateway) -> None:
    runs = Distributions(Desk(gateway.database))

    @router.get("/payee_accounts", operation_id="list_payee_accounts")
    async def listed(caller: Called, offer: OfferId) -> PayeeAccounts:
        """List the accounts of payees that wait or are in force, and by which rail; no account is told."""
        await gateway.admitted(caller, "treasury")

        def work(of: Within) -> list[Row]:
            required(of, offer)
            return list(of.payee_accounts(offering=offer))

        return {"payee_accounts": [_account(row) for row in await gateway.read(caller, work)]}

    @router.post(
        "/payee_accounts",
        operation_id="name_payee_account",
        status_code=_CREATED,
        response_model=ServicingActed,
    )
    async def named(write: Written, offer: OfferId, body: NewPayeeAccount) -> Response:
        """Propose an account that no book has, and open the screening of its payee; another person agrees.

        Refuses ``one_payee_account_is_proposed``.
        """
        said = {
            "payee": body.payee,
            "fingerprint": fingerprint(body.account).hex(),
            "evidence_sha256": body.evidence_sha256,
            "because": body.because,
            "way": "bank" if body.entry_class is None else "ach",
            "class": body.entry_class,
        }
        answer = await gateway.write(
            write,
            "treasury",
            "act_on_payee_account",
            offering=offer,
            subject=new_id("pac"),
            version=None,
            act="proposed",
            said=json.dumps(said),
        )
        # Another person's word waits for it; the same request again opens what a crash left out.
        await gateway.run(partial(runs.screen_payee, body.payee, actor=PROCESS))
        answer.status_code = _CREATED
        return answer

    @router.post(
        "/payee_accounts/{account}/decisions",
        operation_id="decide_payee_account",
        response_model=ServicingActed,
    )
    async def decided(
        write: Decided, offer: OfferId, account: _AccountId, body: PayeeAccountDecision
    ) -> Response:
        """Put an account in force or decline it, as another person.

        Refuses ``payee_account_needs_two_people`` and ``payee_is_screened_before_it_is_paid``.
        """
        return await gateway.write(
            write,
            "treasury",
            "act_on_payee_account",
            offering=offer,
            subject=account,
            version=write.decided_on,
            act=body.decision,
            said=json.dumps({"payee": body.payee}),
        )


def _years(router: APIRouter, gateway: Gateway) -> None:
    @router.get("/tax_years", operation_id="list_tax_years")
    async def listed(caller: Called, offer: OfferId) -> TaxYears:
        """List the tax years, the last first, each with how many payments it does not count as they are."""
        await gateway.admitted(caller, "engine")

        def work(of: Within) -> list[Row]:
            required(of, offer)
            return list(of.tax_years(offering=offer))

        return {"tax_years": [_year(row) for row in await gateway.read(caller, work)]}

    @router.post(
        "/tax_years", operation_id="draft_tax_year", status_code=_CREATED, response_model=ServicingActed
    )
    async def drafted(write: Written, offer: OfferId, body: NewTaxYear) -> Response:
        """Draft the forms of a year from what was paid in it.

        Refuses ``tax_year_has_its_forms`` and ``one_tax_year_stands``.
        """
        answer = await gateway.write(
            write,
            "engine",
            "act_on_tax_year",
            offering=offer,
            subject=new_id("txy"),
            version=None,
            act="drafted",
            said=json.dumps({"year": body.year}),
        )
        answer.status_code = _CREATED
        return answer

    @router.post(
        "/tax_years/{tax_year}/decisions", operation_id="decide_tax_year", response_model=ServicingActed
    )
    async def decided(
        write: Decided, offer: OfferId, tax_year: _TaxYearId, body: TaxYearDecision
    ) -> Response:
        """Release the forms of a year as another person, or cancel it.

        Refuses ``tax_year_needs_two_people`` and ``forms_sum_to_what_was_paid``.
        """
        if body.decision == "cancelled" and body.because is None:
            raise Malformed("cancelled_tax_year_says_why", "say why")
        return await gateway.write(
            write,
            "engine",
            "act_on_tax_year",
            offering=offer,
            subject=tax_year,
            version=write.decided_on,
            act=body.decision,
            said=json.dumps({"because": body.because}),
        )

    @router.get("/coupons", operation_id="list_coupons")
    async def coupons(caller: Called, offer: OfferId) -> Coupons:
        """List the coupons of the schedule in force: what pays each with its working, the fixing it lacks."""
        await gateway.admitted(caller, "engine")

        def work(of: Within) -> list[Row]:
            required(of, offer)
            return list(of.coupons(offering=offer))

        return {"coupons": [_coupon(row) for row in await gateway.read(caller, work)]}


def _remittance(row: Row) -> Remittance:
    return {
        "id": row["remittance_id"],
        "status": row["status"],
        "form": row["form"],
        "year": row["tax_year"],
        "amount": money(row["amount_minor"], row["currency"]),
        "because": row["bounce_code"],
        "proposed_by": row["proposed_by"],
        "decided_by": row["decided_by"],
        "version": str(row["version"]),
    }


def _account(row: Row) -> PayeeAccount:
    return {
        "id": row["account_id"],
        "payee": row["investor_id"],
        "status": row["status"],
        "rail": row["way"],
        "entry_class": row["entry_class"],
        "because": row["because"],
        "proposed_by": row["proposed_by"],
        "decided_by": row["decided_by"],
        "version": str(row["version"]),
    }


def _year(row: Row) -> TaxYear:
    code = row["currency"]
    return {
        "id": row["tax_year_id"],
        "status": row["status"],
        "year": row["year"],
        "forms": row["forms"],
        "gross": money(row["gross_minor"], code),
        "withheld": money(row["withheld_minor"], code),
        "net": money(row["net_minor"], code),
        "differs": row["differs"],
        "drafted_by": row["drafted_by"],
        "decided_by": row["decided_by"],
        "version": str(row["version"]),
    }


def _coupon(row: Row) -> Coupon:
    lacks: Fixing | None = None
    if row["lacks_index"] is not None:
        lacks = {"index": row["lacks_index"], "on": row["lacks_day"].isoformat()}
    return {
        "number": row["number"],
        "from_on": row["from_on"].isoformat(),
        "to_on": row["to_on"].isoformat(),
        "distribution": row["distribution_id"],
        "status": row["status"],
        "amount": None if row["amount_minor"] is None else money(row["amount_minor"], row["currency"]),
        "working": row["working"] or [],
        "lacks": lacks,
    }
