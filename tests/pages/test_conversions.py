"""Conversions in the agent's console: inputs confirmed, the working shown, agreed by another person."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from bookrunner.api import issue
from bookrunner.db import Endpoint
from tests.attack.world import Connect
from tests.attack.world import World as Register
from tests.browsing import axe_is_content
from tests.pages.conftest import Site
from tests.pages.test_agent import Agency, at, visit
from tests.pages.test_browser import keep

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

PART = "/conversions"
TERMS = {
    "Takes effect, in UTC": "2026-01-01T12:00",
    "Resolution of the issuer": "resolution 7",
    "SHA-256 of its paper": "ab" * 32,
}
INPUTS = {
    "Principal of one old unit": "500.00",
    "Price of the round": "12.50",
    "Discount, in parts of a million": "200,000",
    "Valuation cap": "5,000,000.00",
    "Fully diluted capitalisation, in units": "700,000",
}


@pytest.fixture
def agency(site: Site, endpoint: Endpoint, connect: Connect) -> Agency:
    Register(connect, "two").build("published")
    register = Register(connect).build("registered")
    keys = {
        name: issue(endpoint, name, "registry", actor="usr_admin") for name in ("agent.theo", "agent.tess")
    }
    return Agency(site, register, keys)


def _propose(page: Page, agency: Agency, formula: str, **changed: str) -> None:
    visit(page, agency, PART)
    for label, text in (TERMS | changed).items():
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_label("Formula").select_option(formula)
    page.get_by_label("Fractions of a unit").select_option("cash")
    page.get_by_role("button", name="Propose").click()


def _confirm(page: Page, name: str, value: str) -> None:
    page.get_by_label("Input", exact=True).select_option(label=name)
    page.get_by_label("Value", exact=True).fill(value)
    page.get_by_label("Paper where it stands").fill("note agreement")
    page.get_by_label("SHA-256 of that paper").fill("cd" * 32)
    page.get_by_role("button", name="Confirm").click()


def test_a_conversion_is_confirmed_input_by_input_and_agreed_by_another(
    agency: Agency, browser: Browser, axe: str
) -> None:
    with at(agency, browser, width=1280) as theo, at(agency, browser, "agent.tess", width=390) as tess:
        for formula, changed, says in (
            ("", {}, "choose a formula"),
            ("lower_price", {"SHA-256 of its paper": "ab"}, "64 hexadecimal digits"),
        ):
            _propose(theo, agency, formula, **changed)
            expect(theo.get_by_role("alert")).to_contain_text(says)
        _propose(theo, agency, "lower_price")
        expect(theo.get_by_role("status")).to_contain_text("recorded")
        expect(theo.get_by_text("No price yet: an input is missing")).to_be_visible()
        keep(theo, "conversions-open-1280")
        visit(tess, agency, PART)
        tess.get_by_role("button", name="Agree").click()
        expect(tess.get_by_role("alert")).to_contain_text(
            "nobody has confirmed: Principal of one old unit; Price"
        )
        _confirm(theo, "Discount, in parts of a million", "much")
        expect(theo.get_by_role("alert")).to_contain_text("write a whole number")
        _confirm(theo, "Discount, in parts of a million", "1,000,000")
        expect(theo.get_by_role("alert")).to_contain_text("cannot be so much")
        for name, value in INPUTS.items():
            _confirm(theo, name, value)
            expect(theo.get_by_role("status")).to_contain_text("recorded")
        expect(theo.get_by_text("7.14285714 USD a new unit, by the cap")).to_be_visible()
        expect(theo.get_by_role("row", name="ivr_one3 3 1,500.00 USD 0.00 USD 210 nothing")).to_be_visible()
        tess.get_by_role("button", name="Agree").click()
        expect(tess.get_by_role("alert")).to_contain_text("changed since this page was opened")
        for page, width in ((theo, 1280), (tess, 390)):
            visit(page, agency, PART)
            keep(page, f"conversions-{width}")
            axe_is_content(page, axe)
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        theo.get_by_role("button", name="Agree").click()
        expect(theo.get_by_role("alert")).to_contain_text("another person decides")
        tess.get_by_role("button", name="Agree").click()
        expect(tess.get_by_text("waits until the sale of the convertible is over")).to_be_visible()
        tess.get_by_label("Why it is given up").fill("another round")
        tess.get_by_role("button", name="Give it up").click()
        expect(tess.get_by_text("another round")).to_be_visible()
