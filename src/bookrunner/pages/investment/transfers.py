"""Where a holder asks for a transfer of its units and follows it to the register."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Any, Final

from fastapi import Depends, Request
from fastapi.responses import RedirectResponse, Response

from bookrunner.adapters.chain import checksum, parse_address
from bookrunner.books import registry
from bookrunner.core import clock
from bookrunner.core.errors import Malformed, NotFound, Refused
from bookrunner.core.money import parse, read_whole, ungrouped
from bookrunner.db import Database, Keeper, load
from bookrunner.pages.access import acting_for
from bookrunner.pages.shell import Shell
from bookrunner.pages.shell.language import later
from bookrunner.pages.shell.routing import Router

_CONFLICT, _SEE_OTHER = 409, 303
_KEEPER: Final = "portal"
_MOST, _MOST_BYTES = 50, 20 * 2**20
# How long an interest stands unless its poster says another day.
_BOARD_DAYS: Final = 30
_ROUTES: Final = {
    "agent": later("The transfer agent moves the units"),
    "holder": later("I move them from my own wallet"),
}
_PERIODS: Final = {
    "holding": later("Units whose holding period is not over go to nobody"),
    "flow_back": later("Units whose distribution period is not over go to no US person"),
    "first_year": later(
        "Units in their first year go to the issuer, to accredited takers and within the family"
    ),
    "none": later("No period binds these units"),
}
_STATES: Final = {
    "requested": ("waiting", "wait", later("being checked")),
    "screened": ("waiting", "wait", later("the transfer agent decides")),
    "returned": ("you", "wait", later("came back to you")),
    "approved": ("progress", "calm", later("approved")),
    "instructed": ("progress", "calm", later("on its way")),
    "registered": ("confirmed", "good", later("registered")),
    "rescinded": ("cancelled", "grey", later("taken back")),
    "rejected": ("refused", "bad", later("rejected")),
    "withdrawn": ("cancelled", "grey", later("withdrawn")),
}


async def _form_of(request: Request) -> dict[str, str]:
    """Read a form; of a file only its hash goes on, under the name of its field."""
    found: dict[str, str] = {}
    async with request.form(max_files=40, max_fields=40) as read:
        for name, value in read.multi_items():
            if isinstance(value, str):
                found[name] = value.strip()
            elif value.size:
                if value.size > _MOST_BYTES:
                    raise Malformed("paper_is_not_too_large", "a paper has at most 20 megabytes")
                found[name] = hashlib.sha256(await value.read()).hexdigest()
    return found


_Form = Annotated[dict[str, str], Depends(_form_of)]


class Transfers:
    """Renders the transfers of one investor's units; a refusal comes back on the page it was asked from."""

    def __init__(self, database: Database, shell: Shell, operator: str | None) -> None:
        self._database = database
        self._shell = shell
        self._operator = operator

    def holder(self, request: Request, investment: str) -> tuple[Mapping[str, Any], str]:
        """Return the investment and who acts, as :func:`acting_for` says it."""
        with self._database.transaction(_KEEPER) as transaction:
            found: Mapping[str, Any] | None = load("bookrunner.pages").investment(
                transaction, investment=investment
            )
        if found is None:
            raise NotFound(f"there is no investment {investment}")
        return found, acting_for(request, found["investor_id"], self._operator)

    def page(self, request: Request, investment: str, **shown: object) -> Response:
        """Return the holder's lots, its requests and the form of a new one; 409 with a refusal."""
        found, _ = self.holder(request, investment)
        keeper, on = registry.transfers_of(self._database), {"offering": found["offering_id"]}
        lots = keeper.lots_of(**on, investor=found["investor_id"])
        is_first_year = any(lot["period"] == "first_year" for lot in lots)
        told: dict[str, Any] = {
            "investment": found,
            "requests": keeper.transfers(**on, investor=found["investor_id"], most=_MOST),
            "lots": lots,
            "papers": [paper for paper in keeper.paper_kinds() if paper["is_required"] or is_first_year],
            "states": _STATES,
            "periods": _PERIODS,
            "routes": _ROUTES,
            "wallets": self._wallets(found),
            "board": registry.market_of(self._database).board(
                **on, investor=found["investor_id"], most=_MOST
            ),
            "last_day": (clock.today() + timedelta(days=_BOARD_DAYS)).isoformat(),
            "refusal": None,
            "typed": defaultdict(str),
            "is_done": False,
            **shown,
        }
        return self._shell.page(
            request, "investment/transfers.html", told, _CONFLICT if told["refusal"] else 200
        )

    def _wallets(self, found: Mapping[str, Any]) -> list[str]:
        """Return the holder's effective wallets as they are written; units may move between several."""
        of_holder = {"offering": found["offering_id"], "investor": found["investor_id"], "address": None}
        rows = registry.keeper(self._database).wallet_history(**of_holder)
        return [checksum(bytes(row["address"])) for row in rows if row["is_effective"]]

    def act(self, request: Request, investment: str, form: Mapping[str, str]) -> Response:
        """Do what a form asks; a refusal is shown with what was typed."""
        found, actor = self.holder(request, investment)
        try:
            self._do((found, actor), form)
        except NotFound:
            raise
        except Refused as refused:
            told = {"rule": refused.rule, "detail": "" if refused.rule in refused.detail else refused.detail}
            return self.page(request, investment, refusal=told, typed=defaultdict(str, form))
        # An interest is nobody's to carry out: only what the agent has is received.
        done = "" if form.get("act") in {"post", "take_back"} else "?done=1"
        return RedirectResponse(f"/investments/{investment}/transfers{done}", status_code=_SEE_OTHER)

    def _do(self, by: tuple[Mapping[str, Any], str], form: Mapping[str, str]) -> None:
        (found, actor), keeper = by, registry.transfers_of(self._database)
        offering, what = found["offering_id"], form.get("what", "")
        if form.get("act") in {"post", "match", "take_back"}:
            self._trade(by, form)
            return
        papers = [
            {"paper": name.removeprefix("paper."), "sha256": digest}
            for name, digest in form.items()
            if name.startswith("paper.") and digest
        ]
        if form.get("act") == "ask":
            said = {**_said(form, found["currency"]), "seller": found["investor_id"]}
            if said["kind"] == "own":
                said["buyer"] = found["investor_id"]
            registry.request_transfer(keeper, (offering, actor), said, papers)
            return
        asked = keeper.transfer(offering=offering, transfer=what)
        if asked is None or asked["seller_id"] != found["investor_id"]:
            raise NotFound("there is no such request of yours")
        if form.get("act") == "again" and asked["status"] == "returned":
            registry.present_again(keeper, (offering, what, actor), papers)
        elif form.get("act") == "again":
            keeper.add_transfer_papers(actor=actor, offering=offering, transfer=what, papers=papers)
        elif form.get("act") == "withdraw":
            keeper.end_transfer(actor=actor, offering=offering, transfer=what, status="withdrawn", reasons=[])
        else:
            raise Refused("decision_is_one_of_those_offered", "choose one of the acts")

    def _trade(self, by: tuple[Mapping[str, Any], str], form: Mapping[str, str]) -> None:
        (found, actor), market = by, registry.market_of(self._database)
        on, what = (found["offering_id"], actor), form.get("what", "")
        if form["act"] == "post":
            price = parse(form.get("each", ""), found["currency"])
            said = {"side": form.get("side", ""), "investor": found["investor_id"], "units": _units(form)}
            said |= {"price_minor": price.minor, "currency": found["currency"], "ends_on": _day(form)}
            registry.post_interest(market, on, said)
        elif form["act"] == "match":
            _match(market, on, what, found["investor_id"])
        else:
            market.withdraw_interest(
                actor=actor, offering=on[0], interest=what, investor=found["investor_id"]
            )


