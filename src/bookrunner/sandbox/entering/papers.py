"""The papers of an offer that takes packets: what investors state, sign, and what the desk does with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bookrunner.adapters.documents import engine_version, load_template
from bookrunner.app import Application
from bookrunner.books.subscription import SigningEvidence
from bookrunner.core.ids import new_id
from bookrunner.db import Row
from bookrunner.sandbox.people import Person, name_of

INTENT = "I agree to be bound by this subscription agreement and its schedules."
ITEMS = (
    ("material", "memorandum", "The offering memorandum, version 1."),
    ("risk", "illiquidity", "Units may not be sold for a long time, or at all."),
    ("risk", "total_loss", "The whole investment may be lost."),
    ("representation", "accredited_investor", "I am an accredited investor."),
    ("representation", "own_account", "I buy for my own account."),
    ("representation", "restricted_securities", "I know that the units are restricted."),
    ("representation", "information_received", "I received the materials and could ask questions."),
    ("representation", "tax_identity", "My tax information is true and complete."),
)
TEMPLATE = "subscription_packet/1.1.0"
EVIDENCE = SigningEvidence("passkey", "192.0.2.7", "Example Browser 1.0", "ses_example")
# Whoever signs in or calls with a key has the name of the key.
OFFICERS = {
    "issuer.iris": "Iris Example",
    "issuer.ivan": "Ivan Example",
    "key:issuer.ivan": "Ivan Example",
}
REVIEWER = "desk.rosa"
_CAPACITIES = {
    True: ("Joint tenant", "In person", "joint owner"),
    False: ("Authorised signer", "Consent of 2026-01-10", "control person"),
}


class Papers:
    """Plays investors, desk and issuer of one offer, each through the verbs of packets."""

    def __init__(self, app: Application, offering: str) -> None:
        self._app = app
        self._packets = app.desk.packets
        self._offering = offering

    def prepare(self) -> None:
        """Approve the template, name it for the offer, and record who may countersign."""
        name, _, version = TEMPLATE.partition("/")
        template = bytes.fromhex(load_template(name, version).sha256)
        if self._packets.template(template=TEMPLATE) is None:
            self._packets.draft_template(
                actor="counsel.cora", template=TEMPLATE, sha256=template, engine=engine_version()
            )
            self._packets.approve_template(actor="counsel.carl", template=TEMPLATE, sha256=template)
        issuer = {
            "name": "Harbor Street GP LLC",
            "jurisdiction": "the State of Delaware",
            "security": "Class A limited partnership units",
            "contact": "records@harbor.example",
            "paper_fee": "nothing",
        }
        self._packets.name_packet_form(
            actor="counsel.carl", offering=self._offering, template=TEMPLATE, issuer=issuer
        )
        resolution = self._app.desk.subscription.archive(
            actor="desk.sam", content=b"Resolution on signatories", media_type="text/plain"
        )
        for officer, name in OFFICERS.items():
            said = {"name": name, "capacity": "Manager", "authority": "Resolution of 2026-01-15"}
            self._packets.authorise_signatory(
                actor="counsel.carl",
                offering=self._offering,
                signatory=officer,
                said=said,
                authority_sha256=resolution,
            )

    def apply(self, group: Sequence[Person], items: Sequence[Row]) -> None:
        """Let investors consent, acknowledge each item, state their particulars and ask for agreements."""
        self.consent(group)
        with self._app.desk.subscription.together() as within:
            within.acknowledge.each(
                {"actor": p.investor, **self._where(p), "items": [_said(item)]}
                for p in group
                for item in items
            )
        self.state(group, ["tax_form"])
        self.state([p for p in group if p.kind != "individual"], ["authority", "ownership"])
        self.submit(group)

    def consent(self, group: Sequence[Person]) -> None:
        """Let investors take a sample record, enter its code and consent to electronic records."""
        for person in group:
            consents, where = self._app.consents, (self._offering, person.investment)
            sample = consents.issue(*where, actor=person.investor)
            consents.confirm(*where, sample, code=consents.code(sample), actor=person.investor)
            consents.give(*where, sample, actor=person.investor)

    def state(self, group: Sequence[Person], kinds: Sequence[str]) -> None:
        """Let investors state particulars of these kinds."""
        with self._packets.together() as within:
            within.state_particular.each(
                {
                    "actor": p.investor,
                    **self._where(p),
                    "particular": new_id("prt"),
                    "kind": kind,
                    "detail": detail(p, kind),
                }
                for p in group
                for kind in kinds
            )

    def submit(self, group: Sequence[Person]) -> None:
        """Let investors ask for their agreements."""
        with self._packets.together() as within:
            within.submit_application.each(
                {"actor": p.investor, **self._where(p), "application": new_id("app")} for p in group
            )

    def sign(self, group: Sequence[Person], *, fields: Sequence[str] | None = None) -> None:
        """Let investors sign the packets that were sent to them, each signer or those of some fields."""
        investors = {person.investment: person.investor for person in group}
        found = self._app.desk.engine.agreements_in_force(
            offering=self._offering, investments=sorted(investors)
        )
        for row in found:
            actor = investors[row["investment_id"]]
            signing = self._app.signing
            for field in fields or signing.awaited(self._offering, row["agreement_id"]):
                signing.sign(
                    self._offering,
                    row["agreement_id"],
                    actor=actor,
                    intent=INTENT,
                    evidence=EVIDENCE,
                    field=field,
                )

    def release(self, agreements: Sequence[str]) -> None:
        """Let the reviewer find packets in good order."""
        seen = {
            agreement: self._packets.packet(offering=self._offering, agreement=agreement)["signed_sha256"]
            for agreement in agreements
        }
        with self._packets.together() as within:
            within.release_packet.each(
                {
                    "actor": REVIEWER,
                    "offering": self._offering,
                    "review": new_id("rvw"),
                    "agreement": agreement,
                    "seen_sha256": digest,
                }
                for agreement, digest in seen.items()
            )

    def give_back(self, agreement: str, *, page: int, field: str, words: str) -> None:
        """Let the reviewer return a packet with one deficiency."""
        row = self._packets.packet(offering=self._offering, agreement=agreement)
        fault = {"id": new_id("dfc"), "page": page, "field": field, "reason": "inconsistent", "words": words}
        self._packets.return_packet(
            actor=REVIEWER,
            offering=self._offering,
            review=new_id("rvw"),
            agreement=agreement,
            seen_sha256=row["signed_sha256"],
            deficiencies=[fault],
        )

    def answer(self, person: Person, words: str) -> None:
        """Let an investor answer every open deficiency of its packets."""
        with self._packets.together() as within:
            for row in within.open_deficiencies(**self._where(person)):
                within.answer_deficiency(
                    actor=person.investor,
                    **self._where(person),
                    deficiency=row["deficiency_id"],
                    answer=words,
                )

    def withdraw_consent(self, person: Person) -> None:
        """Let an investor withdraw its consent to electronic records."""
        self._app.consents.withdraw(self._offering, person.investment, actor=person.investor)

    def revoke(self, officer: str) -> None:
        """End an officer's authority to countersign."""
        self._packets.revoke_signatory(actor="counsel.carl", offering=self._offering, signatory=officer)

    def countersign(self, agreements: Sequence[str]) -> None:
        """Let the reviewer release packets and an officer countersign them."""
        self.release(agreements)
        for agreement in agreements:
            self._app.signing.countersign(self._offering, agreement, officer="issuer.iris", evidence=EVIDENCE)

    def _where(self, person: Person) -> dict[str, object]:
        return {"offering": self._offering, "investment": person.investment}


