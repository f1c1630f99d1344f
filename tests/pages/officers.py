"""Work for compliance officers in the small world, brought about through the keepers' own verbs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from io import BytesIO

from pypdf import PdfWriter
from pypdf.generic import DictionaryObject, NameObject, TextStringObject

from bookrunner.adapters.screening import (
    MATCHER_VERSION,
    OPERATING_POINT,
    BirthDate,
    EntryKind,
    ListedName,
    ListEntry,
    ListVersion,
    Match,
    NameStrength,
    SanctionsList,
    Subject,
    open_screener,
)
from bookrunner.books import compliance, portal
from bookrunner.db import Database
from tests.pages.world import OFFERING, digest

ACTOR = "key:intake"
# The person behind most of the work, and the entity whose owners are drawn.
PERSON, ENTITY = "ivr_0001", "ivr_fund"
LISTED = ListEntry(
    "ofac:7487",
    EntryKind.PERSON,
    (
        ListedName("Viktor Anatolyevich SOKOLOV", NameStrength.PRIMARY),
        ListedName("V. Sokol", NameStrength.WEAK),
    ),
    ("RUSSIA-EO14024",),
    (BirthDate(date(1961, 4, 3), date(1961, 4, 3)),),
    ("RU",),
)
RECORD = b"select compliance.record_result(%s, %s, %s, %s, cast(%s as jsonb))"
# (owner, kind, direct share in the entity, controls)
OWNERS = (
    ("ent_holding", "entity", 6000, False),
    ("ent_family", "entity", 2500, False),
    ("own_ana", "person", 1000, True),
    ("own_viktor", "person", 0, False),
    ("own_cleo", "person", 0, False),
)


def blank_paper(*, script: bool = False) -> bytes:
    """Return a PDF of one empty page, with a script in it if asked for."""
    writer = PdfWriter()
    writer.add_blank_page(width=200, height=200)
    if script:
        action = {
            NameObject("/S"): NameObject("/JavaScript"),
            NameObject("/JS"): TextStringObject("app.alert(1)"),
        }
        writer.root_object[NameObject("/OpenAction")] = DictionaryObject(action)
    written = BytesIO()
    writer.write(written)
    return written.getvalue()


class Work:
    """Brings about each kind of an officer's work."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.compliance = compliance.keeper(database)
        self.portal = portal.keeper(database)

    def all(self) -> None:
        """Bring about one of each kind."""
        self.discrepancy()
        self.accreditation()
        self.entity()
        self.hit("own_viktor", "Viktor Sokolov", country="RU")
        self.hit(PERSON, "Victor Sokolov")
        self.change()

    def discrepancy(self, name: str = "dsc_street") -> None:
        with self.database.transaction("compliance") as transaction:
            transaction.execute(
                b"select compliance.open_discrepancy(%s, %s, %s, %s, %s, %s)",
                [ACTOR, f"req_{name}", PERSON, name, "address", "the licence names another street"],
            )

    def accreditation(self) -> None:
        with self.database.transaction("compliance") as transaction:
            transaction.execute(
                b"select compliance.submit_accreditation(%s, 'req_a', %s, 'acr_1')", [ACTOR, PERSON]
            )
            transaction.execute(
                b"select compliance.add_evidence(%s, 'req_b', %s, 'letter', sha256('letter'))",
                [ACTOR, PERSON],
            )

    def entity(self) -> None:
        """Open a nominee, which is of high risk, with owners in two layers."""
        detail = {
            "legal_name": "Harbor Nominees LLC",
            "country": "US",
            "address": "7 Example Pier, Boston",
            "tax_id": "900001234",
            "email": "desk@example.org",
            "representative": "Ana Example",
        }
        self.portal.open_profile(actor=ENTITY, investor=ENTITY, account="acc", kind="nominee", detail=detail)
        desk = self.compliance
        desk.open_case(actor=ACTOR, investor=ENTITY, case="kyc_fund", kind="nominee")
        for owner, kind, share, controls in OWNERS:
            self._run("declare_owner(%s, %s, %s, %s, %s, %s, true, %s)", ENTITY, owner, share, controls, kind)
        for share, owned, owner, part in (
            ("shr_1", "ent_holding", "own_viktor", 5000),
            ("shr_2", "ent_family", "own_viktor", 2000),
            ("shr_3", "ent_holding", "own_cleo", 3333),
        ):
            self._run("declare_share(%s, %s, %s, %s, %s, %s, %s)", ENTITY, share, owned, owner, part)
        with desk.together() as within:
            within.decide_under(actor=ACTOR, programme=within.programme_in_force())
            within.verify_owner(
                actor=ACTOR, investor=ENTITY, owner="own_ana", evidence_sha256=digest("ana"), seen=1
            )
        self._run("record_screening(%s, %s, %s, %s, %s, null)", "own_ana", "scr_ana", "1")
        desk.open_clearance(actor=ACTOR, offering=OFFERING, clearance="clr_fund", investor=ENTITY)

    def hit(self, subject: str, name: str, *, country: str = "") -> None:
        """Screen a subject with the real matcher and record what it found."""
        listed = SanctionsList(
            "us.ofac.sdn", ListVersion("0" * 64, date(2026, 3, 1)), {LISTED.entry_id: LISTED}
        )
        asked = Subject(EntryKind.PERSON, (name,), countries=(country,) if country else ())
        matches = open_screener([listed]).screen(asked, OPERATING_POINT).matches
        result = {
            "source": "us.ofac.sdn",
            "list_version": "1",
            "matcher_version": MATCHER_VERSION,
            "subject_digest": digest(name).hex(),
            "threshold_bp": OPERATING_POINT.person,
            "made_for": "onboarding",
            "candidates": [
                {
                    "entry_id": match.entry_id,
                    "entry_digest": match.entry_digest,
                    "score_bp": match.score,
                    "parts": parts(match),
                }
                for match in matches
            ],
        }
        with self.database.transaction("compliance") as transaction:
            transaction.execute(
                RECORD, [ACTOR, f"req_{subject}", subject, f"scr_{subject}_{name[:3]}", json.dumps(result)]
            )

    def supersede(self) -> None:
        """Put a later version of the list in force, which makes another programme."""
        self._run(
            "import_list(%s, %s, %s, %s, %s, date '2026-04-01', 100000, 'reader.1')",
            "us.ofac.sdn",
            "2",
            digest("list 2"),
        )
        self._run("activate_list(%s, %s, %s, %s, 'published')", "us.ofac.sdn", "2")

    def change(self, investor: str = "ivr_0002") -> None:
        """Ask for another name and birth date of a verified person."""
        detail = {
            "legal_name": "Investor 0002-Hale",
            "country": "US",
            "address": "1 Example Street",
            "tax_id": "900000002",
            "email": "0002@example.org",
        }
        self.portal.request_change(
            actor=investor,
            investor=investor,
            change="chg_name",
            detail=detail,
            because="married",
            evidence_sha256=digest("certificate"),
        )

    def _run(self, call: str, *arguments: object) -> None:
        with self.database.transaction("compliance") as transaction:
            transaction.execute(f"select compliance.{call}".encode(), [ACTOR, "req_1", *arguments])


def parts(match: Match) -> Mapping[str, object]:
    """Return the parts of a score as the screening desk records them."""
    return {
        "asked_name": match.asked_name,
        "listed_name": match.listed_name.text,
        "strength": match.listed_name.strength.value,
        "listed_kind": LISTED.kind.value,
        "programmes": list(LISTED.programmes),
        "words": [asdict(word) for word in match.words],
        "facts": [asdict(part) for part in match.parts],
    }
