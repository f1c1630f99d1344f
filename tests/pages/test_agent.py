"""The transfer agent's day as two people meet it: wallets, control book, log, statements."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect

from bookrunner.adapters.chain.keys import LocalKey
from bookrunner.api import issue
from bookrunner.db import Endpoint
from tests.attack.world import CHAIN, Connect, digest
from tests.attack.world import World as Register
from tests.browsing import axe_is_content, fits, looks
from tests.pages.conftest import Site
from tests.pages.test_browser import keep

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

HOME = "/registry/ofr_one"
PARTS = ("", "/holders", "/holders/hld_one2", "/wallets", "/issuance", "/turnaround", "/records")


@dataclass(frozen=True)
class Agency:
    """The site, a register with three holders, and the keys of two people and of somebody else."""

    site: Site
    register: Register
    keys: dict[str, str]


@pytest.fixture
def agency(site: Site, endpoint: Endpoint, connect: Connect) -> Agency:
    register = Register(connect).build("registered")
    for n, until in ((1, "issuer_approved"), (2, "screened"), (3, "claimed")):
        where = [register.offering, f"wmp_new{n}"]
        key = LocalKey(digest(f"new {n}"), chain_id=CHAIN)
        register.claim_wallet(f"wlc_new{n}", register.id("ivr", n), key.address, key.sign_text)
        named = [register.id("ivr", n), CHAIN, key.address, f"wlc_new{n}@1", "key"]
        register.call("registry.open_mapping", *where, *named)
        if until != "claimed":
            register.call("registry.mark_screened", *where, "scr_new@1")
        if until == "issuer_approved":
            register.call("registry.approve_wallet", *where, actor="issuer.iris")
    shown = {"block_number": 9, "block_hash": "09" * 32, "minted": 1_000, "undelivered": 993}
    register.call("registry.compare_records", register.offering, shown)
    names = {"agent.theo": "registry", "agent.tess": "registry", "fund.flo": "treasury"}
    keys = {name: issue(endpoint, name, keeper, actor="usr_admin") for name, keeper in names.items()}
    return Agency(site, register, keys)


@contextmanager
def at(
    agency: Agency,
    browser: Browser,
    name: str = "agent.theo",
    *,
    width: int = 1200,
) -> Iterator[Page]:
    """Lend a page of a person who has signed in; it fails on any fault but an answered refusal."""
    context = browser.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    faults: list[str] = []
    page.on("console", lambda said: faults.append(said.text) if said.type in {"error", "warning"} else None)
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    page.goto(f"{agency.site.url}{HOME}")
    page.get_by_label("Your key").fill(agency.keys[name])
    page.get_by_role("button", name="Sign in").click()
    yield page
    context.close()
    assert [f for f in faults if not any(code in f for code in ("401", "403", "409"))] == []


def visit(page: Page, agency: Agency, part: str) -> None:
    page.goto(f"{agency.site.url}{HOME}{part}")


def test_the_agents_day(agency: Agency, browser: Browser) -> None:
    with at(agency, browser) as theo, at(agency, browser, "agent.tess") as tess:
        differences = theo.locator("section", has=theo.get_by_role("heading", name="Record differences"))
        expect(differences).to_contain_text("chain is not the control book")
        expect(differences).to_contain_text("7 / 6")
        differences.get_by_label("Why it was").fill("nothing")
        differences.get_by_role("button", name="Resolve").click()
        expect(theo.get_by_role("alert")).to_contain_text("the records still differ")
        keep(theo, "agent-refused")

        visit(theo, agency, "")
        theo.get_by_label("Units authorised from now on").fill("2,000,000")
        theo.get_by_role("textbox", name="Written authority").fill("resolution of 2 March")
        theo.get_by_label("SHA-256 of that paper").fill("ab" * 32)
        theo.get_by_role("button", name="Propose").click()
        expect(theo.get_by_role("status")).to_contain_text("recorded")
        theo.get_by_role("button", name="Approve").click()
        expect(theo.get_by_role("alert")).to_contain_text("whoever proposed this cannot agree")
        visit(tess, agency, "")
        tess.get_by_role("button", name="Approve").click()
        expect(tess.get_by_role("row", name="Authorised 2,000,000")).to_be_visible()

        visit(theo, agency, "/wallets")
        expect(theo.locator("table")).to_contain_text("the agent's link")
        expect(theo.locator("table")).to_contain_text("stays effective")
        theo.get_by_role("button", name="Link to the holder").click()
        expect(theo.get_by_role("status")).to_contain_text("recorded")
        expect(theo.locator("table")).to_contain_text("superseded by wmp_new1")
        theo.get_by_role("button", name="Record the issuer's consent").click()
        theo.get_by_role("button", name="Link to the holder").click()
        expect(theo.get_by_role("alert")).to_contain_text("another does")
        keep(theo, "agent-wallets")
        waiting = theo.get_by_role("row").filter(has_text="the agent's link")
        waiting.get_by_text("Reject it").click()
        waiting.get_by_label("Why").fill("the holder withdrew it")
        waiting.get_by_role("button", name="Reject the wallet").click()
        expect(theo.locator("table")).to_contain_text("the holder withdrew it")
        theo.get_by_text("Revoke it").last.click()
        theo.get_by_role("button", name="Revoke the wallet").last.click()
        expect(theo.locator("table")).to_contain_text("revoked")
        keep(theo, "agent-wallets-ended")

        visit(theo, agency, "/turnaround")
        theo.get_by_label("Kind").select_option("inquiry")
        theo.get_by_label("What it is").fill("a letter of a holder")
        theo.get_by_label("Received, in New York").fill("2026-03-02T12:01")
        theo.get_by_role("button", name="Log it").click()
        expect(theo.locator("table.work")).to_contain_text("counts from 2026-03-03")
        expect(theo.locator("table.work")).to_contain_text("2026-03-10")
        theo.get_by_role("button", name="Answered").click()
        expect(theo.get_by_role("alert")).to_contain_text("closed with the SHA-256 of its answer")
        theo.get_by_label("Answer").fill("Dear holder, you hold two units.")
        theo.get_by_role("button", name="Answered").click()
        expect(theo.locator("table.work")).to_contain_text("completed")


def test_a_debit_is_kept_apart_until_another_names_its_holding(agency: Agency, browser: Browser) -> None:
    with at(agency, browser) as theo, at(agency, browser, "agent.tess") as tess:
        theo.get_by_label("Units presented").fill("2")
        theo.get_by_label("Paper presented").fill("power of 2 March")
        theo.get_by_label("What does not match").fill("no such lot")
        theo.get_by_role("button", name="Keep it apart").click()
        for page in (theo, tess):
            visit(page, agency, "")
            kept = page.locator("section", has=page.get_by_role("heading", name="Subsidiary file"))
            kept.get_by_label("Holding").fill("hld_one2")
            kept.get_by_label("Why").fill("the lot was found")
            kept.get_by_role("button", name="Name the holding").click()
            if page is theo:
                expect(theo.get_by_role("alert")).to_contain_text("does not resolve it")
        expect(tess.get_by_role("heading", name="Subsidiary file: 0 open")).to_be_visible()


def test_a_legend_goes_by_two_people(agency: Agency, browser: Browser) -> None:
    with at(agency, browser) as theo, at(agency, browser, "agent.tess") as tess:
        visit(theo, agency, "/holders/hld_one2")
        theo.get_by_label("SHA-256 of the paper").fill("cd" * 32)
        theo.get_by_label("Why").fill("counsel has given an opinion")
        theo.get_by_role("button", name="Propose").click()
        expect(theo.get_by_role("status")).to_contain_text("recorded")
        visit(tess, agency, "/holders/hld_one2")
        tess.get_by_role("button", name="Approve").click()
        expect(tess.get_by_role("row", name="lot_one2")).to_contain_text("none")


def test_the_register_goes_out_as_files(agency: Agency, browser: Browser) -> None:
    with at(agency, browser) as page:
        visit(page, agency, "/holders")
        page.get_by_role("button", name="Show").click()
        expect(page.get_by_role("heading", name="6 units, 3 holders")).to_be_visible()
        expect(page.get_by_text("6 issued of 1,000,000 authorised")).to_be_visible()
        today = page.get_by_role("textbox", name="Day").input_value()
        answer = page.request.get(f"{agency.site.url}{HOME}/files/register.csv?on={today}")
        assert "hld_one2,ivr_one2,2,1," in answer.text()
        path, sent = f"{agency.site.url}{HOME}/holders/hld_one2/statement.pdf", {"Origin": agency.site.url}
        made = page.request.post(path, form={"on": today}, headers=sent)
        assert (made.status, made.headers["content-type"]) == (200, "application/pdf")
        early = page.request.post(path, form={"on": "2020-01-01"}, headers=sent)
        assert early.status == 409
        assert "nothing was posted to this holding by then" in early.text()


def test_what_is_stopped_is_shown_with_who_said_what(agency: Agency, browser: Browser, axe: str) -> None:
    register = agency.register
    for place, rules in enumerate(("11", "22")):
        register.call(
            "registry.compare_token", register.offering, f"stp_{place}", {"compliance": rules, "decimals": 0}
        )
    register.call("registry.propose_acknowledgement", register.offering, "stp_1", "the issuer's new rules")
    with at(agency, browser) as theo:
        theo.goto(f"{agency.site.url}/registry")
        expect(theo.get_by_role("status")).to_contain_text("1 stop")
        visit(theo, agency, "/issuance")
        stopped = theo.locator("section", has=theo.get_by_role("heading", name="Stopped"))
        expect(stopped).to_contain_text("compliance")
        expect(stopped).not_to_contain_text("decimals")
        expect(stopped).to_contain_text("the issuer's new rules")
        expect(stopped).to_contain_text("bookrunner restart ofr_one")
        keep(theo, "agent-stopped")
        axe_is_content(theo, axe)


def test_another_keeper_is_shown_the_door(agency: Agency, browser: Browser) -> None:
    with at(agency, browser, "fund.flo") as page:
        expect(page.get_by_text("registry decides this")).to_be_visible()


def test_no_page_breaks_an_accessibility_rule(agency: Agency, browser: Browser, axe: str) -> None:
    with at(agency, browser) as page:
        for part in ("/registry", *(HOME + part for part in PARTS)):
            page.goto(f"{agency.site.url}{part}")
            for _, width in looks(page):
                keep(page, f"agent-{part.replace('/', '-')}-{width}")
                axe_is_content(page, axe)
                fits(page)
