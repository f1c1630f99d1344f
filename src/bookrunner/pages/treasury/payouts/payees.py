"""Accounts of payees that no book has yet, and withheld tax on its way to the tax office."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from bookrunner.adapters.chain import checksum
from bookrunner.core.errors import NotFound, Refused
from bookrunner.core.ids import new_id
from bookrunner.core.money import read_whole
from bookrunner.db import Database
from bookrunner.engine import Desk
from bookrunner.engine.intake import fingerprint
from bookrunner.engine.life.servicing.distributions import Distributions
from bookrunner.pages.access import SignedIn, requiring
from bookrunner.pages.shell.routing import Router
from bookrunner.pages.treasury import facts
from bookrunner.pages.treasury.imports import file_of
from bookrunner.pages.treasury.money import minor_of

__all__ = ["routes"]

_SEE_OTHER: Final = 303
MARKS: Final[Mapping[str, tuple[str, str]]] = {
    "proposed": ("waiting", "wait"),
    "in_force": ("confirmed", "good"),
    "approved": ("confirmed", "good"),
    "sent": ("progress", "calm"),
    "settled": ("confirmed", "good"),
    "returned": ("refused", "bad"),
    "declined": ("cancelled", "grey"),
    "superseded": ("cancelled", "grey"),
    "lost": ("missing", "bad"),
}
_In = Annotated[SignedIn, Depends(requiring(("treasury",)))]
_Text = Annotated[str, Form(max_length=4000)]
Show = Callable[..., Response]


@dataclass(frozen=True, slots=True)
class _Said:
    """The form as it was sent: what is decided on, which return or class of entry is meant, and the rest."""

    choice: str
    what: str
    seen: str
    payee: str
    account: str
    because: str
    amount: str
    year: str


def _said(
    *,
    choice: _Text = "",
    what: _Text = "",
    seen: _Text = "",
    payee: _Text = "",
    account: _Text = "",
    because: _Text = "",
    amount: _Text = "",
    year: _Text = "",
) -> _Said:
    return _Said(choice, what, seen, payee.strip(), account.strip(), because, amount, year)


@dataclass(frozen=True, slots=True)
class _Office:
    """What an administrator does here for one offer; every rule is the database's."""

    runs: Distributions
    on: tuple[str, str]
    currency: str

    def act(self, said: _Said, evidence: bytes) -> None:
        """Do what was chosen; refuses ``decision_is_one_of_those_offered`` and what the verbs refuse."""
        offering, actor = self.on
        where = {"actor": actor, "offering": offering}
        agreed = said.choice.endswith("agree")
        if said.choice == "name_account":
            self._name(said, evidence)
        elif said.choice == "name_wallet":
            self.runs.payments.propose_payee_account(
                actor=actor,
                investor=said.payee,
                account=new_id("pac"),
                way="stablecoin",
                source=None,
                because=said.because,
                entry_class=None,
            )
        elif said.choice in {"wallet_agree", "wallet_decline"}:
            self.runs.payments.decide_paying_wallet(
                **where, wallet=said.what, is_agreed=agreed, seen=read_whole(said.seen)
            )
        elif said.choice == "screen":
            self.runs.screen_payee(said.payee, actor=actor)
        elif said.choice in {"account_agree", "account_decline"}:
            self.runs.payments.decide_payee_account(
                actor=actor,
                investor=said.payee,
                account=said.what,
                is_agreed=agreed,
                seen=read_whole(said.seen),
            )
        elif said.choice == "remit":
            self.runs.payments.propose_remittance(
                **where, remittance=new_id("rmt"), said=self._remittance(said)
            )
        elif said.choice in {"remittance_agree", "remittance_decline"}:
            self.runs.payments.decide_remittance(
                **where, remittance=said.what, is_agreed=agreed, seen=read_whole(said.seen)
            )
        elif said.choice == "remittance_retry":
            self.runs.payments.retry_remittance(**where, remittance=said.what)
        elif said.choice == "remittance_give_up":
            self.runs.payments.give_up_remittance(
                **where, remittance=said.what, because=said.because, seen=read_whole(said.seen)
            )
        else:
            raise Refused("decision_is_one_of_those_offered", "choose one of the acts")

    def _name(self, said: _Said, evidence: bytes) -> None:
        if not said.account or not said.payee or not evidence:
            raise Refused("new_account_has_its_evidence", "name the payee and its account, and add the paper")
        named = fingerprint(said.account), hashlib.sha256(evidence).digest()
        self.runs.name_account(
            said.payee, named, said.because, entry_class=said.what or None, actor=self.on[1]
        )

    def _remittance(self, said: _Said) -> dict[str, object]:
        if not said.account:
            raise Refused("remittance_names_its_account", "write the account of the tax office")
        year = read_whole(said.year)
        if year is None:
            raise Refused("remitted_year_is_a_year", "write the tax year with four digits")
        return {
            "form": said.what,
            "year": year,
            "amount": minor_of(said.amount, self.currency),
            "fingerprint": fingerprint(said.account).hex(),
        }


def routes(router: Router, database: Database, show: Show) -> None:
    """Add the page of payees and withheld tax below an offer, and its forms."""
    runs = Distributions(Desk(database))

    def page(request: Request, offering: str, **shown: object) -> Response:
        facts.desk(database, offering)
        found = {
            "accounts": runs.payments.payee_accounts(offering=offering),
            "wallets": [
                {**row, "address": checksum(bytes(row["address"]))}
                for row in runs.payments.paying_wallets(offering=offering)
            ],
            "missing": runs.payments.payees_without_account(offering=offering),
            "remittances": runs.payments.remittances(offering=offering),
            "withheld": runs.payments.withheld(offering=offering),
            "payee_marks": MARKS,
            "typed": _said(),
        }
        return show(request, offering, "payees.html", {**found, **shown})

    @router.get("/{offering}/payees")
    def payees(request: Request, offering: str, _: _In, *, done: bool = False) -> Response:
        return page(request, offering, is_done=done)

    @router.post("/{offering}/payees")
    def act(
        request: Request,
        offering: str,
        officer: _In,
        *,
        said: Annotated[_Said, Depends(_said)],
        evidence: Annotated[bytes, Depends(file_of)],
    ) -> Response:
        currency = str(facts.desk(database, offering)["currency"])
        try:
            _Office(runs, (offering, officer.actor), currency).act(said, evidence)
        except NotFound:
            raise
        except Refused as fault:
            return page(request, offering, refusal=facts.told(fault), typed=said)
        return RedirectResponse(f"{facts.path_of(offering, 'payees')}?done=1", status_code=_SEE_OTHER)
