"""The manual desk: papers on file, an identity verified from them, kept files opened, without a browser."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import psycopg
import pytest

from bookrunner.api import issue
from bookrunner.db import Endpoint
from tests.pages.conftest import Site
from tests.pages.officers import ENTITY, PERSON, Work, blank_paper
from tests.pages.test_access import visitor
from tests.pages.world import OFFERING

Connect = Callable[[str], psycopg.Connection]
ELEMENTS = ["name", "birth_date", "address", "identification_number"]
CASE = f"/compliance/cases/{PERSON}"


@dataclass
class Office:
    """An officer who has signed in, at a case whose identity is in review."""

    client: httpx.Client
    reader: psycopg.Connection
    identity: str

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query of the test."""
        return self.reader.execute(query.encode()).fetchall()

    def programme(self) -> str:
        """Return the programme that the case file shows."""
        page = self.client.get(CASE).text
        return re.findall(r'name="programme" value="([^"]*)"', page)[0]

    def file(self, content: bytes, code: str = "passport", until: str = "") -> httpx.Response:
        """Put a paper on file."""
        data = {"item": self.identity.rpartition("/")[2], "code": code, "until": until}
        return self.client.post(f"{CASE}/papers", data=data, files={"paper": ("scan.pdf", content)})

    def verify(self, **said: object) -> httpx.Response:
        """Decide on the identity as the page offers it, with what is said in its place."""
        page = self.client.get(self.identity).text
        hidden = {
            name: re.findall(rf'name="{name}" value="([^"]*)"', page)[0]
            for name in ("seen", "programme", "digest")
        }
        form = {"choice": "verified", "reason": "compared with the passport", "elements": ELEMENTS}
        return self.client.post(self.identity, data={**hidden, **form, **said})


@pytest.fixture
def office(site: Site, endpoint: Endpoint, connect: Connect) -> Iterator[Office]:
    Work(site.world.database)
    reader = connect("owner")
    with psycopg.connect(endpoint.dsn("compliance"), autocommit=True) as book:
        ((case, version),) = book.execute(
            "select case_id, version from compliance.kyc_case where investor_id = %s", [PERSON]
        ).fetchall()
        book.execute(
            "select compliance.decide_under('officer.ben', 'req_r', compliance.programme_in_force()),"
            " compliance.review_case('officer.ben', 'req_r', %s, %s, 'a look by a person')",
            [PERSON, version],
        )
    with visitor(site, issue(endpoint, "officer.ana", "compliance", actor="usr_admin")) as client:
        yield Office(client, reader, f"{CASE}/identity/{case}")


def test_an_identity_is_verified_from_a_paper(office: Office) -> None:
    assert office.file(blank_paper(), until="2999-01-01").status_code == 303
    ((document,),) = office.rows("select document_id from compliance.document")
    decided = office.verify(method="documentary", documents=document)
    assert decided.status_code == 303, decided.text
    kept = office.rows(
        "select method, documents, verified_by from compliance.identity_snapshot"
        " order by snapshot_no desc limit 1"
    )
    assert kept == [("documentary", [document], "key:officer.ana")]
    decided = "select decided_by from compliance.decision where item_id like 'kyc_%' order by decision_no"
    assert office.rows(decided) == [("officer.ben",), ("key:officer.ana",)]


def test_the_documentary_method_names_its_papers(office: Office) -> None:
    refused = office.verify(method="documentary")
    assert refused.status_code == 409
    assert "Refused: documentary method names its documents" in refused.text
    refused = office.verify(method="documentary", documents="doc_none")
    assert "Refused: verifying documents are on file" in refused.text
    refused = office.verify(method="by_feeling", sources="a hunch")
    assert "Refused: identity method is known" in refused.text


def test_a_decision_without_its_programme_is_refused(office: Office) -> None:
    refused = office.verify(method="non_documentary", sources="bureau", programme="")
    assert refused.status_code == 412
    assert "Refused: decision is under the programme in force" in refused.text
    mine = "select count(*) from compliance.decision where decided_by = 'key:officer.ana'"
    assert office.rows(mine) == [(0,)]
    assert office.verify(method="non_documentary", sources="bureau").status_code == 303


@pytest.mark.parametrize(
    ("content", "code", "until", "rule"),
    [
        (b"MZ a program", "passport", "", "upload starts and ends as pdf"),
        (b"%PDF-1.7 torn\n%%EOF", "passport", "", "upload is a readable pdf"),
        (b"", "passport", "", "kept file has content"),
        (blank_paper(script=True), "passport", "", "upload has no active content"),
        (blank_paper(), "love_letter", "", "paper says what it is"),
        (blank_paper(), "passport", "2020-01-01", "filed document is in force"),
        (blank_paper(), "passport", "someday", "end is a day"),
    ],
)
def test_a_paper_that_breaks_a_rule_is_not_filed(
    office: Office, content: bytes, code: str, until: str, *, rule: str
) -> None:
    refused = office.file(content, code, until)
    assert refused.status_code == 409
    assert f"Refused: {rule}" in refused.text
    assert office.rows("select count(*) from compliance.document") == [(0,)]


def test_evidence_of_an_accreditation_is_checked_as_an_upload(office: Office, site: Site) -> None:
    Work(site.world.database).accreditation()
    there = f"{CASE}/accreditation/acr_1"
    given = {"data": {"evidence": "licence"}, "files": {"paper": ("licence.exe", b"MZ a program")}}
    refused = office.client.post(f"{there}/evidence", **given)
    assert refused.status_code == 409
    assert "Refused: upload starts and ends as pdf" in refused.text
    given["files"] = {"paper": ("licence.pdf", blank_paper())}
    assert office.client.post(f"{there}/evidence", **given).status_code == 303


