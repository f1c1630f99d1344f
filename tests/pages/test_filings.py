"""Filings at the pages: staff fills and records, an issuer reads its own, a holder sees what was missed."""

from __future__ import annotations

from io import BytesIO

import httpx
import pytest
from playwright.sync_api import Browser, expect
from pypdf import PdfWriter

from bookrunner.api import issue
from bookrunner.db import Database, Endpoint
from tests.allocation.book import Book
from tests.attack.test_issuers import PROFILE
from tests.attack.world import Connect, World
from tests.browsing import axe_is_content, fits, looks
from tests.pages.conftest import Site
from tests.pages.test_access import visitor
from tests.pages.test_browser import keep
from tests.pages.world import OFFERING
from tests.patience import PATIENT
from tests.servicing.books import clocks, filing, fill, look, prepare

pytestmark = pytest.mark.timeout(300)


def paper() -> bytes:
    """Return a PDF of one empty page."""
    written = BytesIO()
    writer = PdfWriter()
    writer.add_blank_page(200, 200)
    writer.write(written)
    return written.getvalue()


@pytest.fixture
def owing(site: Site, connect: Connect, database: Database) -> Book:
    """Return an offer beside that of the pages, registered, with its first filings opened."""
    book = Book(connect)
    book.build("registered")
    site.world.desk.life.name_issuer(actor="usr_operator", issuer="iss_one", profile=PROFILE, logo=None)
    look(database)
    return book


def test_staff_fills_prepares_and_records(site: Site, owing: Book, endpoint: Endpoint) -> None:
    name = filing(owing, "form_d")[0]
    base = f"/offers/{owing.offering}/filings"
    with visitor(site, issue(endpoint, "operator.otto", "engine", actor="usr_admin")) as otto:
        assert name in otto.get(base).text
        early = otto.post(f"{base}/{name}", data={"act": "prepare", "seen": "1"})
        assert early.status_code == 409
        assert "prepared pack is filled" in early.text
        said = {"act": "fill", "item": "jurisdiction", "value": "Delaware", "source": "charter"}
        assert otto.post(f"{base}/{name}", data=said).status_code == 303
        assert "Delaware" in otto.get(f"{base}/{name}").text
        fill(owing, "form_d")
        ready = otto.post(f"{base}/{name}", data={"act": "prepare", "seen": "1"})
        assert ready.status_code == 303, ready.text[ready.text.find("Refused:") :][:300]
        seen = {"act": "record", "seen": "2", "on": str(owing.ask("select engine.filing_day(now())")[0][0])}
        without = otto.post(f"{base}/{name}", data=seen | {"reference": "0001"})
        assert "filing has its proof" in without.text
        proof = {"paper": ("accepted.pdf", paper(), "application/pdf")}
        done = otto.post(f"{base}/{name}", data=seen | {"reference": "0001234567-26-000001"}, files=proof)
        assert done.status_code == 303
        assert clocks(owing)["form_d"] == "filed"
        assert otto.get(f"{base}/{name}/pack.csv").headers["content-type"].startswith("text/csv")
        told = otto.get(f"{base}/{name}/pack.json").json()
        assert (told["status"], told["reference"], told["unfilled"]) == (
            "filed",
            "0001234567-26-000001",
            [],
        )
        stated = {"fact": "state_sale", "place": "us-ca", "on": "2026-03-30", "because": "the first buyer"}
        assert otto.post(base, data=stated).status_code == 409
        assert otto.post(base, data=stated, files=proof).status_code == 303
        assert "US-CA" in otto.get(base).text
        assert otto.post(base, data=stated | {"fact": "a wish"}, files=proof).status_code == 409
        assert otto.get(f"{base}/fil_none").status_code == 404
        assert otto.get(f"/offers/{OFFERING}/filings/{name}").status_code == 404


