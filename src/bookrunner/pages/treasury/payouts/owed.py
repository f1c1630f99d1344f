"""What splits owe for fractions, and fees of transfers that are paid or waived."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from bookrunner.core.errors import NotFound, Refused
from bookrunner.core.ids import new_id
from bookrunner.core.money import read_whole
from bookrunner.db import Database
from bookrunner.engine import Desk
from bookrunner.engine.life.servicing.distributions import Distributions
from bookrunner.engine.life.servicing.fees import fees_of
from bookrunner.pages.access import SignedIn, requiring
from bookrunner.pages.shell.routing import Router
from bookrunner.pages.treasury import facts
from bookrunner.pages.treasury.imports import file_of
from bookrunner.pages.treasury.payouts.payees import Show

__all__ = ["routes"]

_SEE_OTHER: Final = 303
MARKS: Final = {
    "open": ("missing", "bad"),
    "proposed": ("waiting", "wait"),
    "settled": ("confirmed", "good"),
    "entitled": ("not-started", "grey"),
    "owed": ("waiting", "wait"),
    "held": ("held", "wait"),
    "paying": ("progress", "calm"),
    "paid": ("confirmed", "good"),
    "returned": ("refused", "bad"),
    "unclaimed": ("missing", "bad"),
}
_In = Annotated[SignedIn, Depends(requiring(("treasury",)))]
_Text = Annotated[str, Form(max_length=4000)]


@dataclass(frozen=True, slots=True)
class _Said:
    """The form as it was sent: what is decided on, and what belongs to it."""

    choice: str
    what: str
    seen: str
    receipt: str
    line: str
    because: str


def _said(
    *,
    choice: _Text = "",
    what: _Text = "",
    seen: _Text = "",
    receipt: _Text = "",
    line: _Text = "",
    because: _Text = "",
) -> _Said:
    return _Said(choice, what, seen, receipt, line, because)


class _Owed:
    """What an administrator does here for one offer; every rule is the database's."""

    def __init__(self, database: Database) -> None:
        self.runs = Distributions(Desk(database))
        self.fees = fees_of(database)

    def act(self, on: tuple[str, str], said: _Said, evidence: bytes) -> None:
        """Do what was chosen; refuses ``decision_is_one_of_those_offered`` and what the verbs refuse."""
        offering, actor = on
        where = {"actor": actor, "offering": offering}
        if said.choice == "fund":
            receipt, _, version = said.receipt.partition("@")
            self.runs.fund_fractions((offering, said.what), receipt, read_whole(version), actor=actor)
        elif said.choice == "pay":
            self.runs.pay_fractions(offering, said.what, actor=actor)
        elif said.choice == "retry":
            lines = [said.line] if said.line else None
            self.runs.payments.retry_disbursements(**where, distribution=said.what, lines=lines)
        elif said.choice in {"paid", "waived"}:
            self.fees.propose_fee_settlement(
                **where,
                settlement=new_id("fst"),
                transfer=said.what,
                act=said.choice,
                evidence_sha256=hashlib.sha256(evidence).digest() if evidence else None,
                because=said.because,
            )
        elif said.choice in {"agree", "decline"}:
            self.fees.decide_fee_settlement(
                **where,
                settlement=said.what,
                is_agreed=said.choice == "agree",
                seen=read_whole(said.seen),
            )
        else:
            raise Refused("decision_is_one_of_those_offered", "choose one of the acts")


def routes(router: Router, database: Database, show: Show) -> None:
    """Add the page of fractions and fees below an offer, and its forms."""
    owed = _Owed(database)

    def page(request: Request, offering: str, **shown: object) -> Response:
        facts.desk(database, offering)
        splits = owed.runs.payments.fractions_owed(offering=offering)
        found = {
            "splits": [
                {
                    **row,
                    "lines": owed.runs.payments.lines_of_fractions(offering=offering, split=row["split_id"]),
                }
                for row in splits
            ],
            "fees": owed.fees.transfer_fees(offering=offering),
            "waiting": owed.runs.payments.unowned_receipts(offering=offering),
            "owed_marks": MARKS,
            "typed": "",
        }
        return show(request, offering, "owed.html", {**found, **shown})

    @router.get("/{offering}/fractions")
    def fractions(request: Request, offering: str, _: _In, *, done: bool = False) -> Response:
        return page(request, offering, is_done=done)

    @router.post("/{offering}/fractions")
    def act(
        request: Request,
        offering: str,
        officer: _In,
        *,
        said: Annotated[_Said, Depends(_said)],
        evidence: Annotated[bytes, Depends(file_of)],
    ) -> Response:
        try:
            owed.act((offering, officer.actor), said, evidence)
        except NotFound:
            raise
        except Refused as fault:
            return page(request, offering, refusal=facts.told(fault), typed=said.because)
        return RedirectResponse(f"{facts.path_of(offering, 'fractions')}?done=1", status_code=_SEE_OTHER)
