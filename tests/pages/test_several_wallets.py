"""Several wallets of a holder on its pages: the agent keeps both, the holder moves units between them."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.browsing import looks
from tests.pages.test_agent import Agency, agency, at, visit
from tests.pages.test_browser import keep

__all__ = ["agency"]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


def test_both_wallets_are_kept_and_units_move_between_them(agency: Agency, browser: Browser) -> None:
    with at(agency, browser) as theo:
        visit(theo, agency, "/wallets")
        theo.get_by_role("button", name="Keep both").click()
        expect(theo.get_by_role("status")).to_contain_text("recorded")
        expect(theo.locator("table")).to_contain_text("beside the linked one")
        for _, width in looks(theo):
            keep(theo, f"wallets-joined-{width}")
        theo.get_by_role("button", name="Deliver to this one").click()
        expect(theo.get_by_role("status")).to_contain_text("recorded")
        visit(theo, agency, "/holders")
        expect(theo.locator("table").first).to_contain_text("and 1 more")
        visit(theo, agency, "/holders/hld_one1")
        had = theo.locator("section", has=theo.get_by_role("heading", name="Wallets of this holder: 2"))
        expect(had.get_by_role("row", name="joined")).to_contain_text("1")
        for _, width in looks(theo):
            keep(theo, f"holder-wallets-{width}")
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{agency.site.url}/investments/inv_one1/transfers")
    page.get_by_label("Kind").select_option("own")
    wallets = page.get_by_label("From your wallet").locator("option").all_inner_texts()
    page.get_by_label("From your wallet").select_option(wallets[0])
    page.get_by_label("To the wallet").fill(wallets[1])
    page.get_by_label("Units", exact=True).fill("1")
    page.get_by_role("button", name="Ask for it").click()
    expect(page.get_by_role("status")).to_contain_text("its clock runs")
    expect(page.locator("table.work")).to_contain_text("between own wallets")
    for _, width in looks(page):
        keep(page, f"own-transfer-{width}")
    context.close()


def test_two_people_put_a_custodian_on_record(agency: Agency, browser: Browser) -> None:
    with at(agency, browser, width=1280) as theo, at(agency, browser, "agent.tess", width=390) as tess:
        visit(theo, agency, "/wallets")
        expect(theo.get_by_role("main")).to_contain_text("a wallet of one is refused")
        theo.get_by_label("Name").fill("Example Custody")
        theo.get_by_label("SHA-256 of the agreement").fill("ab" * 32)
        theo.get_by_label("Agreed on").fill("2026-03-01")
        theo.get_by_role("button", name="Propose").click()
        expect(theo.get_by_role("status")).to_contain_text("recorded")
        theo.get_by_role("button", name="Put in force").click()
        expect(theo.get_by_role("alert")).to_contain_text("another does")
        visit(tess, agency, "/wallets")
        tess.get_by_role("button", name="Put in force").click()
        expect(tess.get_by_role("row", name="Example Custody")).to_contain_text("in force")
        keep(tess, "custodian-390")
        visit(theo, agency, "/wallets")
        keep(theo, "custodian-1280")
        theo.get_by_label("Reason").fill("its licence was withdrawn")
        theo.get_by_role("button", name="End the agreement").click()
        expect(theo.get_by_role("row", name="Example Custody")).to_contain_text("its licence was withdrawn")
