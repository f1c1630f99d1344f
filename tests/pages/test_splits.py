# ruff: noqa: S608 - table names come from this file
"""Splits in the agent's console: proposed, agreed by another, and holder by holder once it has begun."""

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

PART = "/splits"
TERMS = {
    "New units": "3",
    "For so many old ones": "2",
    "Price of one new unit": "333.33",
    "Takes effect, in UTC": "2026-01-01T12:00",
    "Resolution of the issuer": "resolution 7",
    "SHA-256 of its paper": "ab" * 32,
}


@pytest.fixture
def agency(site: Site, endpoint: Endpoint, connect: Connect) -> Agency:
    register = Register(connect).build("registered")
    keys = {
        name: issue(endpoint, name, "registry", actor="usr_admin") for name in ("agent.theo", "agent.tess")
    }
    return Agency(site, register, keys)


def _propose(page: Page, agency: Agency, rule: str, **changed: str) -> None:
    visit(page, agency, PART)
    for label, text in (TERMS | changed).items():
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_label("Fractions of a unit").select_option(rule)
    page.get_by_role("button", name="Propose").click()


def _begin(register: Register) -> None:
    """Bring the class to where its split begins."""
    admin = register.login("admin")
    for table, status in (("closing", "certified"), ("offer", "closed_successfully")):
        admin.execute(f"alter table engine.{table} disable trigger user".encode())
        admin.execute(
            f"update engine.{table} set status = %s where offering_id = 'ofr_one'".encode(), [status]
        )
        admin.execute(f"alter table engine.{table} enable trigger user".encode())
    pause = {"kind": "pause", "because": "a split"}
    register.call("registry.ask_control", "ofr_one", "cta_pause", pause, actor="agent.theo")
    register.call("registry.decide_control", "ofr_one", "cta_pause", "true", "", actor="agent.tess")
    register.call("registry.submit_control", "ofr_one", "cta_pause", 2, "[]")
    units = (
        b"select coalesce(sum(units), 0)::bigint from registry.address_units where offering_id = 'ofr_one'"
    )
    ((held,),) = register.login("registry").execute(units).fetchall()
    seen = {"block_number": 9, "block_hash": "09" * 32, "minted": held, "undelivered": 0}
    assert register.call("registry.compare_records", "ofr_one", seen) == 0
    split = register.login("registry").execute(
        b"select split_id from registry.split where status = 'approved'"
    )
    register.call("registry.begin_split", "ofr_one", (split.fetchone() or ("",))[0], 0)


def test_a_split_is_agreed_by_two_people_and_shown_holder_by_holder(
    agency: Agency, browser: Browser, axe: str
) -> None:
    with at(agency, browser, width=1280) as theo, at(agency, browser, "agent.tess", width=390) as tess:
        for rule, changed, says in (
            ("", {"Price of one new unit": ""}, "what becomes of a fraction"),
            ("cash", {"Price of one new unit": ""}, "need the price of one new unit"),
            ("cash", {"New units": "some"}, "as whole numbers"),
            ("cash", {"SHA-256 of its paper": "ab"}, "64 hexadecimal digits"),
        ):
            _propose(theo, agency, rule, **changed)
            expect(theo.get_by_role("alert")).to_contain_text(says)
        _propose(theo, agency, "cash")
        expect(theo.get_by_role("status")).to_contain_text("recorded")
        theo.get_by_role("button", name="Agree").click()
        expect(theo.get_by_role("alert")).to_contain_text("another person decides")
        visit(tess, agency, PART)
        tess.get_by_role("button", name="Agree").click()
        expect(tess.get_by_text("waits until the sale is over")).to_be_visible()
        keep(tess, "splits-agreed-390")
        _begin(agency.register)
        visit(theo, agency, PART)
        expect(theo.get_by_role("row", name="ivr_one3 3 4 1 166.66 USD")).to_be_visible()
        for page, width in ((theo, 1280), (tess, 390)):
            visit(page, agency, PART)
            expect(page.get_by_text("2 wallets to change")).to_be_visible()
            keep(page, f"splits-{width}")
            axe_is_content(page, axe)
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
