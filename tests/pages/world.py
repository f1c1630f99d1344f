"""A small offer whose investors stand at different stages, built through the keepers' own verbs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from bookrunner.app import Application
from bookrunner.audit import advance_feed
from bookrunner.core.reference import make_reference
from bookrunner.db import load
from tests.attack.world import escrow_terms

OFFERING = "ofr_pages"
UNITS = 100
PRICE = 1_000
CHAIN = 31337

# How far each investor has come; the word is the first thing that is missing.
STAGES = ("nothing", "nothing", "wallet", "clearing", "countersignature", "clearance")


def digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8")).digest()


class World:
    """The application that the pages are given, over real books."""

    def __init__(self, application: Application, stages: Sequence[str] = STAGES) -> None:
        self.application = application
        self.database = application.database
        self.stages = stages
        self.balance_minor = 0
        desk = application.desk
        self.portal, self.compliance, self.subscription = desk.portal, desk.compliance, desk.subscription
        self.desk = desk
        self.treasury, self.registry, self.engine = desk.treasury, desk.registry, desk.engine

    def build(self) -> None:
        self._offer()
        self._list()
        for number, lacks in enumerate(self.stages, start=1):
            self._investor(f"{number:04}", lacks)
        self._money()
        self.publish()

    def add(self, number: str) -> None:
        """Add an investor who has signed and has been asked for the money."""
        self._investor(number, "money")
        self.publish()

    def publish(self) -> None:
        """Carry the events of committed transactions into the feed, as the worker does."""
        advance_feed(self.database)

    def _offer(self) -> None:
        terms = {
            "issuer_id": "iss_1",
            "name": "Harbor Light Income Fund",
            "exemption": "506(b)",
            "currency": "USD",
            "unit_price_minor": PRICE,
            "units_total": 100_000,
            "minimum_units": 10,
        }
        self.engine.open_offer(actor="issuer", offering=OFFERING, terms=terms)
        for status in ("legal_review", "legal_accepted"):
            self.engine.move_offer(actor="counsel", offering=OFFERING, status=status)
        self.engine.name_token(
            actor="issuer", offering=OFFERING, chain_id=CHAIN, token=b"\x11" * 20, treasury=b"\x22" * 20
        )
        self.treasury.propose_escrow(
            actor="fund", offering=OFFERING, escrow="esc_1", terms=escrow_terms("GB33BUKB20201555555555")
        )
        self.treasury.decide_escrow(actor="second", offering=OFFERING, escrow="esc_1", is_agreed=True, seen=1)
        self.engine.move_offer(actor="issuer", offering=OFFERING, status="published")

    def _investor(self, number: str, lacks: str) -> None:
        investor, investment = f"ivr_{number}", f"inv_{number}"
        detail = {
            "legal_name": f"Investor {number}",
            "country": "US",
            "address": "1 Example Street",
            "tax_id": f"90000{number}",
            "email": f"{number}@example.org",
        }
        self.portal.open_profile(
            actor=investor, investor=investor, account="acc", kind="individual", detail=detail
        )
        self.engine.open_investment(
            actor=investor, offering=OFFERING, investment=investment, investor=investor, units=UNITS
        )
        if lacks == "clearance":
            return
        self._clear(number)
        self._sign(number, countersigned=lacks != "countersignature")
        if lacks == "countersignature":
            return
        if lacks != "wallet":
            self.link_wallet(number)
        self._instruct(number)

    def _list(self) -> None:
        where = {"actor": "officer", "source": "us.ofac.sdn", "list_version": "1"}
        self.compliance.import_list(
            **where,
            sha256=digest("list"),
            published_on="2026-03-01",
            entry_count=1,
            parser_version="reader.1",
            covers=["names", "wallets"],
        )
        self.compliance.activate_list(**where, because=None)

    def _clear(self, number: str) -> None:
        investor = f"ivr_{number}"
        with self.database.transaction("engine") as transaction:
            profile = load("tests.pages").profile_digest(transaction, investor=investor)
        self.compliance.open_case(actor="officer", investor=investor, case=f"kyc_{number}", kind="individual")
        result = {
            "subject": investor,
            "subject_kind": "person",
            "screening": f"scr_{number}",
            "source": "us.ofac.sdn",
            "list_version": "1",
            "matcher_version": "1",
            "threshold_bp": 8500,
            "candidates": [],
        }
        self.compliance.record_results(actor="officer", results=json.dumps([result]))
        self.compliance.hear_identity(
            discrepancy="dsc_1",
            actor="officer",
            investor=investor,
            outcome="approved",
            evidence_sha256=digest("id"),
            verified_digest=profile,
            valid_until=None,
        )
        with self.compliance.together() as within:
            within.decide_under(actor="officer", programme=within.programme_in_force())
            within.record_sophistication(
                actor="officer",
                offering=OFFERING,
                investor=investor,
                statement={"basis": "alone", "evidence_sha256": digest("questionnaire").hex()},
                because="twenty years as a credit analyst",
            )
        self.compliance.open_clearance(
            actor="officer",
            offering=OFFERING,
            clearance=f"clr_{number}",
            investor=investor,
        )

    def _sign(self, number: str, *, countersigned: bool) -> None:
        desk, investment, agreement = self.subscription, f"inv_{number}", f"agr_{number}"
        document = desk.archive(actor="desk", content=f"agreement {number}".encode(), media_type="text/plain")
        desk.send_agreement(
            actor="desk",
            offering=OFFERING,
            agreement=agreement,
            investment=investment,
            units=UNITS,
            amount_minor=UNITS * PRICE,
            document_sha256=document,
        )
        proof = {
            "capacity": "self",
            "intent": "I sign",
            "signed_sha256": bytes(document).hex(),
            "public_key": "01" * 32,
            "signature": "02" * 64,
        }
        desk.sign(actor=f"ivr_{number}", offering=OFFERING, agreement=agreement, proof=proof)
        self.engine.confirm(actor=f"ivr_{number}", offering=OFFERING, investment=investment)
        if countersigned:
            self.countersign(number, bytes(document))

    def countersign(self, number: str, document: bytes) -> None:
        desk, investment = self.subscription, f"inv_{number}"
        proof = {
            "capacity": "officer",
            "intent": "I countersign",
            "signed_sha256": hashlib.sha256(document + b"\x02" * 64).hexdigest(),
            "public_key": "03" * 32,
            "signature": "04" * 64,
        }
        desk.countersign(actor="issuer", offering=OFFERING, agreement=f"agr_{number}", proof=proof)
        desk.propose_allocation(
            actor="desk", offering=OFFERING, approval=f"alc_{number}", investment=investment, units=UNITS
        )
        desk.approve_allocation(actor="head", offering=OFFERING, approval=f"alc_{number}")
        self.engine.confirm_legally(actor="desk", offering=OFFERING, investment=investment)

    def link_wallet(self, number: str) -> None:
        mapping = f"map_{number}"
        self.registry.open_mapping(
            actor="agent",
            offering=OFFERING,
            mapping=mapping,
            investor=f"ivr_{number}",
            chain_id=CHAIN,
            address=digest(number)[:20],
            claim_fact=f"clm_{number}@1",
            proof_kind="key",
            controller="holder",
            custodian=None,
        )
        self.registry.mark_screened(
            actor="agent", offering=OFFERING, mapping=mapping, screening_fact=f"scr_{number}@1"
        )
        self.registry.approve_wallet(actor="issuer", offering=OFFERING, mapping=mapping)
        self.registry.link_wallet(actor="agent", offering=OFFERING, mapping=mapping, witness=None)

    def _instruct(self, number: str) -> None:
        self.treasury.approve_source(
            actor="fund", investor=f"ivr_{number}", source=f"src_{number}", fingerprint=digest(number)
        )
        self.treasury.release_instructions(
            actor="fund",
            offering=OFFERING,
            attempt=f"pay_{number}",
            investment=f"inv_{number}",
            reference=make_reference(f"00000000{number}"),
            due_minor=UNITS * PRICE,
            currency="USD",
        )

    def _money(self) -> None:
        payers = [
            f"{place:04}"
            for place, lacks in enumerate(self.stages, start=1)
            if lacks in {"nothing", "wallet", "clearing"}
        ]
        lacking = {f"{place:04}" for place, lacks in enumerate(self.stages, start=1) if lacks == "clearing"}
        self._pay(1, payers, cleared=[number for number in payers if number not in lacking])

    def complete(self, number: str) -> None:
        """Bring what an investor lacks whose agreement the issuer has countersigned."""
        self.link_wallet(number)
        self._instruct(number)
        self._pay(2, [number], cleared=[number])

    def _pay(self, sequence: int, payers: Sequence[str], *, cleared: Sequence[str]) -> None:
        """Import a statement on which these investors have paid."""
        entries = [
            {
                "id": f"rcp_{number}",
                "key": f"key-{number}",
                "amount": UNITS * PRICE,
                "currency": "USD",
                "booked_on": "2026-03-02",
                "value_on": "2026-03-02",
                "reference": make_reference(f"00000000{number}"),
                "fingerprint": digest(number).hex(),
                "sender": "a sender",
                "line_sha256": digest(number).hex(),
            }
            for number in payers
        ]
        statement = {
            "id": f"stm_{sequence}",
            "account": "GB33BUKB20201555555555",
            "bank_id": str(sequence),
            "file_sha256": digest(f"file {sequence}").hex(),
            "opening_minor": self.balance_minor,
            "closing_minor": self.balance_minor + len(payers) * UNITS * PRICE,
            "closed_on": "2026-03-02",
            "currency": "USD",
        }
        self.treasury.import_statement(actor="fund", offering=OFFERING, statement=statement, entries=entries)
        self.treasury.match(actor="fund", offering=OFFERING)
        self.balance_minor += len(payers) * UNITS * PRICE
        self.treasury.clear(actor="fund", offering=OFFERING, receipts=[f"rcp_{number}" for number in cleared])
