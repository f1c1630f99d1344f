"""What an investor was told, until when it may cancel, and how it cancels."""

from __future__ import annotations

import httpx
import pytest
from playwright.sync_api import Browser, expect

from bookrunner.pages import web
from tests.attack.world import Connect
from tests.browsing import axe_is_content
from tests.pages.test_administrator import Office, at, office
from tests.pages.test_browser import keep
from tests.patience import PATIENT
from tests.serving import serving

__all__ = ["office"]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


def make_crowdfunding(connect: Connect, hours: int) -> None:
    """Make every offer one of Regulation Crowdfunding that closes in some hours."""
    admin = connect("admin")
    for table, change in (
        ("engine.offer", "exemption = 'reg_cf'"),
        ("engine.terms", "closes_at = now() + interval '{0} h', pays_by = now() + interval '{0} h'"),
    ):
        admin.execute(f"alter table {table} disable trigger user".encode())
        admin.execute(f"update {table} set {change.format(hours)}".encode())  # noqa: S608
        admin.execute(f"alter table {table} enable trigger user".encode())


def test_an_investor_cancels_by_right_and_is_told(
    office: Office, browser: Browser, connect: Connect, axe: str
) -> None:
    make_crowdfunding(connect, 72)
    path = f"{office.site.url}/investments/inv_0007"
    with at(office, browser, "fund.flo") as page:
        page.goto(path)
        expect(page.locator("#cancel")).to_contain_text("The investor can cancel here.")
        answer = page.request.post(f"{path}/cancel", headers={"Origin": office.site.url})
        assert answer.status == 403
    with at(office, browser, "ivr_0007") as page:
        page.goto(path)
        right = page.locator("#cancel")
        expect(right).to_contain_text("You may cancel for any reason until")
        expect(right).to_contain_text("us.regcf.cancel_until")
        expect(page.locator("#notices")).to_contain_text("Nothing has been told to you")
        keep(page, "right-1200")
        axe_is_content(page, axe)
        page.get_by_role("button", name="Cancel my investment").click()
        expect(page.get_by_role("status").first).to_contain_text("This investment was cancelled")
        expect(page.locator("#cancel")).to_have_count(0)
        expect(page.locator("#pay")).to_contain_text("Do not pay")
        expect(page.locator("#pay")).not_to_contain_text("RF")
        office.site.world.application.answer()
        page.reload()
        expect(page.locator("#notices")).to_contain_text("Your investment is cancelled.")
        expect(page.locator("#notices")).to_contain_text("17 CFR 227.304")
        keep(page, "cancelled-1200")
        page.get_by_role("link", name="mailbox").click()
        expect(page.get_by_role("heading", name="There is a notice for you")).to_have_count(1)
        expect(page.locator("main")).to_contain_text("This mail does not repeat it.")
        expect(page.locator("main")).to_contain_text("not sent")
        expect(page.locator("main")).not_to_contain_text("@")
        axe_is_content(page, axe)
        keep(page, "mailbox-1200")
    with serving(web(office.site.world.application)) as elsewhere:
        answer = httpx.get(f"{elsewhere}/mailbox", timeout=PATIENT)
        assert (answer.status_code, answer.headers["location"][:8]) == (303, "/sign-in")
    with at(office, browser, "ivr_0008") as page:
        page.goto(f"{office.site.url}/mailbox")
        expect(page.locator("main")).to_contain_text("Nothing has been told")
    with at(office, browser, "ivr_0007", width=390) as page:
        page.goto(path)
        expect(page.locator("#notices")).to_contain_text("not sent yet")
        keep(page, "cancelled-390")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_after_the_cut_off_nothing_is_offered_and_the_book_refuses(
    office: Office, browser: Browser, connect: Connect
) -> None:
    make_crowdfunding(connect, 47)
    path = f"{office.site.url}/investments/inv_0007"
    with at(office, browser, "ivr_0007", width=390) as page:
        page.goto(path)
        expect(page.locator("#cancel")).to_contain_text("You could cancel for any reason until")
        expect(page.get_by_role("button", name="Cancel my investment")).to_have_count(0)
        keep(page, "cut-off-390")
        answer = page.request.post(f"{path}/cancel", headers={"Origin": office.site.url})
        assert answer.status == 409
        assert "cancellation is before its cut off" in answer.text().lower()


def test_without_a_right_the_investor_asks(office: Office, browser: Browser) -> None:
    with at(office, browser, "ivr_0007") as page:
        page.goto(f"{office.site.url}/investments/inv_0007")
        expect(page.locator("#cancel")).to_contain_text("gives no right to cancel")
        page.get_by_label("Reason").fill("I changed my mind")
        keep(page, "ask-1200")
        page.get_by_role("button", name="Ask to cancel").click()
        expect(page.locator("#cancel")).to_contain_text("Another person decides")
        expect(page.get_by_role("button", name="Ask to cancel")).to_have_count(0)
        keep(page, "asked-1200")