def _match(market: Keeper, on: tuple[str, str], interest: str, investor: str) -> None:
    try:
        registry.match_interest(market, on, interest, investor)
    except Refused as refused:
        raise registry.match_refused(refused) from None


def _units(form: Mapping[str, str]) -> int:
    units = read_whole(ungrouped(form.get("units", "")))
    if units is None:
        raise Refused("units_are_a_whole_number", "write whole units, at most 18 digits")
    return units


def _day(form: Mapping[str, str]) -> str:
    try:
        return date.fromisoformat(form.get("ends_on", "")).isoformat()
    except ValueError:
        raise Malformed("day_is_a_date", "write a day as 2026-03-02") from None


def _said(form: Mapping[str, str], currency: str) -> dict[str, object]:
    units = _units(form)
    said: dict[str, object] = {"kind": form.get("kind", ""), "route": form.get("route", "agent")}
    said |= {"buyer": form.get("buyer", ""), "units": units}
    for place in ("from", "to"):
        if form.get(place):
            said[place] = parse_address(form[place]).hex()
    if form.get("price"):
        price = parse(form["price"], currency)
        said |= {"price_minor": price.minor, "currency": currency}
    return said


def transfer_routes(database: Database, shell: Shell, operator: str | None) -> Router:
    """Return the routes below ``/investments/{id}/transfers``."""
    router = Router()
    pages = Transfers(database, shell, operator)

    @router.get("/investments/{investment}/transfers")
    def shown(request: Request, investment: str, *, done: bool = False) -> Response:
        return pages.page(request, investment, is_done=done)

    @router.post("/investments/{investment}/transfers")
    def act(request: Request, investment: str, form: _Form) -> Response:
        return pages.act(request, investment, form)

    return router
