"""Buy-backs on the pages: opened in the agent's console, answered by holders on their own page."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from bookrunner.api import issue
from bookrunner.core import clock
from bookrunner.db import Endpoint
from tests.attack.world import Connect
from tests.attack.world import World as Register
from tests.browsing import axe_is_content
from tests.pages.conftest import Site
from tests.pages.test_agent import Agency, at, visit
from tests.pages.test_browser import keep

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

PART = "/buybacks"
TERMS = {
    "Price of one unit": "450.00",
    "Most units": "3",
    "Opens, in UTC": "2026-01-01T12:00",
    "Ends, in UTC": f"{clock.now() + timedelta(days=20):%Y-%m-%dT%H:%M}",
    "Resolution of the issuer": "resolution 8",
    "SHA-256 of its paper": "ab" * 32,
}


@pytest.fixture
def agency(site: Site, endpoint: Endpoint, connect: Connect) -> Agency:
    register = Register(connect).build("registered")
    keys = {
        name: issue(endpoint, name, "registry", actor="usr_admin") for name in ("agent.theo", "agent.tess")
    }
    keys["ivr_one3"] = issue(endpoint, "ivr_one3", "portal", actor="usr_admin")
    return Agency(site, register, keys)


def _propose(page: Page, agency: Agency, **changed: str) -> None:
    visit(page, agency, PART)
    for label, text in (TERMS | changed).items():
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_role("button", name="Propose").click()


def _wide_enough(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def _let_go(agency: Agency, theo: Page, tess: Page) -> None:
    """Ask to let the line go, and decide on it once somebody asked while its money was set apart."""
    visit(theo, agency, PART)
    theo.get_by_label("Why it can never be cancelled").fill("a court froze the account")
    theo.get_by_role("button", name="Ask to let it go").click()
    expect(theo.get_by_role("alert")).to_contain_text("nothing is set apart yet")
    admin = agency.register.login("admin")
    admin.execute(b"alter table registry.line_release disable trigger user")
    admin.execute(
        b"insert into registry.line_release (offering_id, release_id, buyback_id, holding_id, status,"
        b" because, hindered_by, proposed_by, version, chain_head) select offering_id, 'lnr_one',"
        b" buyback_id, holding_id, 'proposed', 'a court froze the account', '', 'agent.theo', 1, 'x'"
        b" from registry.redemption_line"
    )
    admin.execute(b"alter table registry.line_release enable trigger user")
    visit(theo, agency, PART)
    keep(theo, "buybacks-released-1280")
    _wide_enough(theo)
    visit(tess, agency, PART)
    released = tess.locator("section", has=tess.get_by_role("heading", name="Lines to let go"))
    released.get_by_label("Why").fill("read the order")
    released.get_by_role("button", name="Let it go").click()
    expect(tess.get_by_role("alert")).to_contain_text("nothing is set apart yet")
    released.get_by_label("Why").fill("read the order")
    released.get_by_role("button", name="Decline").click()
    expect(released).to_contain_text("declined")


def test_a_buy_back_is_opened_answered_and_accepted(agency: Agency, browser: Browser, axe: str) -> None:
    with at(agency, browser, width=1280) as theo, at(agency, browser, "agent.tess", width=390) as tess:
        for changed, says in (
            ({"Most units": ""}, "the most units or the most money"),
            ({"Most units": "some"}, "whole units"),
            ({"Ends, in UTC": "2025-01-01T12:00"}, "ends after it opens"),
            ({"SHA-256 of its paper": "ab"}, "64 hexadecimal digits"),
        ):
            _propose(theo, agency, **changed)
            expect(theo.get_by_role("alert")).to_contain_text(says)
        _propose(theo, agency)
        expect(theo.get_by_role("status")).to_contain_text("recorded")
        theo.get_by_role("button", name="Open it").click()
        expect(theo.get_by_role("alert")).to_contain_text("another person decides")
        visit(tess, agency, PART)
        tess.get_by_role("button", name="Open it").click()
        expect(tess.get_by_role("status")).to_contain_text("recorded")
        with at(agency, browser, "ivr_one3", width=390) as holder:
            holder.goto(f"{agency.site.url}{PART}")
            holder.get_by_label("Units to offer").fill("4")
            holder.get_by_role("button", name="Offer").click()
            expect(holder.get_by_role("alert")).to_contain_text("more units than are free")
            keep(holder, "own-buybacks-390")
            axe_is_content(holder, axe)
            _wide_enough(holder)
            for act in ("Offer", "Take the offer back", "Offer"):
                if act == "Offer":
                    holder.get_by_label("Units to offer").fill("3")
                holder.get_by_role("button", name=act).click()
            expect(holder.get_by_role("definition").filter(has_text="3 units")).to_be_visible()
            keep(holder, "own-buybacks-offered-390")
            visit(theo, agency, PART)
            theo.get_by_role("button", name="Accept pro rata").click()
            expect(theo.get_by_role("alert")).to_contain_text("the window is open still")
            expect(theo.get_by_role("row", name="ivr_one3 3 stands")).to_be_visible()
            admin = agency.register.login("admin")
            admin.execute(b"alter table registry.buyback disable trigger user")
            admin.execute(b"update registry.buyback set closes_at = clock_timestamp()")
            admin.execute(b"alter table registry.buyback enable trigger user")
            theo.get_by_role("button", name="Accept pro rata").click()
            expect(theo.get_by_text("wait until its money is set apart")).to_be_visible()
            holder.goto(f"{agency.site.url}{PART}")
            expect(holder.get_by_text("3 units accepted")).to_be_visible()
            _let_go(agency, theo, tess)
        for page, width in ((theo, 1280), (tess, 390)):
            visit(page, agency, PART)
            keep(page, f"buybacks-{width}")
            axe_is_content(page, axe)
            _wide_enough(page)
