"""The compliance officer of the seeded raise: list, cases, papers, owners, screenings, accreditation."""

from __future__ import annotations

from datetime import timedelta

from bookrunner.adapters.screening.wallets import ListedWallets
from bookrunner.core import clock
from bookrunner.core.ids import new_id
from bookrunner.engine import Desk
from bookrunner.sandbox.people import Person
from bookrunner.sandbox.props import evidence

OFFICER = "officer.olga"
SOURCE = "us.ofac.wallets"


class Checks:
    """The checks of one offering, recorded by one officer against one list."""

    def __init__(self, desk: Desk, offering: str, listed: ListedWallets) -> None:
        self._compliance = desk.compliance
        self._offering = offering
        self._listed = listed
        self._version = str(listed.version)

    def put_list_in_force(self) -> None:
        """Import and activate the list, unless it stands already."""
        where = {"actor": OFFICER, "source": SOURCE, "list_version": self._version}
        fresh = self._compliance.import_list(
            **where,
            sha256=bytes.fromhex(self._listed.version.sha256),
            published_on=self._listed.version.published_on,
            entry_count=len(self._listed),
            parser_version="wallets.1",
        )
        if fresh:
            self._compliance.activate_list(**where, because=None)

    def open(self, person: Person, wallet: bytes) -> None:
        """Open case and clearance of one investor and record every check but its identity."""
        who = {"actor": OFFICER, "investor": person.investor}
        self._compliance.open_case(**who, case=new_id("kyc"), kind=person.kind)
        self._compliance.open_clearance(**who, offering=self._offering, clearance=new_id("clr"))
        if person.kind in {"entity", "trust"}:
            owner = new_id("own")
            self._compliance.declare_owner(
                **who, owner=owner, share_bp=6000, controls=True, is_identified=True
            )
            self.verify_owner(person.investor, owner)
        self._meet_requirements(person.investor)
        self._screen(person.investor)
        self._screen(f"wallet:{wallet.hex()}", wallet)
        self._compliance.record_accreditation(
            **who,
            accreditation=new_id("acr"),
            method="net_worth",
            evidence_sha256=evidence(person.investor),
            valid_until=clock.now() + timedelta(days=90),
        )

    def find_owner(self, investor: str, owner: str) -> None:
        """Let a review find somebody with thirty per cent whom nobody has identified."""
        self._compliance.declare_owner(
            actor=OFFICER, investor=investor, owner=owner, share_bp=3000, controls=False, is_identified=False
        )

    def verify_owner(self, investor: str, owner: str) -> None:
        """Verify and screen an owner."""
        self._compliance.verify_owner(
            actor=OFFICER, investor=investor, owner=owner, evidence_sha256=evidence(owner)
        )
        self._screen(owner)

    def _meet_requirements(self, investor: str) -> None:
        for row in self._compliance.open_requirements(investor=investor):
            for _ in range(row["missing"]):
                if row["what"] == "party":
                    self._add_party(investor, row["code"])
                else:
                    self._file(investor, row["code"])

    def _add_party(self, investor: str, role: str) -> None:
        who = {"actor": OFFICER, "investor": investor, "party": new_id("pty")}
        authority = {"scope": ["sign"], "document_sha256": evidence(f"{investor}/{role}").hex()}
        self._compliance.record_party(**who, role=role, authority=authority)
        self._compliance.verify_party(**who, evidence_sha256=evidence(who["party"]))
        self._screen(who["party"])

    def _file(self, investor: str, code: str) -> None:
        self._compliance.file_document(
            actor=OFFICER,
            investor=investor,
            document=new_id("doc"),
            code=code,
            sha256=evidence(f"{investor}/{code}"),
            issued_on=None,
            valid_until=None,
        )

    def _screen(self, subject: str, wallet: bytes | None = None) -> None:
        hit = self._listed.screen(wallet) if wallet else None
        self._compliance.record_screening(
            actor=OFFICER,
            subject=subject,
            screening=new_id("scr"),
            list_version=self._version,
            matched=hit.matched.address if hit and hit.matched else None,
        )