@pytest.mark.browser
def test_a_prepared_pack_says_that_facts_have_changed_and_is_opened_again(
    site: Site, owing: Book, endpoint: Endpoint, *, browser: Browser, axe: str
) -> None:
    fill(owing, "form_d")
    prepare(owing, "form_d")
    path = f"/offers/{owing.offering}/filings/{filing(owing, 'form_d')[0]}"
    key = issue(endpoint, "operator.otto", "engine", actor="usr_admin")
    page = browser.new_page()
    page.goto(f"{site.url}/sign-in")
    page.get_by_label("Your key").fill(key)
    page.get_by_role("button", name="Sign in").click()
    page.goto(site.url + path)
    expect(page.locator("main")).not_to_contain_text("Facts have changed")
    profile = {**PROFILE, "name": "Renamed Partners"}
    site.world.desk.life.name_issuer(actor="usr_operator", issuer="iss_one", profile=profile, logo=None)
    page.reload()
    expect(page.locator("main")).to_contain_text("Facts have changed since the pack was prepared")
    for _, width in looks(page):
        keep(page, f"filings-changed-{width}")
        axe_is_content(page, axe)
        fits(page)
    page.get_by_text("Open the pack again").click()
    page.get_by_label("Why").first.fill("the issuer has another name")
    page.get_by_role("button", name="Open it again").click()
    expect(page.get_by_role("heading", name="Prepare")).to_be_visible()
    assert filing(owing, "form_d")[2] == "due"


def test_an_issuer_reads_its_own_filings_alone(site: Site, owing: Book, endpoint: Endpoint) -> None:
    other = World(owing._connect, "other")
    other.terms = {"issuer_id": "iss_other", "name": "Elsewhere Fund"}
    other.build("confirmed")
    owing.call("engine.open_filings", None, actor="process")
    site.world.desk.life.name_issuer(actor="usr_operator", issuer="iss_other", profile=PROFILE, logo=None)
    name = filing(owing, "form_d")[0]
    ((foreign,),) = owing.ask(
        "select filing_id from engine.filing where offering_id = 'ofr_other' and clock = 'form_d'"
    )
    with visitor(site, issue(endpoint, "staff.ivan", "issuer", actor="usr_admin", issuer="iss_one")) as ivan:
        listed = ivan.get("/issuer/filings").text
        assert name in listed
        assert foreign not in listed
        assert "Form D" in ivan.get(f"/issuer/filings/{name}").text
        assert ivan.get(f"/issuer/filings/{name}/pack.json").json()["form"] == "D"
        for path in (f"/issuer/filings/{foreign}", f"/issuer/filings/{foreign}/pack.csv"):
            assert ivan.get(path).status_code == 404
        assert (
            ivan.post(f"/offers/{owing.offering}/filings/{name}", data={"act": "prepare"}).status_code == 404
        )
    with httpx.Client(base_url=site.url, timeout=PATIENT) as nobody:
        assert nobody.get("/issuer/filings").status_code == 303


def test_raw_sql_of_an_issuer_reaches_its_own_filings_alone(owing: Book) -> None:
    login = owing.login("issuer")
    name = filing(owing, "form_d")[0]
    assert login.execute("select count(*) from issuer.filing").fetchall() == [(0,)]
    assert login.execute("select count(*) from issuer.filing_pack(%s)", [name]).fetchall() == [(0,)]


@pytest.mark.browser
def test_the_pages_of_filings_are_readable(
    site: Site, owing: Book, endpoint: Endpoint, *, browser: Browser, axe: str
) -> None:
    owing.backdate("engine.filing", "due_on = due_on - 60 where clock = 'form_d'")
    name = filing(owing, "form_d")[0]
    base = f"/offers/{owing.offering}/filings"
    keys = {
        "otto": issue(endpoint, "operator.otto", "engine", actor="usr_admin"),
        "ivan": issue(endpoint, "staff.ivan", "issuer", actor="usr_admin", issuer="iss_one"),
        "holder": issue(endpoint, owing.id("ivr", 1), "portal", actor="usr_admin"),
    }
    readers = {
        "otto": (base, f"{base}/{name}"),
        "ivan": ("/issuer/filings", f"/issuer/filings/{name}"),
        "holder": ("/holdings",),
    }
    for who, paths in readers.items():
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"{site.url}/sign-in")
        page.get_by_label("Your key").fill(keys[who])
        page.get_by_role("button", name="Sign in").click()
        for place, path in enumerate(paths):
            page.goto(site.url + path)
            expect(page.locator("main")).to_contain_text("missed")
            for _, width in looks(page):
                keep(page, f"filings-{who}-{place}-{width}")
                axe_is_content(page, axe)
                fits(page)
        context.close()
