"""Principal that is paid back in parts: terms by two people, what is left, the payment of an instalment."""

from __future__ import annotations

import json
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field, StringConstraints

from bookrunner.api.caller import Called, Decided, Written
from bookrunner.api.desks.servicing.debt.coupons import DebtDecision
from bookrunner.api.gateway import Gateway
from bookrunner.api.resources.offers import required
from bookrunner.api.routing import Router
from bookrunner.api.shapes import PAGE, OfferId, Price, Shape, money
from bookrunner.api.shapes.cursors import Cursor, cursor_of, place_of
from bookrunner.api.shapes.onboarding import Day
from bookrunner.api.shapes.servicing.debt import Instalment, LotsLeft, PrincipalTerms, PrincipalTermsListed
from bookrunner.api.shapes.servicing.payments import DistributionActed, ServicingActed
from bookrunner.core.errors import Malformed
from bookrunner.core.ids import new_id
from bookrunner.db import Row, Within
from bookrunner.engine import Desk
from bookrunner.engine.desk import PROCESS
from bookrunner.engine.life.servicing.distributions import Distributions

_CREATED = 201
_KEEPER = "engine"
_MOST = 1_200
_TermsId = Annotated[str, StringConstraints(pattern="^amo_[0-9A-Za-z_]{1,64}$")]
_Number = Annotated[int, Path(ge=1, le=_MOST)]
_Limit = Annotated[int, Query(ge=1, le=PAGE)]


class NewInstalment(Shape):
    """What is paid back of one unit, and when it is due."""

    due_on: Day
    part: Price


class NewPrincipalTerms(Shape):
    """The principal of one unit, and the instalments that sum to it."""

    principal: Price
    instalments: Annotated[list[NewInstalment], Field(min_length=1, max_length=_MOST)]


class NewInstalmentPayment(Shape):
    """Whose units count, and when they are paid."""

    record_on: Day
    pay_on: Day


def routes(gateway: Gateway) -> APIRouter:
    """Return the routes of principal, for keys of the engine."""
    router = Router(prefix="/v1/offers/{offer}", tags=["debt"])
    _reads(router, gateway)
    _terms(router, gateway)
    _payments(router, gateway)
    return router


def _reads(router: APIRouter, gateway: Gateway) -> None:
    @router.get("/principal_terms", operation_id="list_principal_terms")
    async def listed(caller: Called, offer: OfferId) -> PrincipalTermsListed:
        """List the terms with what is left of a unit, the last first; and the instalments in force."""
        await gateway.admitted(caller, _KEEPER)

        def work(of: Within) -> tuple[Row, list[Row], list[Row]]:
            head = required(of, offer)
            return head, list(of.principal_terms(offering=offer)), list(of.instalments(offering=offer))

        head, terms, parts = await gateway.read(caller, work)
        code = head["currency"]
        return {
            "principal_terms": [_shown(row, code) for row in terms],
            "instalments": [_instalment(row, code) for row in parts],
        }

    @router.get("/principal_lots", operation_id="list_principal_lots")
    async def lots(caller: Called, offer: OfferId, *, cursor: Cursor = None, limit: _Limit = 50) -> LotsLeft:
        """List what each lot has left of its principal, by the terms in force."""
        await gateway.admitted(caller, _KEEPER)

        def work(of: Within) -> tuple[Row, list[Row]]:
            found = of.principal_lots(offering=offer, after=place_of(cursor), most=limit)
            return required(of, offer), list(found)

        head, rows = await gateway.read(caller, work)
        return {
            "lots": [
                {
                    "id": row["lot_id"],
                    "investor": row["investor_id"],
                    "units": row["left_units"],
                    "left": money(row["outstanding_minor"], head["currency"]),
                }
                for row in rows
            ],
            "next": cursor_of(rows, "lot_id", limit),
        }


def _terms(router: APIRouter, gateway: Gateway) -> None:
    @router.post(
        "/principal_terms",
        operation_id="propose_principal_terms",
        status_code=_CREATED,
        response_model=ServicingActed,
    )
    async def proposed(write: Written, offer: OfferId, body: NewPrincipalTerms) -> Response:
        """Propose the principal of a unit and its instalments; another person puts them in force.

        Refuses ``terms_are_in_the_currency_of_the_offer``, ``instalments_sum_to_the_principal`` and
        ``one_instalment_a_day``.
        """
        principal = body.principal.exact()
        parts = [(each.due_on, each.part.exact()) for each in body.instalments]
        if any(part.currency != principal.currency for _, part in parts):
            raise Malformed(
                "terms_are_in_the_currency_of_the_offer", "principal and instalments have one currency"
            )
        said = {
            "principal": principal.minor,
            "currency": principal.currency.code,
            "instalments": [{"due_on": day, "part": part.minor} for day, part in parts],
        }
        answer = await gateway.write(
            write,
            _KEEPER,
            "act_on_amortisation",
            offering=offer,
            subject=new_id("amo"),
            version=None,
            act="proposed",
            said=json.dumps(said),
        )
        answer.status_code = _CREATED
        return answer

    @router.post(
        "/principal_terms/{terms}/decisions",
        operation_id="decide_principal_terms",
        response_model=ServicingActed,
    )
    async def decided(write: Decided, offer: OfferId, terms: _TermsId, body: DebtDecision) -> Response:
        """Put terms in force as another person, in the place of those before them, or decline them.

        Refuses ``amortisation_needs_two_people``, ``principal_is_what_is_outstanding``,
        ``open_instalment_is_paid_first`` and ``terms_are_of_the_units_as_proposed``.
        """
        return await gateway.write(
            write,
            _KEEPER,
            "act_on_amortisation",
            offering=offer,
            subject=terms,
            version=write.decided_on,
            act=body.decision,
            said="{}",
        )


def _payments(router: APIRouter, gateway: Gateway) -> None:
    runs = Distributions(Desk(gateway.database))

    @router.post(
        "/instalments/{number}/distributions",
        operation_id="draft_instalment",
        status_code=_CREATED,
        response_model=DistributionActed,
    )
    async def drafted(
        write: Written, offer: OfferId, number: _Number, body: NewInstalmentPayment
    ) -> Response:
        """Draft the distribution that pays an instalment, and open the screening of its payees.

        Another person approves it. Refuses ``instalment_exists``, ``instalment_is_paid_once``,
        ``principal_terms_follow_the_split``, ``principal_is_paid_between_coupons``,
        ``instalment_is_of_the_units_after_the_conversion``,
        ``distribution_pays_its_instalment`` and ``record_date_is_reconciled``.
        """
        answer = await gateway.write(
            write,
            _KEEPER,
            "draft_instalment",
            offering=offer,
            distribution=new_id("dst"),
            number=number,
            said=body.model_dump_json(),
        )
        made = json.loads(bytes(answer.body))["id"]
        # Another person's word waits for it; the same request again opens what a crash left out.
        await gateway.run(partial(runs.screen, offer, made, actor=PROCESS))
        answer.status_code = _CREATED
        return answer


def _shown(row: Row, currency: str) -> PrincipalTerms:
    return {
        "id": row["amortisation_id"],
        "status": row["status"],
        "principal": money(row["principal_minor"], currency),
        "left": None if row["left_minor"] is None else money(row["left_minor"], currency),
        "proposed_by": row["proposed_by"],
        "decided_by": row["decided_by"],
        "version": str(row["version"]),
    }


def _instalment(row: Row, currency: str) -> Instalment:
    return {
        "number": row["number"],
        "due_on": row["due_on"].isoformat(),
        "part": money(row["part_minor"], currency),
        "distribution": row["distribution_id"],
        "status": row["status"],
    }
