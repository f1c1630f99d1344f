"""A transfer as its people meet it: the holder asks, the agent returns, approves and follows it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect

from bookrunner.api import issue
from bookrunner.db import Endpoint
from tests.attack.world import CHAIN, Connect
from tests.attack.world import World as Register
from tests.browsing import axe_is_content
from tests.pages.conftest import Site
from tests.pages.test_agent import HOME, Agency, at, visit
from tests.pages.test_browser import keep
from tests.registry.test_rescission import ask as ask_back
from tests.registry.test_rescission import decide
from tests.registry.transferring import Transferring

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

PAGE = "/investments/inv_one3/transfers"


@pytest.fixture
def desk(site: Site, connect: Connect) -> Transferring:
    found = Transferring(Register(connect).build("registered"), site.world.application.database)
    found.free_lots()
    found.taker()
    return found


@pytest.fixture
def agency(site: Site, endpoint: Endpoint, desk: Transferring) -> Agency:
    names = {"agent.theo": "registry", "agent.tess": "registry"}
    keys = {name: issue(endpoint, name, keeper, actor="usr_admin") for name, keeper in names.items()}
    return Agency(site, desk.world, keys)


@contextmanager
def holder(site: Site, browser: Browser, width: int = 1200) -> Iterator[Page]:
    """Lend the page of the holder, as a sandbox lets whoever looks act for it."""
    context = browser.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    page.goto(site.url + PAGE)
    yield page
    context.close()


def paper(name: str) -> FilePayload:
    return {"name": f"{name}.pdf", "mimeType": "application/pdf", "buffer": name.encode()}


def ask(page: Page, units: str = "2") -> None:
    page.get_by_label("Account of the taker").fill("ivr_taker")
    page.get_by_label("Units", exact=True).fill(units)
    page.get_by_label("Price in USD").fill("150.00")
    sale = page.get_by_role("group", name="Papers of a sale")
    sale.get_by_label("signed instruction").set_input_files(paper("instruction"))
    page.get_by_role("button", name="Ask for it").click()


def test_a_holder_asks_and_the_agent_decides(agency: Agency, desk: Transferring, browser: Browser) -> None:
    with holder(agency.site, browser) as page, at(agency, browser) as theo:
        expect(page.locator("table").first).to_contain_text("free now")
        ask(page, "two")
        expect(page.get_by_role("alert")).to_contain_text("units are a whole number")
        ask(page)
        expect(page.get_by_role("status")).to_contain_text("its clock runs")
        expect(page.locator("table.work")).to_contain_text("purchase agreement is missing")
        keep(page, "transfer-asked")

        visit(theo, agency, "/transfers")
        theo.get_by_label("Reasons, one a line").fill(
            "The agreement is not there.\nIt has to name the price."
        )
        theo.get_by_role("button", name="Return").click()
        expect(theo.locator("table.work")).to_contain_text("It has to name the price.")

        page.reload()
        expect(page.locator("table.work")).to_contain_text("came back to you")
        page.locator("table.work").get_by_label("agreement between").set_input_files(paper("agreement"))
        page.get_by_role("button", name="Present it again").click()
        expect(page.locator("table.work")).to_contain_text("being checked")
        (asked,) = desk.keeper.transfers(offering=desk.offering, investor=None, most=9)
        desk.keeper.mark_transfer_screened(
            actor="process", offering=desk.offering, transfer=asked["request_id"]
        )

        desk.rule("holder_cap", amount=3)
        visit(theo, agency, "/transfers")
        expect(theo.locator("table.work").first).to_contain_text("holder count is within its cap")
        expect(theo.get_by_role("button", name="Approve")).to_have_count(0)
        keep(theo, "transfers-refused")
        with at(agency, browser, "agent.tess") as tess:
            visit(tess, agency, "/transfers")
            tess.get_by_label("Reason", exact=True).fill("the bylaws changed")
            tess.get_by_role("button", name="End it").click()
            expect(tess.get_by_role("status")).to_be_visible()
        visit(theo, agency, "/transfers")
        theo.get_by_role("button", name="Approve").click()
        expect(theo.locator("table.work").first).to_contain_text("approved")
        keep(theo, "transfers-approved")
        assert desk.final(asked["request_id"], desk.signed(asked["request_id"])) == 1
        page.reload()
        expect(page.locator("table.work")).to_contain_text("registered")


def test_two_people_end_what_the_chain_shows(agency: Agency, desk: Transferring, browser: Browser) -> None:
    clock = {"is_routine": True, "received_at": "2026-03-02T16:00:00Z"}
    clock |= {"counts_from": "2026-03-02", "due_on": "2026-03-05"}
    for name, sender in (("lost", desk.world.address(3)), ("minted", b"\0" * 20)):
        log = {"id": f"obs_{name}", "chain_id": CHAIN, "hash": name.encode().hex().ljust(64, "0")}
        log |= {
            "ordinal": 0,
            "block": 12,
            "mined_at": "2026-03-02T16:00:00Z",
            "from": sender.hex(),
            "to": "99" * 20,
            "units": 1,
        }
        desk.world.call("registry.observe_transfer", desk.offering, log, f"itm_{name}", clock)
    with at(agency, browser) as theo, at(agency, browser, "agent.tess") as tess:
        visit(theo, agency, "/transfers")
        seen = theo.locator("section", has=theo.get_by_role("heading", name="Seen on chain"))
        expect(seen).to_contain_text("unknown wallet")
        expect(seen.get_by_role("alert")).to_contain_text("came by chain without an instruction")
        keep(theo, "transfers-observed")
        row = seen.get_by_role("row", name="unknown wallet")
        row.get_by_label("How it ends").select_option("reversed")
        row.get_by_label("Why").fill("sent back by its holder")
        row.get_by_label("SHA-256").fill("ab" * 32)
        row.get_by_role("button", name="Propose this end").click()
        seen.get_by_role("button", name="Agree").click()
        expect(theo.get_by_role("alert").first).to_contain_text("two people")
        visit(tess, agency, "/transfers")
        tess.get_by_role("button", name="Agree").click()
        expect(tess.get_by_role("cell", name="ended Sent back on chain")).to_contain_text("ended")

        tess.get_by_label("Kind", exact=True).select_option("volume")
        tess.get_by_label("Number, where").fill("1,000")
        tess.get_by_label("Span").select_option("quarter")
        tess.get_by_label("Why", exact=True).last.fill("the bylaws")
        tess.get_by_label("SHA-256 of the paper").last.fill("cd" * 32)
        tess.get_by_role("button", name="Propose it").click()
        visit(theo, agency, "/transfers")
        theo.get_by_role("button", name="Put in force").click()
        expect(theo.get_by_role("row", name="Most units of one holder in a span")).to_contain_text("in force")


def test_the_pages_fit_and_are_accessible(
    agency: Agency, desk: Transferring, browser: Browser, axe: str
) -> None:
    decide(desk, ask_back(desk, desk.registered("ivr_taker", 1)))
    desk.registered("ivr_taker", 1)
    desk.screened("ivr_taker", 1)
    for width in (1200, 390):
        with holder(agency.site, browser, width) as page:
            keep(page, f"transfer-{width}")
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            axe_is_content(page, axe)
        with at(agency, browser, width=width) as theo:
            theo.goto(f"{agency.site.url}{HOME}/transfers")
            back = theo.locator(
                "section", has=theo.get_by_role("heading", name="Transfers that are taken back")
            )
            if width == 1200:
                expect(back).to_contain_text("owes ivr_taker")
                theo.get_by_text("Take it back").click()
                theo.get_by_label("Why", exact=True).first.fill("the buyer was misled")
                theo.get_by_label("SHA-256 of the paper").first.fill("ab" * 32)
                theo.get_by_label("Its reference").fill("deed of 3 March")
                theo.get_by_role("button", name="Ask for it").click()
                back.get_by_label("SHA-256 of the proof").fill("cd" * 32)
                keep(theo, "transfers-owed")
                back.get_by_role("button", name="The price was repaid").click()
                expect(back).to_contain_text("price repaid")
            expect(back).to_contain_text("its order is not carried out yet")
            keep(theo, f"transfers-{width}")
            assert theo.evaluate("document.documentElement.scrollWidth") <= width
            axe_is_content(theo, axe)
