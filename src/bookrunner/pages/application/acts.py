"""What an investor does on the pages of its application.

Every rule of the packet is the book's. The pages have rules of their own for what only they see: ticks, the
order of steps and items, one signer a session, and that a document was opened here before it is received. A
platform that shows the documents itself answers for that to its own investors.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import parse_qs, urlsplit

from fastapi import Request

from bookrunner.books import subscription
from bookrunner.books.subscription import Archive, Consents, SigningEvidence, Stored
from bookrunner.core.errors import NotFound, Refused
from bookrunner.core.ids import new_id
from bookrunner.db import Database, Keeper
from bookrunner.pages.access import signed_in, token_of
from bookrunner.pages.application import said, steps
from bookrunner.pages.shell.language import later

if TYPE_CHECKING:
    from bookrunner.books.subscription import PacketDesk

# What a signer agrees to is recorded in the language of the agreement; the reader's stands beside it.
INTENT: Final = later("I agree to be bound by this subscription agreement and its schedules.")
FILES: Final = ("document", "signed", "executed", "certificate")
_YES: Final = "yes"
_READING: Final = timedelta(minutes=5)
Form = Mapping[str, str]


class Papers(Protocol):
    """What the pages of an application ask of the application."""

    @property
    def database(self) -> Database:
        """The keepers' logins."""
        ...

    @property
    def consents(self) -> Consents:
        """What asks for consent to electronic records."""
        ...

    @property
    def signing(self) -> PacketDesk:
        """What carries packets from the investor's signature to the executed file."""
        ...


