"""The desk's page of a raise: terms change, cancellations are decided, a raise ends."""

from __future__ import annotations

from io import BytesIO

import pytest
from playwright.sync_api import Browser, Page, expect
from pypdf import PdfWriter

from bookrunner.api import issue
from bookrunner.db import Endpoint
from tests.attack.world import Connect
from tests.browsing import axe_is_content
from tests.pages.conftest import Site
from tests.pages.test_access import visitor
from tests.pages.test_browser import keep
from tests.pages.test_desk_work import at_desk
from tests.pages.world import OFFERING

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

PATH = f"/desk/{OFFERING}/life"


def keys(endpoint: Endpoint) -> tuple[str, str]:
    """Return the keys of two people of the issuer."""
    one, two = (issue(endpoint, name, "engine", actor="usr_admin") for name in ("issuer.iris", "issuer.ivan"))
    return one, two


def ask(page: Page, field: str, value: str, why: str) -> None:
    """Ask for a change of one field on a paper."""
    page.get_by_label("What changes").select_option(field)
    page.get_by_label("What it becomes").fill(value)
    page.get_by_label("Why, as investors will read it").fill(why)
    writer, written = PdfWriter(), BytesIO()
    writer.add_blank_page(width=200, height=200 + len(why))
    writer.write(written)
    paper = {"name": "resolution.pdf", "mimeType": "application/pdf", "buffer": written.getvalue()}
    page.get_by_label("The document, a PDF").set_input_files([paper])
    page.get_by_role("button", name="Ask for it").click()


def documents(connect: Connect) -> int:
    """Count the archived documents."""
    (count,) = connect("owner").execute("select count(*) from subscription.document").fetchone() or (0,)
    return int(count)


def test_locked_terms_change_by_two_people(
    site: Site, endpoint: Endpoint, browser: Browser, axe: str, *, connect: Connect
) -> None:
    one, two = keys(endpoint)
    with at_desk(browser, site.url, one, PATH) as page:
        expect(page.get_by_role("status")).to_contain_text("Published; ")
        ask(page, "closes_at", "tomorrow", "later")
        expect(page.get_by_role("alert")).to_contain_text("moment is written in full")
        ask(page, "name", "Example Fund II", "The fund was renamed.")
        expect(page.get_by_role("main")).to_contain_text("waits for another person")
        axe_is_content(page, axe)
        archived = documents(connect)
        ask(page, "target_minor", "2,000.00", "A second wish.")
        expect(page.get_by_role("alert")).to_contain_text("one change waits per offer")
        assert documents(connect) == archived
        page.get_by_label("Reason").fill("I agree with myself.")
        page.get_by_role("button", name="Approve").click()
        expect(page.get_by_role("alert")).to_contain_text("change needs two people")
    with at_desk(browser, site.url, two, PATH, width=390) as page:
        keep(page, "desk-life-390")
        page.get_by_label("Reason").fill("The register shows the new name.")
        page.get_by_role("button", name="Approve").click()
        expect(page.get_by_role("main")).to_contain_text("material: investors are asked again")
        expect(page.get_by_role("navigation", name="Trail")).to_contain_text("Example Fund II")
        axe_is_content(page, axe)
        page.set_viewport_size({"width": 1200, "height": 900})
        keep(page, "desk-life")


def test_a_cancellation_is_decided_and_a_raise_ends(
    site: Site, endpoint: Endpoint, browser: Browser, axe: str
) -> None:
    one, _ = keys(endpoint)
    desk = site.world.application.desk
    desk.life.request_cancellation(
        actor="investor", offering=OFFERING, investment="inv_0001", because="I need the money."
    )
    with at_desk(browser, site.url, one, PATH) as page:
        expect(page.get_by_role("heading", name="Asked cancellations: 1")).to_be_visible()
        expect(page.get_by_role("main")).to_contain_text("I need the money.")
        axe_is_content(page, axe)
        page.get_by_label("Reason").fill("The cut-off has passed.")
        page.get_by_role("button", name="Deny").click()
        expect(page.get_by_role("main")).to_contain_text("No investor asks to leave.")
        page.get_by_label("Why", exact=True).fill("The regulator stopped it.")
        page.get_by_label("Type ").fill("another")
        page.get_by_role("button", name="A regulator halted it").click()
        expect(page.get_by_role("alert")).to_contain_text("ended offer is typed")
        page.get_by_label("Why", exact=True).fill("The regulator stopped it.")
        page.get_by_label("Type ").fill(OFFERING)
        page.get_by_role("button", name="A regulator halted it").click()
        expect(page.get_by_role("status")).to_contain_text("Closed unsuccessfully, halted")
        expect(page.get_by_role("button", name="Ask for it")).to_have_count(0)
        axe_is_content(page, axe)


def test_the_page_is_of_the_engine_alone(site: Site, endpoint: Endpoint) -> None:
    with visitor(site, issue(endpoint, "officer.ana", "compliance", actor="usr_admin")) as client:
        assert client.get(PATH).status_code == 404
        assert client.post(PATH, data={"act": "halted"}).status_code == 404
