"""What the transfer agent may do on its pages, by which verb."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Protocol
from zoneinfo import ZoneInfo

from fastapi import Form

from bookrunner.books import registry
from bookrunner.core.errors import Refused
from bookrunner.core.ids import new_id
from bookrunner.core.money import read_whole, ungrouped
from bookrunner.db import Database

_Line = Annotated[str, Form(max_length=4000)]
_HEX_DIGITS = 64


class Chained(Protocol):
    """What asks the chain before it writes: the application."""

    @property
    def database(self) -> Database:
        """The pools."""

    def compare_records(self, offering: str, *, actor: str) -> int:
        """Compare the records with the chain and return how many pairs differ."""

    def link_wallet(self, offering: str, mapping: str, *, actor: str) -> None:
        """Make an approved wallet effective."""

    def join_wallet(self, offering: str, mapping: str, *, actor: str) -> None:
        """Make an approved wallet effective beside the linked one."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a form sent: which act on which record, and what belongs to it."""

    act: str = ""
    what: str = ""
    choice: str = ""
    because: str = ""
    units: str = ""
    paper: str = ""
    kind: str = ""
    received: str = ""


def said(
    *,
    act: _Line = "",
    what: _Line = "",
    choice: _Line = "",
    because: _Line = "",
    units: _Line = "",
    paper: _Line = "",
    kind: _Line = "",
    received: _Line = "",
) -> Said:
    """Read a form of the console."""
    return Said(act, what.strip(), choice, because, units.strip(), paper.strip(), kind, received)


@dataclass(frozen=True, slots=True)
class Agent:
    """Who acts on the register of one offer; every rule is the database's."""

    chained: Chained
    offering: str
    actor: str

    def act(self, form: Said) -> None:
        """Do what a form asks; refuses ``decision_is_one_of_those_offered`` and whatever the verbs refuse."""
        acts: Mapping[str, Callable[[Said], None]] = {
            "compare": self._compare,
            "resolve": self._resolve,
            "propose_control": self._propose_control,
            "decide_control": self._decide_control,
            "wallet": self._wallet,
            "propose_legend": self._propose_legend,
            "decide_legend": self._decide_legend,
            "keep_apart": self._keep_apart,
            "resolve_entry": self._resolve_entry,
            "propose_custodian": self._propose_custodian,
            "decide_custodian": self._decide_custodian,
            "end_custodian": self._end_custodian,
            "receive": self._receive,
            "close": self._close,
        }
        if form.act not in acts:
            raise Refused("decision_is_one_of_those_offered", "choose one of the acts")
        acts[form.act](form)

    @property
    def _by(self) -> dict[str, object]:
        return {"actor": self.actor, "offering": self.offering}

    def _compare(self, _: Said) -> None:
        self.chained.compare_records(self.offering, actor=self.actor)

    def _resolve(self, form: Said) -> None:
        keeper = registry.keeper(self.chained.database)
        keeper.resolve_difference(**self._by, difference=form.what, because=form.because)

    def _propose_control(self, form: Said) -> None:
        registry.keeper(self.chained.database).propose_control_change(
            **self._by,
            change=new_id("cch"),
            units=_units(form.units),
            authority_sha256=_digest(form.paper),
            reference=form.because,
        )

    def _decide_control(self, form: Said) -> None:
        registry.keeper(self.chained.database).decide_control_change(
            **self._by, change=form.what, is_approved=_agreed(form), because=form.because
        )

    def _wallet(self, form: Said) -> None:
        keeper, on = registry.keeper(self.chained.database), {"mapping": form.what}
        if form.choice == "consent":
            keeper.approve_wallet(**self._by, **on)
        elif form.choice == "link":
            self.chained.link_wallet(self.offering, form.what, actor=self.actor)
        elif form.choice == "join":
            self.chained.join_wallet(self.offering, form.what, actor=self.actor)
        elif form.choice == "choose":
            keeper.choose_wallet(**self._by, **on)
        elif form.choice == "reject":
            keeper.reject_wallet(**self._by, **on, because=form.because)
        elif form.choice == "revoke":
            keeper.revoke_wallet(**self._by, **on)
        else:
            raise Refused("decision_is_one_of_those_offered", "choose one of the steps")

    def _propose_legend(self, form: Said) -> None:
        registry.keeper(self.chained.database).propose_legend_removal(
            **self._by,
            removal=new_id("lgr"),
            lot=form.what,
            basis=form.kind,
            paper_sha256=_digest(form.paper) if form.paper else None,
            because=form.because,
        )

    def _decide_legend(self, form: Said) -> None:
        registry.keeper(self.chained.database).decide_legend_removal(
            **self._by, removal=form.what, is_approved=_agreed(form), because=form.because
        )

    def _keep_apart(self, form: Said) -> None:
        registry.keeper(self.chained.database).keep_apart(
            **self._by,
            entry=new_id("sub"),
            side=form.kind,
            units=_units(form.units),
            reference=form.what,
            because=form.because,
            owner=self.actor,
        )

    def _resolve_entry(self, form: Said) -> None:
        registry.keeper(self.chained.database).resolve_entry(
            **self._by, entry=form.what, holding=form.kind.strip() or None, because=form.because
        )

    def _propose_custodian(self, form: Said) -> None:
        told = {"name": form.what, "agreement_sha256": _digest(form.paper).hex(), "agreed_on": form.kind}
        registry.holders_of(self.chained.database).propose_custodian(
            **self._by,
            custodian=new_id("cst"),
            said=told | ({"ends_on": form.received} if form.received else {}),
        )

    def _decide_custodian(self, form: Said) -> None:
        registry.holders_of(self.chained.database).decide_custodian(
            **self._by, custodian=form.what, is_approved=_agreed(form), because=form.because
        )

    def _end_custodian(self, form: Said) -> None:
        registry.holders_of(self.chained.database).end_custodian(
            **self._by, custodian=form.what, because=form.because
        )

    def _receive(self, form: Said) -> None:
        received = {
            "kind": form.kind,
            "is_routine": form.choice != "other",
            "reference": form.what,
            "received_at": _moment(form.received),
        }
        registry.receive(registry.keeper(self.chained.database), (self.offering, self.actor), received)

    def _close(self, form: Said) -> None:
        answer = hashlib.sha256(form.paper.encode()).digest() if form.paper else None
        registry.keeper(self.chained.database).close_item(
            **self._by,
            item=form.what,
            is_completed=form.choice != "rejected",
            because=form.because or None,
            answer_sha256=answer,
        )


def _agreed(form: Said) -> bool:
    if form.choice not in {"approved", "declined"}:
        raise Refused("decision_is_one_of_those_offered", "choose one of the decisions")
    return form.choice == "approved"


def _units(text: str) -> int:
    units = read_whole(ungrouped(text))
    if units is None:
        raise Refused("units_are_a_whole_number", "write whole units, at most 18 digits")
    return units


def _digest(text: str) -> bytes:
    try:
        found = bytes.fromhex(text)
    except ValueError:
        found = b""
    if len(text) != _HEX_DIGITS or not found:
        raise Refused("control_change_has_its_paper", "the SHA-256 of the paper has 64 hexadecimal digits")
    return found


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("America/New_York"))
    except ValueError:
        raise Refused("item_says_when_it_came", "write day and time in New York") from None
