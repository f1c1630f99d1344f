"""Another currency on the pages: rates imported, a currency let in, chosen, and the difference shown."""

from __future__ import annotations

from datetime import date

import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect

from bookrunner.api import issue
from bookrunner.core.reference import make_reference
from bookrunner.db import Endpoint, load
from bookrunner.engine.intake import fingerprint
from tests.browsing import axe_is_content
from tests.pages.test_administrator import DAY, DUE, HOME, OWN, Office, at, bring, office, paid, statement
from tests.pages.test_browser import keep
from tests.pages.world import OFFERING
from tests.treasury.test_rates import YESTERDAY, ecb_file

__all__ = ["office"]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


def take(page: Page, office: Office, day: date, rate: str) -> None:
    """Import the rates of a day."""
    page.goto(f"{office.site.url}/treasury/rates")
    file: FilePayload = {"name": "rates.xml", "mimeType": "text/xml", "buffer": ecb_file(day, rate)}
    page.get_by_label("File of rates").set_input_files(file)
    page.get_by_role("button", name="Import").click()


def fits(page: Page, name: str, axe: str) -> None:
    """Check and keep a page at both widths; nothing of it sticks out sideways."""
    axe_is_content(page, axe)
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        keep(page, f"{name}-{width}")


def test_rates_are_imported_and_a_currency_is_let_in(office: Office, browser: Browser, axe: str) -> None:
    with at(office, browser) as flo, at(office, browser, "fund.gus") as gus:
        take(flo, office, YESTERDAY, "1.0811")
        expect(flo.get_by_role("status")).to_contain_text("2 rates new")
        expect(flo.get_by_role("row", name="USD")).to_contain_text("1 EUR = 1.0811")
        take(flo, office, YESTERDAY, "1.0811")
        expect(flo.get_by_role("alert")).to_contain_text("imported before")
        take(flo, office, YESTERDAY, "1.09")
        expect(flo.get_by_role("alert")).to_contain_text("another rate for a day that is known")
        take(flo, office, YESTERDAY, "x")
        expect(flo.get_by_role("alert")).to_be_visible()
        fits(flo, "rates", axe)
        flo.goto(f"{office.site.url}{HOME}/account")
        card = flo.locator("[aria-labelledby=currencies-title]")
        expect(card).to_contain_text("None; investors pay in USD.")
        flo.get_by_label("Currency", exact=True).fill("usd")
        flo.get_by_role("button", name="Propose the currency").click()
        expect(flo.get_by_role("alert")).to_contain_text("the offer's own currency")
        flo.get_by_label("Currency", exact=True).fill("eur")
        flo.get_by_role("button", name="Propose the currency").click()
        card.get_by_role("button", name="Accept").click()
        expect(flo.get_by_role("alert")).to_contain_text("another person does")
        gus.goto(f"{office.site.url}{HOME}/account")
        gus.get_by_role("button", name="Accept").click()
        expect(gus.locator("[aria-labelledby=currencies-title]")).to_contain_text("accepted")
        fits(gus, "currencies", axe)
        gus.get_by_role("button", name="End").click()
        expect(gus.locator("[aria-labelledby=currencies-title]")).to_contain_text("ended")


def let_in(first: Page, second: Page, office: Office) -> None:
    """Let investors pay in EUR, as two people."""
    first.goto(f"{office.site.url}{HOME}/account")
    first.get_by_label("Currency", exact=True).fill("EUR")
    first.get_by_role("button", name="Propose the currency").click()
    second.goto(f"{office.site.url}{HOME}/account")
    second.get_by_role("button", name="Accept").click()


def commit(office: Office) -> None:
    """Take the investor from its choice to its payment instructions."""
    world = office.site.world
    world._clear("0009")
    world._sign("0009", countersigned=True)
    world.link_wallet("0009")
    world._instruct("0009")
    world.treasury.approve_source(
        actor="fund", investor="ivr_0009", source="src_own", fingerprint=fingerprint(OWN + "0009")
    )
    world.publish()


def receipt_of(office: Office) -> str:
    """Return the one receipt of the investor, as its page is told of it."""
    with office.site.world.database.transaction("treasury") as transaction:
        (paid_in,) = load("bookrunner.pages").kept_rates(
            transaction, offering=OFFERING, investment="inv_0009"
        )[1:]
    return str(paid_in["receipt_id"])


def test_the_difference_is_shown_to_investor_and_administrator(
    office: Office, endpoint: Endpoint, browser: Browser, axe: str
) -> None:
    world = office.site.world
    world._investor("0009", "clearance")
    office.keys["ivr_0009"] = issue(endpoint, "ivr_0009", "portal", actor="usr_admin")
    address = f"{office.site.url}/investments/inv_0009"
    with at(office, browser) as flo, at(office, browser, "fund.gus") as gus:
        take(flo, office, YESTERDAY, "1.25")
        let_in(flo, gus, office)
    with at(office, browser) as page:
        page.goto(address)
        expect(page.locator("#currency")).to_contain_text("your bank exchanges it")
        expect(page.get_by_role("button", name="Keep it")).to_have_count(0)
        answer = page.request.post(
            f"{address}/currency", form={"currency": "EUR"}, headers={"Origin": office.site.url}
        )
        assert answer.status == 403
    with at(office, browser, "ivr_0009") as page:
        page.goto(address)
        page.get_by_label("I will pay in").select_option("EUR")
        page.get_by_role("button", name="Keep it").click()
        expect(page.locator("#currency")).to_contain_text("You said that you will pay in EUR.")
        fits(page, "currency-chosen", axe)
        commit(office)
        late = page.request.post(
            f"{address}/currency", form={"currency": "USD"}, headers={"Origin": office.site.url}
        )
        assert late.status == 409
        page.goto(address)
        commitment = page.get_by_role("row", name="Commitment")
        expect(commitment).to_contain_text("800.00 EUR")
        expect(commitment).to_contain_text("1 EUR = 1.25 USD")
    with at(office, browser) as flo:
        money = [paid(DUE, "Investor Nine", OWN + "0009", make_reference("000000000009"))]
        bring(flo, office, statement(money))
        flo.goto(address)
        payment = flo.get_by_role("row", name="Payment")
        expect(payment).to_contain_text("no rate within 96 hours of it")
        fits(flo, "currency-unrated", axe)
        receipt = f"{office.site.url}{HOME}/receipts/{receipt_of(office)}"
        flo.goto(receipt)
        expect(flo.get_by_role("main")).to_contain_text("no rate within 96 hours of it")
        fits(flo, "currency-receipt-unrated", axe)
        take(flo, office, DAY, "1.0")
        assert world.treasury.match(actor="fund", offering=OFFERING) == 0
        flo.goto(address)
        expect(payment).to_contain_text("1,000.00 EUR")
        expect(payment).to_contain_text("200.00 EUR")
        expect(flo.locator("#currency")).to_contain_text("European Central Bank")
        fits(flo, "currency-paid", axe)
        flo.goto(receipt)
        expect(flo.get_by_role("main")).to_contain_text("a difference of 200.00 EUR")
        fits(flo, "currency-receipt", axe)
