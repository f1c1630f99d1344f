"""What an investor is told of paying, and the word that it has paid."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from bookrunner.core.reference import make_reference, printed
from tests.attack.world import Connect
from tests.pages.test_administrator import Office, at, bring, office, statement
from tests.pages.test_browser import keep
from tests.pages.world import OFFERING

__all__ = ["office"]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


def test_an_investor_is_told_how_to_pay_only_when_asked(office: Office, browser: Browser) -> None:
    with at(office, browser) as page:
        card = page.locator("#pay")
        page.goto(f"{office.site.url}/investments/inv_0005")
        expect(card).to_contain_text("not shown yet")
        expect(card).not_to_contain_text("RF")
        page.goto(f"{office.site.url}/investments/inv_0007")
        expect(card).to_contain_text(printed(make_reference("000000000007")))
        expect(card).to_contain_text("1,000.00 USD")
        expect(card).to_contain_text("I••• 0•••")
        expect(card).to_contain_text("Asked for by")
        expect(card).to_contain_text("wire until 18:45 in New York")
        keep(page, "card")
        bring(page, office, statement())
        expect(page.get_by_role("status")).to_contain_text("3 new receipts")
        page.goto(f"{office.site.url}/investments/inv_0007")
        expect(card).to_contain_text("600.00 USD the rest of 1,000.00 USD")
        page.goto(f"{office.site.url}/investments/inv_0001")
        expect(card).to_contain_text("Nothing is left to pay")


def test_nobody_else_gives_the_investors_word(office: Office, browser: Browser) -> None:
    path = f"{office.site.url}/investments/inv_0007"
    shown = {"fund.flo": "The investor can say here", "ivr_0008": "This is an investment of somebody else."}
    for name, text in shown.items():
        with at(office, browser, name) as page:
            page.goto(path)
            expect(page.locator("main")).to_contain_text(text)
            expect(page.get_by_role("button", name="I have sent it")).to_have_count(0)
            answer = page.request.post(f"{path}/sent", headers={"Origin": office.site.url})
            assert answer.status == 403
            page.reload()
            expect(page.locator("#sent")).to_have_count(0)


def test_the_investors_word_is_a_note_and_moves_nothing(office: Office, browser: Browser) -> None:
    with at(office, browser, "ivr_0007") as page:
        page.goto(f"{office.site.url}/investments/inv_0007")
        totals = page.locator("[aria-labelledby=money-title]").inner_text()
        stages = page.locator(".stages").inner_text()
        page.get_by_role("button", name="I have sent it").click()
        expect(page.locator("#sent")).to_contain_text("only the bank's statement counts")
        expect(page.get_by_role("button", name="I have sent it")).to_have_count(0)
        keep(page, "sent")
        assert page.locator("[aria-labelledby=money-title]").inner_text() == totals
        assert page.locator(".stages").inner_text() == stages


def test_a_failed_payment_is_tried_again_on_the_same_investment(
    office: Office, browser: Browser, connect: Connect
) -> None:
    treasury = connect("treasury")
    for number, code in (("0007", "R01"), ("0008", "R10")):
        treasury.execute(
            "select treasury.fail_payment('usr_admin', %s, %s, %s, 'ach_debit', %s)",
            [f"req_{number}", OFFERING, f"pay_{number}", code],
        )
    with at(office, browser, "ivr_0007") as investor, at(office, browser) as flo:
        page = f"{office.site.url}/investments/inv_0007"
        investor.goto(page)
        card = investor.locator("#pay")
        expect(card).to_contain_text("The account did not hold enough money.")
        expect(card).to_contain_text("2 left, until")
        expect(card).not_to_contain_text("RF")
        expect(investor.get_by_role("button", name="Open another attempt")).to_have_count(0)
        flo.goto(page)
        keep(flo, "failed")
        flo.get_by_role("button", name="Open another attempt").click()
        expect(flo.locator("#pay")).to_contain_text("RF")
        expect(flo).to_have_url(f"{page}#pay")
        flo.goto(f"{office.site.url}/investments/inv_0008")
        expect(flo.locator("#pay")).to_contain_text("Such a payment is never tried again.")
        expect(flo.get_by_role("button", name="Open another attempt")).to_have_count(0)
        flo.set_viewport_size({"width": 390, "height": 844})
        keep(flo, "stopped")
    question = "select attempt_no, status from treasury.payment_attempt where investment_id = %s order by 1"
    found = treasury.execute(question, ["inv_0007"]).fetchall()
    assert found == [(1, "failed"), (2, "initialized")]
