"""What an administrator may do with a receipt or a release, by which verb, and its rehearsal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Form

from bookrunner.books import treasury
from bookrunner.core.errors import BookrunnerError, Refused
from bookrunner.core.ids import new_id
from bookrunner.core.money import parse, ungrouped
from bookrunner.db import Database, Row, load
from bookrunner.db.keeper import Within
from bookrunner.engine.intake import fingerprint

Choice = tuple[str, str, str]

_MATCH = ("match", "Match to an investment", "It funds that investment once another person has agreed.")
_REFUND = ("refund", "Send back", "It returns to the account that it came from, and to no other.")
_UNDO = (
    "undo",
    "Undo the match",
    "A reversing entry names the first one; nothing is edited. Refused once units are instructed.",
)
_FREE = (
    "undo",
    "Take it back from the distribution",
    "A reversing entry names the first one, and nobody owns it again. Refused once the payment has begun.",
)
_SOURCE = ("accept_source", "Accept the source", "This one receipt goes on, though its account is nobody's.")
_REDEEM = (
    "redeem",
    "Price of redeemed tokens",
    "It is nobody's funding; as many fewer tokens are in escrow.",
)
CHOICES: Mapping[str, Sequence[Choice]] = {
    "unmatched": (_MATCH, _REFUND, _REDEEM),
    "held": (_SOURCE, _REFUND),
    "matched": (_UNDO, _REFUND),
    "cleared": (_UNDO, _REFUND),
    "funding": (_FREE,),
}
DECISIONS: Sequence[Choice] = (
    ("approved", "Agree", "It is done at once."),
    ("declined", "Decline", "Nothing is done; the reason is kept."),
)
_OFFERED = frozenset({"match", "refund", "undo", "accept_source", "redeem"})
_FIRST, _SECOND = "rehearsal:first", "rehearsal:second"
_MOST_PARTS = 50


@dataclass(frozen=True, slots=True)
class Said:
    """What the form of the workbench sent: the version seen, the choice, and what belongs to it."""

    seen: int = 0
    choice: str = ""
    proposal: str = ""
    investment: str = ""
    reason: str = ""


_Line = Annotated[str, Form(max_length=4000)]


def said(
    *,
    seen: Annotated[int, Form(ge=0, le=2**31 - 1)],
    choice: _Line = "",
    proposal: _Line = "",
    investment: _Line = "",
    reason: _Line = "",
) -> Said:
    """Read the form of the workbench."""
    return Said(seen, choice, proposal, investment.strip(), reason)


class _Enough(BookrunnerError):
    """A rehearsal has seen what it asked for; its transaction is undone."""


@dataclass(frozen=True, slots=True)
class Administrator:
    """Who acts on the escrow of one offer; every rule is the database's."""

    database: Database
    offering: str
    actor: str

    def act(self, receipt: str, form: Said) -> None:
        """Propose what was chosen for a receipt, or decide the proposal that waits.

        Refuses ``decision_is_one_of_those_offered`` and whatever the verbs refuse; VersionChanged when the
        record has moved on.
        """
        with treasury.keeper(self.database).together() as within:
            self._act(within, receipt, form, (self.actor, self.actor))

    def rehearse(self, receipt: str, form: Said) -> dict[str, Any]:
        """Carry out what was chosen as two people would, read what it did, and undo all of it.

        Returns the entries it would post and, of each investment it touches, the money and what is missing
        before and after. Refuses as the act itself would.
        """
        queries = load(__package__)
        found: dict[str, Any] = {}
        on = {"offering": self.offering}
        with suppress(_Enough), treasury.keeper(self.database).together() as within:
            chosen = self._concerned(within, receipt, form)
            before = queries.gates(within.transaction, **on, investments=chosen)
            proposal = self._act(within, receipt, form, (_FIRST, _SECOND))
            if proposal and not form.proposal:
                within.decide_act(
                    actor=_SECOND, **on, proposal=proposal, is_approved=True, because="", seen=1
                )
            found["entries"] = queries.posted(within.transaction, **on)
            touched = [row["investment_id"] for row in queries.touched(within.transaction, **on)]
            after = queries.gates(within.transaction, **on, investments=sorted({*chosen, *touched}))
            found["gates"] = _compared(before, after)
            raise _Enough
        return found

    def divide(self, receipt: str, amounts: str, code: str) -> None:
        """Divide a receipt into parts by amounts, one a line; refuses ``parts_sum_to_the_receipt``."""
        minors = [parse(line.strip(), code).minor for line in amounts.splitlines() if line.strip()]
        if len(minors) > _MOST_PARTS:
            raise Refused("parts_are_few", f"at most {_MOST_PARTS} parts at once")
        # Ids are drawn, so that the parts of a part that was combined again are never met twice.
        parts = [{"id": new_id("rcp"), "amount": minor} for minor in minors]
        treasury.keeper(self.database).divide_receipt(
            actor=self.actor, offering=self.offering, receipt=receipt, parts=parts or "[]"
        )

    def combine(self, parts: Sequence[str]) -> str:
        """Make one receipt of parts of one receipt and return its id."""
        whole = new_id("rcp")
        treasury.keeper(self.database).combine_receipts(
            actor=self.actor, offering=self.offering, whole=whole, parts=list(parts)
        )
        return whole

    def payer(self, receipt: str, purpose: str) -> str:
        """Return the name of a payer; the look at it is recorded first."""
        seen: str = treasury.keeper(self.database).view_payer(
            actor=self.actor, offering=self.offering, receipt=receipt, view=new_id("pvw"), purpose=purpose
        )
        return seen

    def order(self, payout: str, purpose: str) -> bytes:
        """Return the bytes of an order to the bank; the look at them is recorded first."""
        content: bytes = treasury.keeper(self.database).view_order(
            actor=self.actor, offering=self.offering, payout=payout, view=new_id("ovw"), purpose=purpose
        )
        return bytes(content)

    def decide_release(self, release: str, form: Said, payee: str, amount: tuple[str, str, str]) -> None:
        """Approve a release, with payee, gross and net (texts, currency) named again, or decline it.

        The net may be left out where nothing is deducted, the reason where the deductions are the fees shown.
        """
        gross, net, code = amount
        agreed = form.choice == "approved"
        if form.choice not in {"approved", "declined"}:
            raise Refused("decision_is_one_of_those_offered", "choose one of the decisions")
        treasury.keeper(self.database).decide_release(
            actor=self.actor,
            offering=self.offering,
            release=release,
            is_approved=agreed,
            payee_fingerprint=_fingerprint(payee) if agreed else b"",
            amount_minor=_minor(gross, code) if agreed else 0,
            net_minor=_minor(net, code) if agreed and net.strip() else None,
            seen=form.seen,
            because=form.reason,
        )

    def _act(self, within: Within, receipt: str, form: Said, actors: tuple[str, str]) -> str:
        proposer, approver = actors
        if form.proposal:
            if form.choice not in {choice for choice, _, _ in DECISIONS}:
                raise Refused("decision_is_one_of_those_offered", "choose one of the decisions")
            within.decide_act(
                actor=approver,
                offering=self.offering,
                proposal=form.proposal,
                is_approved=form.choice == "approved",
                because=form.reason,
                seen=form.seen,
            )
            return form.proposal
        if form.choice == "clear":
            within.clear_receipt(actor=self.actor, offering=self.offering, receipt=receipt, seen=form.seen)
            return ""
        if form.choice not in _OFFERED:
            raise Refused("decision_is_one_of_those_offered", "choose one of the decisions")
        proposal = new_id("prp")
        within.propose_act(
            actor=proposer,
            offering=self.offering,
            proposal=proposal,
            act=form.choice,
            receipt=receipt,
            investment=form.investment if form.choice == "match" else None,
            because=form.reason,
            seen=form.seen,
        )
        return proposal

    def _concerned(self, within: Within, receipt: str, form: Said) -> list[str]:
        """Return the investments that a receipt belongs to, is proposed for, or names by its reference."""
        queries, on = load(__package__), {"offering": self.offering, "receipt": receipt}
        row: Row | None = queries.receipt(within.transaction, **on)
        named = {form.investment} | {
            candidate["investment_id"]
            for candidate in queries.candidates(within.transaction, **on)
            if "reference_is_its_own" in candidate["reasons"]
        }
        if row is not None:
            named |= {row["investment_id"], row["proposed_investment"]}
        return sorted(name for name in named if name)


def _minor(text: str, code: str) -> int:
    return parse(ungrouped(text), code).minor


def _fingerprint(account: str) -> bytes:
    if not account.strip():
        raise Refused("payee_is_named", "write the account that is paid")
    return fingerprint(account)


def _compared(before: Sequence[Row], after: Sequence[Row]) -> list[dict[str, Any]]:
    """Return each investment after the act beside what it was, and which conditions came and went."""
    earlier = {row["investment_id"]: row for row in before}
    compared = []
    for now in after:
        was = earlier.get(now["investment_id"], now)
        lacked, lacks = _conditions(was), _conditions(now)
        compared.append(
            {"was": was, "now": now, "opened": sorted(lacked - lacks), "closed": sorted(lacks - lacked)}
        )
    return compared


def _conditions(investment: Row) -> set[str]:
    return {item["condition"] for item in investment["missing"]}
