"""The auditor's pages: any record at any moment, looks on record, the access log, bundles for examiners."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO

import httpx
import psycopg
import pytest
from playwright.sync_api import Browser, expect

from bookrunner.api import issue
from bookrunner.db import Endpoint
from tests.browsing import axe_is_content, looks
from tests.pages.conftest import Site
from tests.pages.officers import PERSON
from tests.pages.test_access import visitor
from tests.pages.test_browser import keep
from tests.pages.test_officer import Office, at, office
from tests.patience import PATIENT

__all__ = ["office"]

Connect = Callable[[str], psycopg.Connection]
ANCHORED = b"""
select audit.enter('process', 'req_anchor');
insert into audit.seal (seal_no, first_seq, last_seq, leaf_count, prev_root, root)
select coalesce(max(seal_no), 0) + 1, 1, 1000000, 1, sha256('before'), sha256('root') from audit.seal;
alter table audit.anchoring disable trigger zz_guard;
insert into audit.anchoring (anchoring_id, status, seal_no, chain_id, sender, nonce, hash, raw, max_fee_wei,
    priority_fee_wei, landed_hash, block_number, block_hash, version, chain_head)
select 'anc_1', 'final', max(seal_no), 880330, decode(repeat('01', 20), 'hex'), 0, sha256('sent'), '', 2, 1,
    sha256('sent'), 7, sha256('block'), 1, sha256('head') from audit.seal;
