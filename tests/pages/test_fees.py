"""Fees in the console and on the investor's page: two people before publication, nobody after."""

from __future__ import annotations

from playwright.sync_api import Browser, expect

from tests.pages.test_administrator import HOME, Office, at, office
from tests.pages.test_browser import keep

__all__ = ["office"]

DRAFT = "ofr_draft"


def test_two_people_declare_a_fee_of_a_draft(office: Office, browser: Browser) -> None:
    terms = {"issuer_id": "iss_1", "name": "Draft Fund", "exemption": "506(b)", "currency": "USD"}
    numbers = {"unit_price_minor": 1000, "units_total": 10, "minimum_units": 1}
    office.site.world.engine.open_offer(actor="issuer", offering=DRAFT, terms=terms | numbers)
    with at(office, browser) as flo, at(office, browser, "fund.gus", width=390) as gus:
        page = f"{office.site.url}/treasury/{DRAFT}/account"
        flo.goto(page)
        expect(flo.get_by_text("None; what an investor pays is for units")).to_be_visible()
        kinds = ["broker commission", "platform fee", "transaction fee"]
        expect(flo.get_by_label("Kind").locator("option")).to_have_text(kinds)
        flo.get_by_label("Flat amount in USD").fill("12.50")
        flo.get_by_role("button", name="Propose the fee").click()
        expect(flo.locator("[aria-labelledby=fees-title]")).to_contain_text("12.50")
        flo.get_by_role("button", name="Decline").click()
        flo.get_by_label("Borne by").select_option("investor")
        flo.get_by_label("Basis points of the amount").fill("150")
        flo.get_by_role("button", name="Propose the fee").click()
        expect(flo.get_by_role("alert")).to_contain_text("choose the terms that let the investor bear it")
        flo.get_by_label("Basis points of the amount").fill("1.5")
        flo.get_by_role("button", name="Propose the fee").click()
        expect(flo.get_by_role("alert")).to_contain_text("whole basis points")
        flo.get_by_label("Basis points of the amount").fill("150")
        flo.get_by_role("button", name="Propose the fee").click()
        flo.get_by_role("button", name="Declare").click()
        expect(flo.get_by_role("alert")).to_contain_text("another person does")
        gus.goto(page)
        keep(gus, "fees-390")
        assert gus.evaluate("document.documentElement.scrollWidth") <= 390
        gus.get_by_role("button", name="Declare").click()
        expect(gus.locator("[aria-labelledby=fees-title]")).to_contain_text("declared")


def test_investors_are_shown_fees_and_a_published_offer_takes_none(
    office: Office,
    browser: Browser,
) -> None:
    with at(office, browser) as page:
        page.goto(f"{office.site.url}/investments/inv_0007")
        expect(page.locator("#fees")).to_contain_text("No fee is declared for this offer.")
        page.goto(f"{office.site.url}{HOME}/account")
        expect(page.get_by_role("button", name="Propose the fee")).to_have_count(0)
