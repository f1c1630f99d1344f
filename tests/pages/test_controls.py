"""Control actions in the agent's console: asked, approved by another, and a pause that everybody sees."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browsing import axe_is_content, fits, looks
from tests.pages.test_agent import Agency, agency, at, visit
from tests.pages.test_browser import keep
from tests.pages.world import OFFERING

__all__ = ["agency"]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

PART = "/controls"


def _ask(page: Page, agency: Agency, kind: str, **fields: str) -> None:
    visit(page, agency, PART)
    page.get_by_label("What", exact=True).select_option(kind)
    for label, text in {"Reason": "the court says so", **fields}.items():
        page.locator("form", has=page.get_by_role("button", name="Ask")).get_by_label(label, exact=True).fill(
            text
        )
    page.get_by_role("button", name="Ask").click()


def test_an_account_is_frozen_by_two_people(agency: Agency, browser: Browser) -> None:
    with at(agency, browser) as theo, at(agency, browser, "agent.tess") as tess:
        _ask(theo, agency, "freeze_units", Holder="ivr_one3", Units="4")
        expect(theo.get_by_role("alert")).to_contain_text("so many units are not free")
        _ask(theo, agency, "freeze_units", Holder="ivr_one3", Units="2")
        expect(theo.get_by_role("status")).to_contain_text("recorded")
        theo.get_by_role("button", name="Approve").click()
        expect(theo.get_by_role("alert")).to_contain_text("whoever asked for it cannot approve it")
        visit(tess, agency, PART)
        tess.get_by_role("button", name="Approve").click()
        expect(tess.get_by_role("row", name="ivr_one3 a part is frozen 3 2 1")).to_be_visible()
        expect(tess.get_by_text("approved, goes to the chain")).to_be_visible()


def test_an_order_without_its_document_is_refused_in_plain_words(agency: Agency, browser: Browser) -> None:
    with at(agency, browser) as theo:
        _ask(
            theo,
            agency,
            "force_transfer",
            Holder="ivr_one3",
            Units="1",
            **{"Receiver of a forced transfer": "ivr_one2"},
        )
        expect(theo.get_by_role("alert")).to_contain_text("its name, its SHA-256")
        _ask(theo, agency, "freeze_units", Holder="ivr_one3", Units="some")
        expect(theo.get_by_role("alert")).to_contain_text("write whole units")
        _ask(theo, agency, "freeze_account", Holder="ivr_one3", **{"SHA-256 of the order": "xy"})
        expect(theo.get_by_role("alert")).to_contain_text("64 hexadecimal digits")
        _ask(theo, agency, "freeze_account", Holder="ivr_one3")
        theo.get_by_role("button", name="Decline").click()
        expect(theo.get_by_role("alert")).to_contain_text("write why it is declined")


def _frozen_and_paused(agency: Agency) -> None:
    call, offering = agency.register.call, agency.register.offering
    order = {"because": "court order 7 of 2 March", "order_sha256": "ab" * 32, "order_reference": "order 7"}
    for action, asked in {
        "cta_part": {"kind": "freeze_units", "investor": "ivr_one3", "units": 2},
        "cta_whole": {"kind": "freeze_account", "investor": "ivr_one2"},
        "cta_force": {"kind": "force_transfer", "investor": "ivr_one3", "receiver": "ivr_one2", "units": 1},
        "cta_pause": {"kind": "pause", "because": "an error in the offering circular"},
    }.items():
        call("registry.ask_control", offering, action, order | asked, actor="agent.theo")
        if action != "cta_force":
            call("registry.decide_control", offering, action, "true", "", actor="agent.tess")
    call("registry.open_control_book", OFFERING, "ctl_pages", 1_000, b"\x01" * 32)
    call("registry.ask_control", OFFERING, "cta_pages", asked, actor="agent.theo")
    call("registry.decide_control", OFFERING, "cta_pages", "true", "", actor="agent.tess")


def test_a_pause_is_shown_to_everybody(agency: Agency, browser: Browser, axe: str) -> None:
    _frozen_and_paused(agency)
    with at(agency, browser) as page:
        for name, path in {
            "controls": "/registry/ofr_one/controls",
            "offer": "/offers/ofr_one",
            "investment": "/investments/inv_0003",
        }.items():
            page.goto(f"{agency.site.url}{path}")
            expect(page.get_by_label("Paused")).to_contain_text("an error in the offering circular")
            expect(page.get_by_label("Paused")).to_contain_text("theo")
            for _, width in looks(page):
                keep(page, f"control-{name}-{width}")
                axe_is_content(page, axe)
                fits(page)
        page.goto(agency.site.url)
        expect(page.get_by_role("row", name="ofr_one")).to_contain_text("paused")
        for _, width in looks(page):
            keep(page, f"control-offers-{width}")
