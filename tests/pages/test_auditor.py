"""The auditor's pages: any record at any moment, and what events leave out by a look that is on record."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import psycopg
import pytest
from playwright.sync_api import Browser, expect

from bookrunner.api import issue
from bookrunner.db import Endpoint
from tests.pages.conftest import Site
from tests.pages.officers import PERSON
from tests.pages.test_access import visitor
from tests.pages.test_browser import keep
from tests.pages.test_officer import Office, at, axe_is_content, office

__all__ = ["office"]

Connect = Callable[[str], psycopg.Connection]
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


def test_only_auditors_open_it(site: Site, endpoint: Endpoint) -> None:
    with visitor(site, issue(endpoint, "officer.ana", "compliance", actor="usr_admin")) as other:
        assert other.get("/proof").status_code == 403
        assert other.post("/proof/looks", data={"record": PERSON, "purpose": "x"}).status_code == 403
    assert httpx.get(f"{site.url}/proof", follow_redirects=False).status_code in {303, 401}


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_an_auditor_finds_a_version(audited: Office, browser: Browser, axe: str, width: int) -> None:
    office = audited
    with at(office, browser, "auditor.ada", width=width) as page:
        page.goto(f"{office.site.url}/proof?record={PERSON}")
        expect(page.get_by_role("heading", name="Every version")).to_be_visible()
        page.get_by_label("Purpose").fill("examination 7")
        page.get_by_role("button", name="Look, on record").click()
        expect(page.get_by_text("This look is on record.")).to_be_visible()
        keep(page, f"record-{width}")
        page.get_by_role("link", name="Version 1", exact=True).click()
        expect(page.get_by_role("heading", name="Version 1 of")).to_be_visible()
        axe_is_content(page, axe)