insert into audit.anchor (seal_no, chain_id, transaction_hash)
select seal_no, chain_id, hash from audit.anchoring
"""
NAME = b"select legal_name from portal.profile_detail where investor_id = %s"


@pytest.fixture
def auditor(site: Site, endpoint: Endpoint) -> Iterator[httpx.Client]:
    with visitor(site, issue(endpoint, "auditor.ada", "audit", actor="usr_admin")) as client:
        yield client


@pytest.fixture
def audited(office: Office, endpoint: Endpoint) -> Office:
    office.keys["auditor.ada"] = issue(endpoint, "auditor.ada", "audit", actor="usr_admin")
    return office


def test_a_record_is_shown_at_a_moment_with_every_version(auditor: httpx.Client, connect: Connect) -> None:
    first = (
        connect("owner")
        .execute(
            b"select to_char(recorded_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US') from audit.event"
            b" where subject = 'ofr_pages' and version = 1"
        )
        .fetchone()
    )
    assert first is not None
    now = auditor.get("/proof?record=ofr_pages")
    assert now.status_code == 200
    then = auditor.get(f"/proof?record=ofr_pages&at={first[0]}").text
    assert "Version 1 of" in then
    assert f'value="{first[0]}"' in then, "a moment is asked for again as it was"
    assert "<dt>status</dt><dd>new</dd>" in then
    assert "<dt>status</dt><dd>new</dd>" not in now.text
    assert auditor.get("/proof?record=ofr_none").status_code == 409
    early = auditor.get("/proof?record=ofr_pages&at=2001-01-01T00:00")
    assert (early.status_code, "none yet at that moment" in early.text) == (409, True)


def test_what_events_leave_out_takes_a_purpose_on_record(auditor: httpx.Client, connect: Connect) -> None:
    owner = connect("owner")
    (name,) = owner.execute(NAME, [PERSON]).fetchone() or ("",)
    page = auditor.get(f"/proof?record={PERSON}").text
    assert "Look, on record" in page
    assert name not in page
    blank = auditor.post("/proof/looks", data={"record": PERSON, "purpose": " "})
    assert (blank.status_code, name in blank.text) == (409, False)
    shown = auditor.post("/proof/looks", data={"record": PERSON, "purpose": "examination 7"})
    assert (shown.status_code, name in shown.text) == (200, True)
    for table in ("audit.record_view", "portal.personal_view"):
        rows = owner.execute(f"select viewed_by, purpose from {table}".encode()).fetchall()  # noqa: S608
        assert rows == [("key:auditor.ada", "examination 7")]


def test_a_moment_that_no_calendar_has_is_refused(auditor: httpx.Client) -> None:
    answer = auditor.get("/proof", params={"record": "inv_0003", "at": "2026-02-30T10:00"})
    assert (answer.status_code, "no moment of the calendar" in answer.text) == (422, True), answer.text


def test_only_auditors_open_it(site: Site, endpoint: Endpoint) -> None:
    with visitor(site, issue(endpoint, "officer.ana", "compliance", actor="usr_admin")) as other:
        assert other.get("/proof").status_code == 403
        assert other.post("/proof/looks", data={"record": PERSON, "purpose": "x"}).status_code == 403
    assert httpx.get(f"{site.url}/proof", follow_redirects=False, timeout=PATIENT).status_code in {303, 401}


@pytest.mark.browser
def test_an_auditor_finds_a_version(audited: Office, browser: Browser, axe: str) -> None:
    office = audited
    with at(office, browser, "auditor.ada") as page:
        page.goto(f"{office.site.url}/proof?record={PERSON}")
        expect(page.get_by_role("heading", name="Every version")).to_be_visible()
        page.get_by_label("Purpose").fill("examination 7")
        page.get_by_role("button", name="Look, on record").click()
        expect(page.get_by_text("This look is on record.")).to_be_visible()
        for _, width in looks(page):
            keep(page, f"record-{width}")
        page.get_by_role("link", name="Version 1", exact=True).click()
        expect(page.get_by_role("heading", name="Version 1 of")).to_be_visible()
        for _ in looks(page):
            axe_is_content(page, axe)


def test_a_bundle_is_taken_from_the_page_and_listed(auditor: httpx.Client) -> None:
    said = {"first": "2020-01-01", "last": "2999-01-01", "purpose": "examination 7"}
    taken = auditor.post("/proof/examinations", data=said)
    assert (taken.status_code, taken.headers["content-type"]) == (200, "application/zip")
    with zipfile.ZipFile(BytesIO(taken.content)) as packed:
        manifest = packed.read("manifest.json")
    page = auditor.get("/proof/examinations").text
    assert hashlib.sha256(manifest).hexdigest() in page
    assert "auditor.ada" in page
    for wrong in ({"purpose": " "}, {"last": "2019-01-01"}):
        refused = auditor.post("/proof/examinations", data=said | wrong)
        assert (refused.status_code, 'role="alert"' in refused.text) == (409, True)
    assert auditor.get("/proof/examinations").text.count("examination 7") == 1
    log = auditor.get(f"/proof/access?person={PERSON}").text
    assert "everybody" in log
    assert f"/proof/access?person={PERSON}" in log


def test_only_auditors_take_a_bundle_or_read_the_access_log(site: Site, endpoint: Endpoint) -> None:
    said = {"first": "2020-01-01", "last": "2030-01-01", "purpose": "x"}
    with visitor(site, issue(endpoint, "officer.ana", "compliance", actor="usr_admin")) as other:
        assert other.post("/proof/examinations", data=said).status_code == 403
        assert other.get("/proof/examinations").status_code == 403
        assert other.get("/proof/access").status_code == 403


@pytest.mark.browser
def test_an_auditor_takes_a_bundle_and_reads_the_log(audited: Office, browser: Browser, axe: str) -> None:
    with at(audited, browser, "auditor.ada") as page:
        page.goto(f"{audited.site.url}/proof/examinations")
        page.get_by_label("First day").fill("2026-01-01")
        page.get_by_label("Last day").fill("2026-12-31")
        page.get_by_label("What it is taken for").fill("examination 7")
        with page.expect_download() as sent:
            page.get_by_role("button", name="Take it, on record").click()
        assert sent.value.suggested_filename.startswith("exm_")
        page.reload()
        expect(page.get_by_role("cell", name="SHA-256")).to_be_visible()
        for _, width in looks(page):
            keep(page, f"examinations-{width}")
            axe_is_content(page, axe)
        page.goto(f"{audited.site.url}/proof/access?person={PERSON}")
        expect(page.get_by_role("cell", name="everybody")).to_be_visible()
        for _, width in looks(page):
            keep(page, f"access-{width}")
            axe_is_content(page, axe)


@pytest.mark.browser
def test_an_auditor_sees_which_roots_the_chain_holds(
    audited: Office, browser: Browser, axe: str, connect: Connect
) -> None:
    owner = connect("owner")
    owner.execute(ANCHORED)
    with at(audited, browser, "auditor.ada") as page:
        page.goto(f"{audited.site.url}/proof/anchors")
        expect(page.get_by_text("Daily: whoever holds yesterday's root")).to_be_visible()
        expect(page.get_by_role("cell", name="0x424b524e31")).to_be_visible()
        page.get_by_label("Event").fill("ofr_pages@1")
        page.get_by_role("button", name="Show its anchor").click()
        expect(page.get_by_role("heading", name="What covers ofr_pages@1")).to_be_visible()
        for _, width in looks(page):
            keep(page, f"anchors-{width}")
            axe_is_content(page, axe)
        page.goto(f"{audited.site.url}/proof/anchors?event=nothing")
        expect(page.get_by_role("alert")).to_contain_text("an at sign and the version")


def test_the_anchors_are_the_auditors(site: Site, endpoint: Endpoint) -> None:
    with visitor(site, issue(endpoint, "desk.sam", "subscription", actor="usr_admin")) as client:
        assert client.get("/proof/anchors").status_code == 403


@pytest.mark.browser
def test_an_auditor_takes_a_list_as_it_is_filtered(audited: Office, browser: Browser, axe: str) -> None:
    with at(audited, browser, "auditor.ada") as page:
        page.goto(f"{audited.site.url}/proof/lists")
        page.get_by_label("List").select_option("timeline")
        page.get_by_role("button", name="Show it").click()
        expect(page.get_by_role("alert")).to_contain_text("name the investor")
        page.get_by_label("Person").fill(PERSON)
        page.get_by_role("button", name="Show it").click()
        expect(page.get_by_text("No version of a record is missing.")).to_be_visible()
        for _, width in looks(page):
            keep(page, f"lists-{width}")
            axe_is_content(page, axe)
        with page.expect_download() as sent:
            page.get_by_role("button", name="CSV and XLSX").click()
        assert sent.value.suggested_filename == "timeline.zip"


def test_a_list_is_the_auditors_and_its_filter_is_read(
    auditor: httpx.Client, site: Site, endpoint: Endpoint
) -> None:
    answer = auditor.get("/proof/lists", params={"name": "events", "offer": "ofr_pages", "take": "files"})
    with zipfile.ZipFile(BytesIO(answer.content)) as packed:
        assert sorted(packed.namelist()) == ["events.csv", "events.xlsx", "manifest.json"]
    assert auditor.get("/proof/lists", params={"name": "events", "first": "2026-02-30"}).status_code == 409
    assert auditor.get("/proof/lists", params={"name": "nothing"}).status_code == 404
    with visitor(site, issue(endpoint, "desk.sam", "subscription", actor="usr_admin")) as client:
        assert client.get("/proof/lists?name=events&take=files").status_code == 403