@dataclass(frozen=True, slots=True)
class Applicant:
    """An investor at work on one investment: who it is, how it is known, and what its books say now."""

    papers: Papers
    found: Mapping[str, Any]
    actor: str
    evidence: SigningEvidence

    def act(self, step: str, form: Form) -> None:
        """Do what the form of a step asks for.

        Refuses ``steps_come_in_their_order`` and whatever the books refuse.
        """
        first_open = steps.open_step(self.found)
        acts: dict[str, Callable[[], None]] = {
            "profile": self._begin,
            "consent": partial(self._consent, form),
            "documents": partial(self._item, form),
            **{kind: partial(self._state, kind, form) for kind in steps.STATED},
            "review": partial(self._review, form),
            "sign": partial(self._sign, form),
            "file": self._confirm,
        }
        is_asked = step in acts and step in steps.order(self.found)
        if not is_asked or not steps.may_show(step, first_open):
            raise Refused("steps_come_in_their_order", f"{steps.TITLES[first_open]} is open")
        acts[step]()

    def document(self, sha256: str) -> Stored:
        """Return the document of an item, and record that the investor opened it."""
        if sha256 not in {item["sha256"] for item in self.found["items"]}:
            raise NotFound("there is no such document here")
        return self._delivered(sha256)

    def file(self, name: str) -> Stored:
        """Return a file of the agreement in force; refused without consent to electronic records."""
        digest = self.found["papers"][name] if name in FILES else None
        if digest is None:
            raise NotFound(f"there is no {name} file")
        return self._delivered(digest)

    def sample(self) -> bytes:
        """Return the sample that waits for its code, as PDF."""
        consents = self.papers.consents
        waiting = consents.waiting(*self._place)
        if waiting is None:
            raise NotFound("no sample waits for its code")
        return consents.open(*self._place, waiting)

    @property
    def statement(self) -> str:
        """The statement on electronic records that waits for its code, or an empty text."""
        consents = self.papers.consents
        waiting = consents.waiting(*self._place)
        return "" if waiting is None else consents.statement(*self._place, waiting)

    @property
    def _place(self) -> tuple[str, str]:
        return self.found["investment"]["offering_id"], self.found["investment"]["investment_id"]

    @property
    def _where(self) -> dict[str, object]:
        return {"actor": self.actor, "offering": self._place[0], "investment": self._place[1]}

    def _begin(self) -> None:
        if not self.found["papers"]["samples"]:
            self.papers.consents.issue(*self._place, actor=self.actor)

    def _consent(self, form: Form) -> None:
        consents, choice = self.papers.consents, form.get("choice", "")
        if choice == "sample":
            consents.issue(*self._place, actor=self.actor)
            return
        if choice == "withdraw":
            consents.withdraw(*self._place, actor=self.actor)
            return
        _ticked(form, "consent_is_ticked_by_the_investor")
        waiting = consents.waiting(*self._place)
        if waiting is None:
            raise Refused("sample_waits_for_its_code", "ask for a new sample")
        consents.confirm(*self._place, waiting, code=form.get("code", ""), actor=self.actor)
        consents.give(*self._place, waiting, actor=self.actor)

    def _item(self, form: Form) -> None:
        item = steps.current_item(self.found)
        asked = (form.get("kind"), form.get("code"), form.get("version"))
        if item is None or asked != (item["kind"], item["code"], str(item["item_version"])):
            raise Refused("items_come_one_by_one", "look at the item that is asked for now")
        _ticked(form, "item_is_ticked_by_the_investor")
        if item["kind"] == "material" and not item["is_opened"]:
            raise Refused("material_is_opened_before_it_is_received", "open the document first")
        made = {
            "id": new_id("ack"),
            "kind": item["kind"],
            "code": item["code"],
            "version": item["item_version"],
        }
        subscription.keeper(self.papers.database).acknowledge(**self._where, items=[made])

    def _state(self, kind: str, form: Form) -> None:
        detail = said.particular(kind, form, self.found["profile"]["legal_name"])
        self._packets.state_particular(**self._where, particular=new_id("prt"), kind=kind, detail=detail)

    def _review(self, form: Form) -> None:
        if form.get("deficiency"):
            self._packets.answer_deficiency(
                **self._where, deficiency=form["deficiency"], answer=form.get("answer", "")
            )
            return
        self._packets.submit_application(**self._where, application=new_id("app"))

    def _sign(self, form: Form) -> None:
        _ticked(form, "intent_is_ticked_by_the_signer")
        agreement = self.found["papers"]["agreement_id"]
        if agreement is None:
            raise Refused("signing_waits_for_clearance", "the agreement is not open for signature yet")
        if self.found["papers"]["signed_by"]:
            # The session shows one person; the evidence of another signature would be untrue.
            raise Refused("each_signer_is_known_by_itself", "the other signers sign under their own names")
        offering = self._place[0]
        self.papers.signing.sign(
            offering,
            agreement,
            actor=self.actor,
            intent=INTENT,
            evidence=self.evidence,
            field=form.get("party") or None,
        )
        if not self.papers.signing.awaited(offering, agreement):
            self._confirm()

    def _confirm(self) -> None:
        if self.found["investment"]["status"] == "new":
            Keeper(self.papers.database, "engine", "bookrunner.engine").confirm(**self._where)

    @property
    def _packets(self) -> Keeper:
        return subscription.packets_of(self.papers.database)

    def _delivered(self, sha256: str) -> Stored:
        """Deliver a document through a link of its own, so that the book has on record who opened it."""
        archive, reader = Archive(self._packets), str(self.found["investment"]["investor_id"])
        link = archive.link(bytes.fromhex(sha256), reader, ttl=_READING, actor=self.actor)
        asked = parse_qs(urlsplit(link).query)
        return archive.follow(sha256, reader=reader, until=int(asked["until"][0]), token=asked["token"][0])


def known(request: Request, method: str) -> SigningEvidence:
    """Return how the person at the page is known; the session by the digest of its token."""
    visitor, token = signed_in(request), (token_of(request) or "")
    session = f"session:{hashlib.sha256(token.encode()).hexdigest()[:16]}" if visitor else "none"
    address = "not recorded" if request.client is None else request.client.host
    agent = request.headers.get("user-agent", "not recorded")
    opened_at = None if visitor is None else visitor.opened_at
    return SigningEvidence(method, address, agent, session, opened_at, is_of_one=True)


def _ticked(form: Form, rule: str) -> None:
    if form.get("agree") != _YES:
        raise Refused(rule, later("nothing is ticked for you"))