def detail(person: Person, kind: str) -> dict[str, Any]:
    """Return what a person states as its particular of this kind."""
    name = person.detail["legal_name"]
    if kind == "tax_form":
        number = "SSN" if person.kind == "individual" else "EIN"
        return {
            "form": "W-9",
            "name": name,
            "classification": person.kind.capitalize(),
            "number_kind": number,
            "number_ends": person.detail["tax_id"][-4:],
            "backup_withholding": False,
            "fatca_code": "",
        }
    signers, (capacity, authority, relation) = signing_for(person), _CAPACITIES[person.kind == "joint"]
    if kind == "authority":
        said = [{"name": each, "capacity": capacity, "authority": authority} for each in signers]
        return {"signers": said, "required": len(said)}
    return {"owners": [{"name": each, "relation": relation, "basis_points": 0} for each in signers]}


def signing_for(person: Person) -> list[str]:
    """Return who signs for an investor: both owners of a joint one, else the representative or itself."""
    name = person.detail["legal_name"]
    if person.kind == "joint":
        return [name, f"{name_of(person.investor)} Second"]
    return [person.detail.get("representative", name)]


def _said(item: Row) -> dict[str, object]:
    return {
        "id": new_id("ack"),
        "kind": item["kind"],
        "code": item["code"],
        "version": item["item_version"],
    }
