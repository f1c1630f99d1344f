"""The seeded raise: offer, investors, facts and gaps, all through the keepers' own verbs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from bookrunner.adapters.identity.webhook import sign as sign_message
from bookrunner.adapters.signing import signed, verify
from bookrunner.app import Application
from bookrunner.core import clock
from bookrunner.core.ids import new_id
from bookrunner.db import Row
from bookrunner.engine.intake import fingerprint
from bookrunner.sandbox.bank import Payment, StatementHead, write_statement
from bookrunner.sandbox.entering import Entering, enter, officer
from bookrunner.sandbox.entering.offers import open_control_book, open_escrow, require_items
from bookrunner.sandbox.entering.papers import ITEMS, Papers
from bookrunner.sandbox.people import Person, ident, people
from bookrunner.sandbox.props import Progress, Wires, as_asked, evidence, signing_key, silent, spread

PRICE_MINOR = 10_000
MINIMUM_UNITS = 10
UNITS_PER_RAISE = 114_000
INVESTORS = 310
ESCROW_ACCOUNT = "021000021-900100200"
ISSUER_PAYEE = fingerprint("021000021-700700700")
Message = tuple[Iterable[tuple[str, str]], bytes]
_ITEMS = (
    ("material", "memorandum", "The offering memorandum, version 1."),
    ("risk", "illiquidity", "Units may not be sold for a long time, or at all."),
    ("risk", "total_loss", "The whole investment may be lost."),
    ("representation", "accredited", "I am an accredited investor."),
    ("representation", "own_account", "I buy for my own account."),
)


class Story:
    """One raise made from a seed on one application; each chapter is played through real verbs."""

    def __init__(
        self, app: Application, *, investors: int = INVESTORS, seed: int = 1, packets: bool = False
    ) -> None:
        self.app = app
        self.desk = app.desk
        self.seed = seed
        self.offering = ident("ofr", seed, f"raise/{investors}")
        self.units = UNITS_PER_RAISE * investors // INVESTORS
        self.people: Sequence[Person] = people(investors, seed, self.units, MINIMUM_UNITS)
        self.wires: dict[str, Wires] = {self.people[1].investment: silent}
        self.statement = b""
        self._secret = hashlib.sha256(f"{seed}/webhook".encode()).digest()
        self._issuer = signing_key(seed, "issuer")
        self._checks = officer(app, self.offering)
        self.papers = Papers(app, self.offering) if packets else None

    def exists(self) -> bool:
        """Say whether this raise was begun on this database before."""
        return self.desk.engine.offer(offering=self.offering) is not None

    def is_told(self) -> bool:
        """Say whether this raise came to its last chapter, the certificate of a closing."""
        return any(row["status"] == "certified" for row in self.desk.engine.closings(offering=self.offering))

    def play(self, artifacts: Callable[[], object], progress: Progress = lambda *_: None) -> None:
        """Play the raise up to the morning of the close, with its four investors in trouble."""
        self.publish(artifacts)
        self.enter(progress)
        self.verify_identities(progress)
        self.sign_and_confirm(progress)
        self.countersign_all(progress)
        self.fund()
        self.link_wallets(progress)
        self.break_four()

    def publish(self, deploy: Callable[[], object]) -> None:
        """Open the offer, have it reviewed, deploy its token, put its packet in force, publish it."""
        engine, offering = self.desk.engine, self.offering
        terms = {
            "issuer_id": ident("iss", self.seed, "issuer"),
            "name": "Harbor Street Credit Fund I",
            "exemption": "506(c)",
            "currency": "USD",
            "unit_price_minor": PRICE_MINOR,
            "units_total": self.units,
            "minimum_units": MINIMUM_UNITS,
            "agreement_form": "packet" if self.papers else "canonical",
        }
        engine.open_offer(actor="issuer.iris", offering=offering, terms=terms)
        for status in ("legal_review", "legal_accepted"):
            engine.move_offer(actor="counsel.carl", offering=offering, status=status)
        open_control_book(self.desk, offering, ident("ctl", self.seed, offering), self.units)
        deploy()
        if self.papers:
            self.papers.prepare()
        require_items(self.desk, offering, ITEMS if self.papers else _ITEMS)
        self.open_escrow()
        engine.move_offer(actor="issuer.iris", offering=offering, status="published")

    def open_escrow(self) -> None:
        """Let two administrators put the account in force to which investors will pay."""
        where = ident("esc", self.seed, self.offering), ESCROW_ACCOUNT
        open_escrow(self.desk.treasury, self.offering, where, "Harbor Street Credit Fund I")

    def enter(self, progress: Progress = lambda *_: None) -> None:
        """Every investor opens a profile, an investment, a wallet and the checks that compliance needs."""
        enter(self.app, Entering(self.offering, self.seed), self.people, progress)

    def verify_identities(self, progress: Progress = lambda *_: None) -> None:
        """Bring in the identity provider's signed messages; those they clear are sent agreements."""
        spread(self.people, "identity", progress, self.identity_messages)
        self.app.answer()

    def identity_messages(self, group: Sequence[Person]) -> list[bool]:
        """Send one signed message for each person about the profile as it stands now."""
        profiles = self.desk.engine.profiles(investors=[person.investor for person in group])
        return self.deliver([self.identity_message(profile) for profile in profiles])

    def deliver(self, messages: Sequence[Message]) -> list[bool]:
        """Hand signed messages of the identity provider to the application; false where one is known."""
        return self.app.receive_identities(messages, {"sandbox-1": self._secret})

    def identity_message(self, profile: Row, suffix: str = "") -> Message:
        """Return a signed message that a profile, as it was read, belongs to who it says."""
        digest = bytes(profile["detail_digest"]).hex()
        message = f"msg_{profile['investor_id'][4:]}_{profile['detail_version']}{suffix}"
        event = {
            "event_id": message,
            "kind": "identity.completed",
            "subject": f"{profile['investor_id']}-{digest}",
            "outcome": "approved",
            "evidence_sha256": hashlib.sha256(message.encode()).hexdigest(),
            "occurred_at": clock.now().isoformat(),
        }
        body = json.dumps(event).encode()
        return sign_message(message, body, now=clock.now(), secrets=[self._secret]), body

    def sign_and_confirm(self, progress: Progress = lambda *_: None) -> None:
        """Every investor acknowledges each item, signs the agreement and submits the review step."""
        items = self.desk.subscription.requirements(offering=self.offering)
        if self.papers:
            papers = self.papers
            spread(self.people, "applications", progress, lambda group: papers.apply(group, items))
            self.app.answer()
        spread(self.people, "signing", progress, lambda group: self.sign_and_submit(group, items))

    def sign_and_submit(self, group: Sequence[Person], items: Sequence[Row]) -> None:
        """Let these acknowledge each item, sign the agreement and submit the review step."""
        if not self.papers:
            with self.desk.subscription.together() as within:
                within.acknowledge.each(self._acknowledgment(person, items) for person in group)
        self.sign(group)
        with self.desk.engine.together() as within:
            within.confirm.each(
                {"actor": p.investor, "offering": self.offering, "investment": p.investment} for p in group
            )

    def _acknowledgment(self, person: Person, items: Sequence[Row]) -> dict[str, object]:
        said = [
            {"id": new_id("ack"), "kind": i["kind"], "code": i["code"], "version": i["item_version"]}
            for i in items
        ]
        return {
            "actor": person.investor,
            "offering": self.offering,
            "investment": person.investment,
            "items": said,
        }

    def sign(self, group: Sequence[Person]) -> None:
        """Sign the agreements in force of these investors, each with the investor's own key."""
        if self.papers:
            self.papers.sign(group)
            return
        investors = {person.investment: person.investor for person in group}
        found = self.desk.engine.agreements_in_force(offering=self.offering, investments=sorted(investors))
        intent = "I agree to be bound by this subscription agreement."
        rows = []
        for row in found:
            investor = investors[row["investment_id"]]
            key = signing_key(self.seed, investor)
            verify(proof := signed(key, bytes(row["document_sha256"]), capacity="investor", intent=intent))
            where = {"offering": self.offering, "agreement": row["agreement_id"]}
            rows.append({"actor": investor, **where, "proof": proof})
        with self.desk.subscription.together() as within:
            within.sign.each(rows)

    def countersign(self, agreements: Sequence[str]) -> None:
        """Countersign agreements as the issuer; refused while the gate of one is closed."""
        if self.papers:
            self.papers.countersign(agreements)
            return
        found = self.desk.subscription.investor_signatures(
            offering=self.offering, agreements=list(agreements)
        )
        rows, intent = [], "The issuer accepts this subscription."
        for row in found:
            digest = hashlib.sha256(bytes(row["document_sha256"]) + bytes(row["signature"])).digest()
            verify(proof := signed(self._issuer, digest, capacity="issuer", intent=intent))
            where = {"offering": self.offering, "agreement": row["agreement_id"]}
            rows.append({"actor": "issuer.iris", **where, "proof": proof})
        with self.desk.subscription.together() as within:
            within.countersign.each(rows)

    def countersign_all(self, progress: Progress = lambda *_: None) -> None:
        """Countersign, have a second person approve the units, let instructions go out."""
        waiting = self.desk.subscription.agreements_in(offering=self.offering, status="investor_signed")
        spread([row["agreement_id"] for row in waiting], "countersigning", progress, self.countersign)
        self.app.answer()
        proposed = self.desk.subscription.proposed_allocations(offering=self.offering)
        spread([row["approval_id"] for row in proposed], "allocation", progress, self._approve)
        self.app.answer()

    def _approve(self, approvals: Sequence[str]) -> None:
        with self.desk.subscription.together() as within:
            within.approve_allocation.each(
                {"actor": "placement.pia", "offering": self.offering, "approval": approval}
                for approval in approvals
            )

    def fund(self) -> None:
        """Import the bank's statement file, in which one wire carries no reference."""
        self.write_statement()
        self.receive_statement()

    def write_statement(self) -> None:
        """Let the bank write down what has come; nobody has read it yet."""
        by_investment = {p.investment: p for p in self.people}
        day = clock.today()
        payments: list[Payment] = []
        for row in self.desk.treasury.attempts(offering=self.offering):
            person = by_investment[row["investment_id"]]
            wire = Payment(
                amount_minor=row["due_minor"],
                reference=row["reference"],
                debtor_name=person.detail["legal_name"],
                debtor_account=person.account,
                value_on=day,
            )
            payments.extend(self.wires.get(person.investment, as_asked)(wire))
        self.statement = write_statement(StatementHead(ESCROW_ACCOUNT, "USD", 1, day), payments)

    def receive_statement(self) -> None:
        """Import what the bank wrote down, and clear what it matches."""
        self.app.import_statement(self.offering, self.statement, actor="fundadmin.fay")
        self.app.answer()
        self.desk.treasury.clear(actor="fundadmin.fay", offering=self.offering, receipts=None)

    def link_wallets(self, progress: Progress = lambda *_: None) -> None:
        """Approve each screened wallet as the issuer and link it as the transfer agent."""
        self.app.answer()
        waiting = self.desk.registry.claimed_mappings(offering=self.offering)
        spread([row["mapping_id"] for row in waiting], "wallets", progress, self._link)

    def _link(self, mappings: Sequence[str]) -> None:
        where = [{"offering": self.offering, "mapping": mapping} for mapping in mappings]
        with self.desk.registry.together() as within:
            within.approve_wallet.each({"actor": "issuer.iris", **each} for each in where)
            within.link_wallet.each({"actor": "agent.theo", "witness": None, **each} for each in where)

    def break_four(self) -> None:
        """Correct two packets after funding, then let a review find three unidentified owners."""
        first, named = self.people[0], self.people[4]
        self._execute_again(first, "the ownership schedule was corrected")
        detail = named.detail | {"legal_name": f"{named.detail['legal_name']} Jr"}
        self.change(named, detail, "the name on the passport has a suffix")
        self.app.answer()
        self.identity_messages([named])
        self.app.answer()
        if self.papers:
            self.papers.state([replace(named, detail=detail)], ["tax_form"])
            self.papers.answer(named, "The form is stated in the new name.")
            self.papers.submit([named])
            self.app.answer()
        self.sign([named])
        self._checks.find_owners(self._late_owners())
        self.app.answer()

    def _late_owners(self) -> Sequence[tuple[str, str]]:
        return [(p.investor, ident("own", self.seed, p.investor)) for p in self.people[:3]]

    def change(self, person: Person, detail: dict[str, str], because: str) -> None:
        """Change what was verified of an investor, who asks for it, with an officer who agrees."""
        change = {"investor": person.investor, "change": ident("chg", self.seed, person.investor)}
        self.desk.portal.request_change(
            actor=person.investor, **change, detail=detail, because=because, evidence_sha256=evidence(because)
        )
        self.desk.portal.decide_change(
            actor="officer.omar",
            **change,
            is_approved=True,
            because="the passport was seen",
            seen=1,
            programme=self.desk.compliance.programme_in_force(),
        )

    def _execute_again(self, person: Person, because: str) -> None:
        (found,) = self.desk.engine.agreements_in_force(
            offering=self.offering, investments=[person.investment]
        )
        self.desk.subscription.void_agreement(
            actor="desk.sam", offering=self.offering, agreement=found["agreement_id"], because=because
        )
        self.app.open_agreement(self.offering, person.investment)
        self.sign([person])

    def repair(self) -> None:
        """Repair the four: owners verified, agreements countersigned, cases decided, the wire matched."""
        self._checks.verify_owners(self._late_owners())
        self.app.answer()
        waiting = self.desk.subscription.agreements_in(offering=self.offering, status="investor_signed")
        self.countersign([row["agreement_id"] for row in waiting])
        self._include_left_out()
        paid_from = fingerprint(self.people[1].account)
        (receipt,) = [
            row
            for row in self.desk.treasury.unmatched(offering=self.offering)
            if row["source_fingerprint"] == paid_from
        ]
        proposal = {"offering": self.offering, "proposal": new_id("prp")}
        self.desk.treasury.propose_act(
            actor="fundadmin.fay",
            **proposal,
            act="match",
            receipt=receipt["receipt_id"],
            investment=self.people[1].investment,
            because="the wire came from the investor's own account",
            seen=receipt["version"],
        )
        self.desk.treasury.decide_act(
            actor="fundadmin.finn", **proposal, is_approved=True, because="", seen=1
        )
        self.desk.treasury.clear(actor="fundadmin.fay", offering=self.offering, receipts=None)
        self.app.answer()

    def _include_left_out(self) -> None:
        """Decide that those whom a set left out for want of a countersignature go into the next one."""
        for case in self.desk.engine.closing_cases(offering=self.offering):
            if case["status"] == "open":
                self.desk.engine.decide_case(
                    actor="issuer.iris",
                    offering=self.offering,
                    case=case["case_id"],
                    status="to_be_included",
                    because="countersigned after the set was frozen",
                    evidence_sha256=None,
                    seen=case["version"],
                )

    def release(self, closing: str) -> int:
        """Two fund administrators release the escrow of an issued closing; return its minor units."""
        release = new_id("rel")
        amount: int = self.desk.treasury.propose_release(
            actor="fundadmin.fay",
            offering=self.offering,
            release=release,
            closing=closing,
            payee_fingerprint=ISSUER_PAYEE,
        )
        self.desk.treasury.approve_release(
            actor="fundadmin.finn",
            offering=self.offering,
            release=release,
            payee_fingerprint=ISSUER_PAYEE,
            amount_minor=amount,
        )
        self.app.answer()
        return amount