def test_a_kept_file_is_opened_for_a_purpose_and_the_view_is_an_event(office: Office) -> None:
    paper = blank_paper()
    office.file(paper)
    page = office.client.get(CASE).text
    (digest,) = re.findall(r'<option value="([0-9a-f]{64})">passport', page)
    refused = office.client.post(f"{CASE}/files", data={"sha256": digest, "purpose": " "})
    assert refused.status_code == 409
    assert "Refused: view says its purpose" in refused.text
    opened = office.client.post(f"{CASE}/files", data={"sha256": digest, "purpose": "to compare the photo"})
    assert opened.content == paper
    assert opened.headers["content-type"] == "application/pdf"
    assert opened.headers["content-disposition"] == f'attachment; filename="{digest[:16]}.pdf"'
    assert opened.headers["cache-control"] == "no-store"
    assert opened.headers["x-content-type-options"] == "nosniff"
    views = office.rows("select viewed_by, purpose from compliance.file_view")
    assert views == [("key:officer.ana", "to compare the photo")]
    assert "file view" in office.client.get(CASE).text


def test_a_file_of_somebody_else_is_not_opened(office: Office) -> None:
    office.file(blank_paper())
    missing = office.client.post(f"{CASE}/files", data={"sha256": "0" * 64, "purpose": "to look"})
    assert missing.status_code == 409
    assert "Refused: viewed file exists" in missing.text
    assert (
        office.client.post(f"{CASE}/files", data={"sha256": "../x", "purpose": "to look"}).status_code == 422
    )


def test_the_purpose_is_stated_on_the_version_seen(office: Office) -> None:
    page = office.client.get(CASE).text
    seen = re.findall(r'name="seen" value="(\d+)"', page)[0]
    form = {
        "offering": OFFERING,
        "seen": seen,
        "purpose": "savings for a pension",
        "programme": office.programme(),
    }
    assert office.client.post(f"{CASE}/purpose", data=form).status_code == 303
    page = office.client.get(CASE).text
    assert "For: savings for a pension" in page
    assert "Records of decisions" in page
    refused = office.client.post(f"{CASE}/purpose", data=form)
    assert refused.status_code == 409
    assert "Refused: decision is on the version seen" in refused.text


def test_an_officer_states_that_a_purchaser_can_judge_the_offer(office: Office) -> None:
    form = {"offering": OFFERING, "basis": "not_capable", "reason": "no answer to any question"}
    form["programme"] = office.programme()
    answers = {"paper": ("answers.pdf", blank_paper())}
    lacks = "select lacks from compliance.clearance where investor_id = 'ivr_0001'"
    assert office.client.post(f"{CASE}/sophistication", data=form, files=answers).status_code == 303
    assert "purchaser_is_sophisticated" in office.rows(lacks)[0][0]
    form |= {"basis": "alone", "reason": "twenty years as a credit analyst"}
    assert office.client.post(f"{CASE}/sophistication", data=form, files=answers).status_code == 303
    assert "purchaser_is_sophisticated" not in office.rows(lacks)[0][0]
    refused = office.client.post(f"{CASE}/sophistication", data=form, files={"paper": ("x", b"MZ")})
    assert "Refused: upload starts and ends as pdf" in refused.text


def test_an_officer_states_who_is_behind_a_nominee(office: Office, site: Site) -> None:
    Work(site.world.database).entity()
    case = f"/compliance/cases/{ENTITY}"
    asked = {"offering": OFFERING, "required": "true", "purpose": "the issuer counts holders"}
    refused = office.client.post(f"{case}/look-through", data=asked)
    assert "Refused: decision is under the programme in force" in refused.text
    asked["programme"] = office.programme()
    assert office.client.post(f"{case}/look-through", data=asked).status_code == 303
    assert "0 unstated" in office.client.get(case).text
    paper = {"item": "kyc_fund", "code": "register_extract"}
    office.client.post(f"{case}/papers", data=paper, files={"paper": ("scan.pdf", blank_paper())})
    ((document,),) = office.rows("select document_id from compliance.document")
    form = {"offering": OFFERING, "document": document, "holders": "cli_ana 15\ncli_ben 5\n"}
    assert office.client.post(f"{case}/holders", data=form).status_code == 303
    assert office.rows("select client_id, units from compliance.holder_behind order by 1") == [
        ("cli_ana", 15),
        ("cli_ben", 5),
    ]
    for written in ("cli_ana many", "cli_ana", "cli_ana 1 2"):
        refused = office.client.post(f"{case}/holders", data=form | {"holders": written})
        assert "Refused: holders are written as client and units" in refused.text


def test_a_category_is_recorded_by_its_paper(office: Office) -> None:
    form = {"category": "mifid_ii:professional", "until": "2999-01-01"}
    paper = {"paper": ("opt-up.pdf", blank_paper())}
    refused = office.client.post(f"{CASE}/category", data=form, files=paper)
    assert "Refused: decision is under the programme in force" in refused.text
    form["programme"] = office.programme()
    assert office.client.post(f"{CASE}/category", data=form, files=paper).status_code == 303
    page = office.client.get(CASE).text
    assert "professional" in page.partition("Category in the European Union")[2].partition("</ul>")[0]
    kept = "select regime, category from compliance.investor_category"
    assert office.rows(kept) == [("mifid_ii", "professional")]
    for wrong in ("mifid_ii:sophisticated", "eu_crowdfunding:retail", "", "mifid_ii"):
        refused = office.client.post(f"{CASE}/category", data=form | {"category": wrong}, files=paper)
        assert "Refused: category is one of those listed" in refused.text
    refused = office.client.post(f"{CASE}/category", data=form, files={"paper": ("x", b"MZ")})
    assert "Refused: upload starts and ends as pdf" in refused.text
    assert office.rows(kept) == [("mifid_ii", "professional")]
