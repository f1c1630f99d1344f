"""The pay run: the waterfall before approval, a second person, lines that are paid, failed or held."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Protocol

from fastapi import Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from bookrunner.core.errors import NotFound, Refused
from bookrunner.core.money import read_whole
from bookrunner.db import Database, Row
from bookrunner.engine import Desk
from bookrunner.engine.life.servicing.coupons import Coupons
from bookrunner.engine.life.servicing.distributions import Distributions
from bookrunner.pages.access import SignedIn, requiring
from bookrunner.pages.shell.routing import Router
from bookrunner.pages.treasury import facts
from bookrunner.pages.treasury.payouts import coupons, owed, payees, taxes

__all__ = ["routes"]

STATES: Final = ("owed", "held", "paying", "paid", "returned", "unclaimed")
MARKS: Final[Mapping[str, tuple[str, str]]] = {
    "draft": ("waiting", "wait"),
    "approved": ("confirmed", "good"),
    "paying": ("progress", "calm"),
    "paid": ("confirmed", "good"),
    "cancelled": ("cancelled", "grey"),
    "entitled": ("not-started", "grey"),
    "owed": ("waiting", "wait"),
    "held": ("held", "wait"),
    "returned": ("refused", "bad"),
    "unclaimed": ("missing", "bad"),
    "released": ("cancelled", "grey"),
}
_SEE_OTHER, _WIDTH, _LEFT, _TALL = 303, 620, 10, 20
_MOST: Final = 200
_In = Annotated[SignedIn, Depends(requiring(("treasury",)))]
_Text = Annotated[str, Form(max_length=4000)]


class Show(Protocol):
    """Renders a page of an offer's escrow from a template."""

    def __call__(self, request: Request, offering: str, template: str, shown: Mapping[str, Any]) -> Response:
        """Return the page."""


@dataclass(frozen=True, slots=True)
class _Said:
    """The form of a decision as it was sent."""

    choice: str
    seen: str
    because: str
    receipt: str
    line: str


def _said(
    *, choice: _Text = "", seen: _Text = "", because: _Text = "", receipt: _Text = "", line: _Text = ""
) -> _Said:
    return _Said(choice, seen, because, receipt, line)


class _Runs:
    """What the pages of an offer's distributions show and do."""

    def __init__(self, database: Database, show: Show) -> None:
        self._database = database
        self._show = show
        self.runs = Distributions(Desk(database))
        self.coupons = Coupons(Desk(database)).terms

    def all(self, request: Request, offering: str) -> Response:
        """Return every distribution of an offer; raises NotFound for an unknown one."""
        facts.desk(self._database, offering)
        found = self.runs.terms.distributions(offering=offering)
        return self._show(request, offering, "list.html", {"runs": found, "run_marks": MARKS})

    def one(self, request: Request, offering: str, name: str, **shown: object) -> Response:
        """Return one distribution with its tiers and its lines, or those of a state."""
        run, on = self.runs.standing(offering, name), {"offering": offering, "distribution": name}
        state = shown.get("state") if shown.get("state") in STATES else None
        after = str(shown.get("after") or "")
        lines = self.runs.terms.distribution_lines(**on, status=state, after=after, most=_MOST)
        tiers = self.runs.terms.distribution_tiers(**on)
        empty = {"is_done": False, "refusal": None, "typed": ""}
        facts_now = {
            "run": run,
            "tiers": tiers,
            "bars": waterfall(tiers, run["distributable_minor"]),
            "reserves": self.runs.terms.distribution_reserves(**on),
            "lines": lines,
            "more": lines[-1]["line_id"] if len(lines) == _MOST else None,
            "chosen": state,
            "states": STATES,
            "run_marks": MARKS,
            "waiting": self.runs.payments.unowned_receipts(offering=offering),
            "coupon": self.coupons.coupon_of(**on),
        }
        return self._show(request, offering, "run.html", {**empty, **shown, **facts_now})

    def decide(self, on: tuple[str, str], said: _Said, actor: str) -> None:
        """Do what was chosen; refuses ``decision_is_one_of_those_offered`` and what the verbs refuse."""
        offering, name = on
        where = {"actor": actor, "offering": offering, "distribution": name}
        seen, choice = read_whole(said.seen), said.choice
        if choice == "approve":
            self.runs.terms.approve_distribution(**where, seen=seen)
        elif choice == "cancel":
            self.runs.terms.cancel_distribution(**where, because=said.because, seen=seen)
        elif choice == "fund":
            receipt, _, version = said.receipt.partition("@")
            self.runs.payments.fund_distribution(**where, receipt=receipt, seen=read_whole(version))
        elif choice == "screen":
            self.runs.screen(offering, name, actor=actor)
        elif choice == "start":
            self.runs.start(offering, name, actor=actor)
        elif choice == "retry":
            self.runs.payments.retry_disbursements(**where, lines=[said.line] if said.line else None)
        else:
            raise Refused("decision_is_one_of_those_offered", "choose one of the acts")


def waterfall(tiers: Sequence[Row], whole: int) -> list[dict[str, Any]]:
    """Return each tier as a bar below the one above it, which begins where that one ended."""
    bars, x = [], _LEFT
    for place, tier in enumerate(tiers):
        widths = [tier[f"{who}_minor"] * _WIDTH // whole for who in ("holders", "sponsor")]
        bars.append({"x": x, "y": 22 + place * (_TALL + 22), "widths": widths, "tier": tier, "tall": _TALL})
        x += sum(widths)
    return bars


def routes(router: Router, database: Database, show: Show) -> None:
    """Add the pages of distributions below an offer, of their payees, and their forms."""
    pages = _Runs(database, show)
    payees.routes(router, database, show)
    taxes.routes(router, database, show)
    owed.routes(router, database, show)
    coupons.routes(router, database, show)

    @router.get("/{offering}/distributions")
    def runs(request: Request, offering: str, _: _In) -> Response:
        return pages.all(request, offering)

    @router.get("/{offering}/distributions/{name}")
    def run(
        request: Request,
        offering: str,
        name: str,
        _: _In,
        *,
        state: str = "",
        after: Annotated[str, Query(max_length=60)] = "",
        done: bool = False,
    ) -> Response:
        return pages.one(request, offering, name, state=state, after=after, is_done=done)

    @router.post("/{offering}/distributions/{name}")
    def decide(
        request: Request, offering: str, name: str, officer: _In, *, form: Annotated[_Said, Depends(_said)]
    ) -> Response:
        try:
            pages.decide((offering, name), form, officer.actor)
        except NotFound:
            raise
        except Refused as fault:
            return pages.one(request, offering, name, refusal=facts.told(fault), typed=form.because)
        there = facts.path_of(offering, "distributions", name)
        return RedirectResponse(f"{there}?done=1", status_code=_SEE_OTHER)
