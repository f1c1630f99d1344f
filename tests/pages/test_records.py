"""Registrations and lost holders as the agent meets them."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.browsing import axe_is_content
from tests.pages.test_agent import Agency, agency, at, visit
from tests.pages.test_browser import keep
from tests.registry.test_registration import renamed

__all__ = ["agency"]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
SHA = "ab" * 32


def test_a_name_and_a_payee_are_changed_by_two_people(agency: Agency, browser: Browser) -> None:
    register = agency.register
    renamed(register, register.id("ivr", 2))
    with at(agency, browser, width=1280) as theo, at(agency, browser, "agent.tess", width=390) as tess:
        visit(theo, agency, "/records")
        form = theo.locator("section", has=theo.get_by_role("heading", name="Propose a change"))
        form.get_by_label("Holding").fill("hld_one2")
        form.get_by_label("Why").fill("married")
        form.get_by_label("SHA-256: name document").fill(SHA)
        form.get_by_label("SHA-256: signature guarantee").fill(SHA)
        form.get_by_role("button", name="Propose").click()
        expect(theo.get_by_role("status")).to_contain_text("recorded")
        theo.get_by_role("button", name="Make the change").click()
        expect(theo.get_by_role("alert")).to_contain_text("another person does")
        visit(tess, agency, "/records")
        tess.get_by_role("button", name="Make the change").click()
        expect(tess.get_by_role("row", name="Another name")).to_contain_text("approved")
        keep(tess, "records-change-390")
        visit(theo, agency, "/holders/hld_one2")
        expect(theo.get_by_role("main")).to_contain_text("version 2")
        visit(theo, agency, "/records")
        form = theo.locator("section", has=theo.get_by_role("heading", name="Propose a payee"))
        form.get_by_label("Holder", exact=True).fill(register.id("ivr", 2))
        form.get_by_label("Payee").fill("ivr_lender")
        form.get_by_label("Why").fill("its lender")
        form.get_by_label("SHA-256 of what the holder signed").fill(SHA)
        form.get_by_role("button").click()
        expect(theo.locator("[aria-labelledby=payees-title]")).to_contain_text("ivr_lender")
        visit(tess, agency, "/records")
        keep(tess, "records-payee-390")
        tess.get_by_role("button", name="Put in force").click()
        expect(tess.get_by_role("alert")).to_contain_text("waits for its screening")
        keep(theo, "records-payee")
        tess.locator("[aria-labelledby=payees-title]").get_by_role("button", name="Decline").click()
        expect(tess.locator("[aria-labelledby=payees-title]")).to_contain_text("receives what it is paid")


def test_a_lost_holder_is_searched_for_with_evidence(agency: Agency, browser: Browser, axe: str) -> None:
    with at(agency, browser, width=1280) as theo, at(agency, browser, "agent.tess", width=390) as tess:
        visit(theo, agency, "/records")
        rule = theo.locator("section", has=theo.get_by_role("heading", name="Propose a rule of a state"))
        rule.get_by_label("State").fill("US-NY")
        rule.get_by_label("Months").fill("36")
        rule.get_by_label("In force from").fill("2020-01-01")
        rule.get_by_label("Source").fill("counsel's letter 4")
        rule.get_by_role("button").click()
        visit(tess, agency, "/records")
        tess.get_by_role("button", name="Put in force").click()
        expect(tess.get_by_role("status")).to_contain_text("recorded")
        visit(theo, agency, "/records")
        mail = theo.locator("section", has=theo.get_by_role("heading", name="Mail came back"))
        mail.get_by_label("Holding").fill("hld_one3")
        mail.get_by_label("State of the address").fill("US-NY")
        mail.get_by_label("Last heard from on").fill("2024-06-01")
        mail.get_by_label("Came back on").fill("2025-01-10")
        mail.get_by_label("SHA-256").fill(SHA)
        mail.get_by_role("button").click()
        lost = theo.locator("section", has=theo.get_by_role("heading", name="Holders whom mail"))
        expect(lost).to_contain_text("send it again by 2025-02-10")
        expect(lost).to_contain_text("2027-06-01")
        lost.get_by_text("It came back again").click()
        lost.get_by_label("Sent again on").fill("2025-02-01")
        lost.get_by_label("Came back on").fill("2025-02-20")
        lost.get_by_label("SHA-256 of the envelope").fill(SHA)
        lost.get_by_role("button", name="Record the loss").click()
        expect(lost).to_contain_text("search 1 of 2")
        expect(lost).to_contain_text("overdue")
        work = theo.locator("section", has=theo.get_by_role("heading", name="Whom mail or money"))
        expect(work.get_by_role("row", name="Make the first search")).to_contain_text("overdue")
        expect(work.get_by_role("row", name="Units fall to the state")).to_contain_text("counsel's letter 4")
        theo.get_by_text("What ships with the program").click()
        expect(theo.get_by_role("row", name="US-DE").first).to_contain_text("not confirmed")
        keep(theo, "records-lost-1280")
        axe_is_content(theo, axe)
        lost.get_by_text("Record the search").first.click()
        lost.get_by_label("Database").fill("Example Locator")
        lost.get_by_label("Searched on").fill("2025-06-01")
        lost.get_by_role("button", name="Record the search").click()
        expect(theo.get_by_role("alert")).to_contain_text("the SHA-256 of its result")
        visit(tess, agency, "/records")
        keep(tess, "records-lost-390")
