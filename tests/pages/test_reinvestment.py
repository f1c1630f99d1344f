"""Reinvestment on the pages: a plan in the agent's console, an election and its units on the holder's own."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from bookrunner.api import issue
from bookrunner.core import clock
from bookrunner.db import Database, Endpoint
from tests.attack.world import Connect
from tests.browsing import axe_is_content
from tests.pages.conftest import Site
from tests.pages.test_agent import Agency, at, visit
from tests.pages.test_browser import keep
from tests.servicing.reinvesting import ONE, THREE, Reinvestor

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

PART = "/reinvestment"
FIRST = clock.today() + timedelta(days=3)
TERMS = {
    "Price of one unit": "30.00",
    "Cut-off": "2",
    "First record date": FIRST.isoformat(),
    "Most units": "1000",
    "Resolution of the issuer": "resolution 9",
    "SHA-256 of its paper": "ab" * 32,
}


@pytest.fixture
def agency(site: Site, endpoint: Endpoint, connect: Connect, database: Database) -> Agency:
    register = Reinvestor(connect, database)
    keys = {
        name: issue(endpoint, name, "registry", actor="usr_admin") for name in ("agent.theo", "agent.tess")
    }
    keys[ONE] = issue(endpoint, ONE, "portal", actor="usr_admin")
    return Agency(site, register, keys)


def _propose(page: Page, agency: Agency, **changed: str) -> None:
    visit(page, agency, PART)
    for label, text in (TERMS | changed).items():
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_role("button", name="Propose").click()


def _wide_enough(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_plan_is_put_in_force_elected_under_and_seen_through(
    agency: Agency, browser: Browser, axe: str
) -> None:
    world = agency.register
    assert isinstance(world, Reinvestor)
    with at(agency, browser, width=1280) as theo, at(agency, browser, "agent.tess", width=390) as tess:
        for changed, says in (
            ({"Most units": "some"}, "whole units"),
            ({"SHA-256 of its paper": "ab"}, "64 hexadecimal digits"),
        ):
            _propose(theo, agency, **changed)
            expect(theo.get_by_role("alert")).to_contain_text(says)
        _propose(theo, agency)
        expect(theo.get_by_role("status")).to_contain_text("recorded")
        theo.get_by_role("button", name="Put it in force").click()
        expect(theo.get_by_role("alert")).to_contain_text("another person decides")
        visit(tess, agency, PART)
        tess.get_by_role("button", name="Put it in force").click()
        expect(tess.get_by_role("status")).to_contain_text("recorded")
        with at(agency, browser, ONE, width=390) as holder:
            holder.goto(f"{agency.site.url}{PART}")
            holder.get_by_label("Percent in units").fill("101")
            holder.get_by_role("button", name="Record").click()
            expect(holder.get_by_role("alert")).to_contain_text("percentage")
            axe_is_content(holder, axe)
            holder.get_by_label("Percent in units").fill("62.5")
            holder.get_by_role("button", name="Record").click()
            expect(holder.get_by_role("definition").filter(has_text="62.50 %")).to_be_visible()
            keep(holder, "own-reinvestment-390")
            visit(theo, agency, PART)
            theo.get_by_label("Holder", exact=True).fill(THREE)
            theo.get_by_label("Percent in units").fill("100")
            theo.get_by_label("SHA-256 of the holder's paper").fill("cd" * 32)
            theo.get_by_role("button", name="Record").click()
            expect(theo.get_by_role("row", name=f"{THREE} 100.00 %")).to_contain_text("recorded by")
            _seen_through(world)
            holder.goto(f"{agency.site.url}{PART}")
            expect(holder.get_by_text("units in your name")).to_be_visible()
            for scheme in ("light", "dark"):
                holder.emulate_media(color_scheme=scheme)
                axe_is_content(holder, axe)
                _wide_enough(holder)
                keep(holder, f"own-reinvestment-issued-390-{scheme}")
            holder.goto(f"{agency.site.url}/holdings")
            expect(holder.get_by_text("reinvested, cost 420.00 USD")).to_be_visible()
            keep(holder, "own-holdings-reinvested-390")
            visit(theo, agency, PART)
            expect(theo.get_by_role("row", name=f"{THREE} 100.00 % 72")).to_contain_text("account is thawed")
        for page, width in ((theo, 1280), (tess, 390)):
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                visit(page, agency, PART)
                keep(page, f"reinvestment-{width}-{scheme}")
                axe_is_content(page, axe)
                _wide_enough(page)
        _ended(theo, tess, agency)


def _seen_through(world: Reinvestor) -> None:
    """Let the cut-off pass, pay a distribution and issue its units, but to one holder that is frozen."""
    world.backdate("registry.reinvestment_plan", "from_on = from_on - 30")
    world.backdate("registry.reinvestment_election", "given_at = given_at - interval '9 days'")
    world.started(6_100_00)
    world.control("freeze_account", investor=THREE)
    assert world.issue() == 1


def _ended(theo: Page, tess: Page, agency: Agency) -> None:
    visit(theo, agency, PART)
    theo.get_by_label("Why it ends").fill("too dear")
    theo.get_by_role("button", name="Ask for its end").click()
    theo.get_by_role("button", name="End it").click()
    expect(theo.get_by_role("alert")).to_contain_text("another person decides")
    for act in ("Let it go on", None):
        visit(tess, agency, PART)
        if act:
            tess.get_by_role("button", name=act).click()
            visit(theo, agency, PART)
            theo.get_by_label("Why it ends").fill("too dear")
            theo.get_by_role("button", name="Ask for its end").click()
        else:
            tess.get_by_role("button", name="End it").click()
            expect(tess.get_by_text("too dear")).to_be_visible()
