"""The sanctions programme file: what an examiner reads, what is overdue, and who answers for it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import httpx
import psycopg
import pytest
from playwright.sync_api import Browser, expect

from bookrunner.api import issue
from bookrunner.db import Endpoint
from tests.browsing import axe_is_content
from tests.pages.conftest import Site
from tests.pages.officers import blank_paper
from tests.pages.test_access import visitor
from tests.pages.test_browser import keep
from tests.pages.test_officer import Office, at, office

__all__ = ["office"]

Connect = Callable[[str], psycopg.Connection]
FILE = "/compliance/programme"
OF_AN_INVESTOR = """
insert into compliance.sealed_file (investor_id, sha256, sealed)
select 'ivr_0001', f.sha256, %s from compliance.sealed_file f
"""
PLANNED = (
    ("policy", "Sanctions policy", "usr_mlro"),
    ("sign_off", "Board approval", "usr_chair"),
    ("test", "Screening test", "usr_audit"),
    ("training", "Yearly course", "usr_hr"),
)


@pytest.fixture
def officer(site: Site, endpoint: Endpoint) -> Iterator[httpx.Client]:
    with visitor(site, issue(endpoint, "officer.ana", "compliance", actor="usr_admin")) as client:
        for kind, title, owner in PLANNED:
            plan(client, kind, title, owner)
        yield client


def plan(client: httpx.Client, kind: str, title: str, owner: str) -> None:
    """Take an item into the file that has long been due."""
    data = {"kind": kind, "title": title, "owner": owner, "due_on": "2026-01-31"}
    assert client.post(FILE, data=data).status_code == 303


def item(client: httpx.Client, title: str) -> tuple[str, str]:
    """Return the id of an item and the version that the page shows."""
    page = client.get(FILE).text
    found = re.search(rf'id="(pit_\w+)"><h3>{title}</h3>.*?name="seen" value="(\d+)"', page, re.DOTALL)
    assert found is not None
    return found[1], found[2]


def record(client: httpx.Client, title: str, **said: object) -> httpx.Response:
    """Record what was done on an item, today if no day is given."""
    name, seen = item(client, title)
    data = {"seen": seen, "done_on": "2026-11-20", "done_by": "usr_someone", "what": "as planned", **said}
    files = {"paper": ("paper.pdf", blank_paper())}
    return client.post(f"{FILE}/{name}/records", data=data, files=files)


def test_what_is_overdue_is_red_with_its_owner(officer: httpx.Client) -> None:
    page = officer.get(FILE).text
    assert '<span class="bad">4 overdue</span>' in page
    for _, _, owner in PLANNED:
        assert f'<strong class="bad">{owner}</strong>' in page
    assert page.count("Nothing is on file.") == 2
    assert record(officer, "Sanctions policy").status_code == 303
    page = officer.get(FILE).text
    assert '<span class="bad">3 overdue</span>' in page
    assert '<strong class="bad">usr_mlro</strong>' not in page


def test_a_policy_that_changes_after_its_sign_off_is_a_finding(
    officer: httpx.Client, site: Site, endpoint: Endpoint
) -> None:
    record(officer, "Sanctions policy", done_by="usr_mlro")
    policy = item(officer, "Sanctions policy")[0]
    own = record(officer, "Board approval", done_by="usr_chair", signs=policy)
    assert own.status_code == 409
    assert "somebody else made and recorded" in own.text
    with visitor(site, issue(endpoint, "officer.ben", "compliance", actor="usr_admin")) as ben:
        assert record(ben, "Board approval", done_by="USR_MLRO ", signs=policy).status_code == 409
        assert record(ben, "Board approval", done_by="usr_chair", signs=policy).status_code == 303
    assert "has changed since it was signed off" not in officer.get(FILE).text
    record(officer, "Sanctions policy", done_by="usr_mlro", what="new lists")
    assert "the policy has changed since it was signed off" in officer.get(FILE).text


def test_a_failed_test_stays_a_finding_until_it_passes(officer: httpx.Client) -> None:
    assert record(officer, "Screening test", outcome="failed").status_code == 303
    assert "the last test failed" in officer.get(FILE).text
    early = record(officer, "Screening test", outcome="passed", done_on="2026-11-19")
    assert (early.status_code, "a later record of the item" in early.text) == (409, True)
    assert "the last test failed" in officer.get(FILE).text
    assert record(officer, "Screening test", outcome="passed").status_code == 303
    assert "the last test failed" not in officer.get(FILE).text


def test_an_examiner_reads_the_file_and_its_papers_and_changes_nothing(
    officer: httpx.Client, site: Site, endpoint: Endpoint, connect: Connect
) -> None:
    record(officer, "Sanctions policy")
    name, seen = item(officer, "Sanctions policy")
    with visitor(site, issue(endpoint, "examiner", "audit", actor="usr_admin")) as examiner:
        page = examiner.get(FILE).text
        assert "Sanctions policy" in page
        assert "Record what was done" not in page
        sha256 = re.findall(r'name="sha256" value="(\w+)"', page)[0]
        paper = examiner.post(f"{FILE}/{name}/papers", data={"sha256": sha256, "purpose": "examination"})
        assert paper.content.startswith(b"%PDF-")
        kept = connect("owner").execute(OF_AN_INVESTOR, [blank_paper()]).rowcount
        foreign = examiner.post(f"{FILE}/ivr_0001/papers", data={"sha256": sha256, "purpose": "curious"})
        assert (kept, foreign.status_code) == (1, 404)
        taken = examiner.post(f"{FILE}/{name}/end", data={"seen": seen, "because": "no need"})
        assert taken.status_code == 403
    with visitor(site, issue(endpoint, "fund.flo", "treasury", actor="usr_admin")) as other:
        assert other.get(FILE).status_code == 403
    viewed = connect("owner").execute(b"select viewed_by, purpose from compliance.file_view").fetchall()
    assert viewed == [("key:examiner", "examination")]


def test_no_paper_is_kept_of_what_is_not_recorded(officer: httpx.Client, connect: Connect) -> None:
    name, seen = item(officer, "Sanctions policy")
    said = {"seen": seen, "done_on": "2999-01-01", "done_by": "usr_someone", "what": "as planned"}
    for about, expected in ((name, 409), ("ivr_0001", 404)):
        files = {"paper": ("paper.pdf", blank_paper())}
        assert officer.post(f"{FILE}/{about}/records", data=said, files=files).status_code == expected
    owner = connect("owner")
    for kept in (b"select from compliance.data_key", b"select from compliance.sealed_file"):
        assert owner.execute(kept).fetchall() == []


def test_an_item_is_handed_over_and_taken_out(officer: httpx.Client) -> None:
    name, seen = item(officer, "Yearly course")
    assert officer.post(f"{FILE}/{name}/owner", data={"seen": seen, "owner": "usr_new"}).status_code == 303
    assert '<strong class="bad">usr_new</strong>' in officer.get(FILE).text
    stale = officer.post(f"{FILE}/{name}/end", data={"seen": seen, "because": "merged"})
    assert stale.status_code == 412
    seen = item(officer, "Yearly course")[1]
    assert officer.post(f"{FILE}/{name}/end", data={"seen": seen, "because": "merged"}).status_code == 303
    assert "Yearly course" not in officer.get(FILE).text


@pytest.mark.browser
@pytest.mark.timeout(240)
def test_the_file_is_read_by_everybody_and_on_a_phone(
    office: Office, endpoint: Endpoint, browser: Browser, axe: str
) -> None:
    with visitor(office.site, issue(endpoint, "officer.eve", "compliance", actor="usr_admin")) as client:
        for kind, title, owner in PLANNED:
            plan(client, kind, title, owner)
        record(client, "Sanctions policy", done_by="usr_mlro")
        record(client, "Screening test", outcome="failed")
    with at(office, browser) as page:
        page.get_by_role("link", name="Sanctions programme").click()
        expect(page.locator("[role=status]")).to_contain_text("2 overdue")
        page.locator("summary").first.click()
        keep(page, "programme")
        axe_is_content(page, axe)
    with at(office, browser, "officer.ben", width=390) as page:
        page.goto(f"{office.site.url}{FILE}")
        keep(page, "programme-390")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
