"""The market as the transfer agent meets it: a venue of two people, its trades, what contradicts itself."""

from __future__ import annotations

from functools import partial

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from bookrunner.api import api, issue
from bookrunner.app.trading import receive_trade
from bookrunner.db import Endpoint
from tests.attack.world import Connect
from tests.attack.world import World as Register
from tests.pages.conftest import Site
from tests.pages.test_agent import Agency, at, visit
from tests.pages.test_browser import keep
from tests.pages.test_officer import axe_is_content
from tests.registry.test_settlements import PRICE, Sales
from tests.registry.test_venues import Floor, public
from tests.registry.transferring import Transferring
from tests.serving import serving

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


@pytest.fixture
def desk(site: Site, connect: Connect) -> Transferring:
    found = Transferring(Register(connect).build("registered"), site.world.application.database)
    found.free_lots()
    return found


@pytest.fixture
def agency(site: Site, endpoint: Endpoint, desk: Transferring) -> Agency:
    names = {"agent.theo": "registry", "agent.tess": "registry"}
    keys = {name: issue(endpoint, name, keeper, actor="usr_admin") for name, keeper in names.items()}
    return Agency(site, desk.world, keys)


def sent(floor: Floor, venue: str, body: bytes, name: str) -> httpx.Response:
    return floor.deliver(body, floor.headers(body, name), venue)


def test_two_people_admit_a_venue_and_see_its_trades(
    agency: Agency, desk: Transferring, browser: Browser, axe: str
) -> None:
    with (
        serving(api(desk.keeper.database, trades=partial(receive_trade, desk.keeper.database))) as url,
        at(agency, browser) as theo,
        at(agency, browser, "agent.tess", width=390) as tess,
    ):
        floor = Floor(url, desk, desk.taker())
        visit(theo, agency, "/market")
        theo.get_by_label("Name").fill("Example Floor")
        theo.get_by_label("Registered as").fill("SEC 8-00001")
        theo.get_by_label("SHA-256 of the agreement").fill("ab" * 32)
        theo.get_by_label("Its Ed25519 key").fill("short")
        theo.get_by_role("button", name="Propose it").click()
        expect(theo.get_by_role("alert")).to_contain_text("64 hexadecimal digits")
        theo.get_by_label("Name").fill("Example Floor")
        theo.get_by_label("Registered as").fill("SEC 8-00001")
        theo.get_by_label("SHA-256 of the agreement").fill("ab" * 32)
        theo.get_by_label("Its Ed25519 key").fill(public(floor.key))
        theo.get_by_role("button", name="Propose it").click()
        theo.get_by_role("button", name="Put in force").click()
        expect(theo.get_by_role("alert")).to_contain_text("another person does")
        visit(tess, agency, "/market")
        tess.get_by_role("button", name="Put in force").click()
        expect(tess.get_by_role("status")).to_be_visible()

        ((venue,),) = floor.rows("select venue_id from registry.venue")
        assert sent(floor, venue, floor.body(units=2), "msg_1").json()["result"] == "taken"
        assert sent(floor, venue, floor.body("T-2", units=2), "msg_2").json()["result"] == "rejected"
        assert sent(floor, venue, floor.body(units=3), "msg_3").status_code == 422
        for page, width in ((theo, 1280), (tess, 390)):
            page.set_viewport_size({"width": width, "height": 900})
            visit(page, agency, "/market")
            expect(page.get_by_role("alert")).to_contain_text("waits until this is answered")
            expect(page.get_by_role("row", name="T-2")).to_contain_text("seller holds the units: not so")
            keep(page, f"market-{width}")
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            axe_is_content(page, axe)
        theo.get_by_label("What it was").fill("a correction under the old number")
        theo.get_by_role("button", name="Answer").click()
        expect(theo.get_by_role("heading", name="contradicts")).to_have_count(0)
        theo.get_by_label("Why it ends").fill("its agreement ended")
        theo.get_by_role("button", name="End it").click()
        expect(theo.get_by_role("row", name="Example Floor Alternative")).to_contain_text(
            "its agreement ended"
        )


def test_holders_meet_on_the_board_and_the_agent_sees_it(
    agency: Agency, desk: Transferring, browser: Browser, axe: str
) -> None:
    def holder(number: int, width: int) -> Page:
        page = browser.new_context(viewport={"width": width, "height": 900}).new_page()
        page.goto(f"{agency.site.url}/investments/inv_one{number}/transfers")
        return page

    seller, buyer = holder(3, 1280), holder(1, 390)
    for units in ("9", "2"):
        seller.get_by_label("Units of the interest").fill(units)
        seller.get_by_label("USD for each unit").fill("51.00")
        seller.get_by_role("button", name="Post it").click()
        if units == "9":
            expect(seller.get_by_role("alert")).to_contain_text("offered units are free")
    own = seller.get_by_role("row", name="Sells 2 units at 51.00 USD each")
    expect(own.get_by_role("button")).to_have_text("Take it off")
    buyer.reload()
    for page, width in ((seller, 1280), (buyer, 390)):
        keep(page, f"board-{width}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        axe_is_content(page, axe)
    cap = desk.rule("holder_cap", amount=1)
    buyer.get_by_role("button", name="Buy them").click()
    expect(buyer.get_by_role("alert")).to_contain_text("transfer rules allow the match")
    expect(buyer.get_by_role("alert")).not_to_contain_text("holder")
    desk.keeper.end_transfer_rule(
        actor="agent.tess", offering=desk.offering, rule=cap, because="the bylaws changed"
    )
    buyer.get_by_role("button", name="Buy them").click()
    expect(buyer.locator("body")).to_contain_text("Nobody offers or seeks units now")
    expect(buyer.get_by_role("row", name="sale, 2 units to you")).to_contain_text("being checked")
    with at(agency, browser) as theo:
        visit(theo, agency, "/market")
        row = theo.get_by_role("row", name="2 units at 51.00 USD each")
        expect(row).to_contain_text("waits for papers or screening")
        expect(row).to_contain_text("ivr_one1")
        keep(theo, "market-board")
        axe_is_content(theo, axe)
    for page in (seller, buyer):
        page.context.close()


def test_the_agent_sees_which_leg_of_a_sale_went_where(
    agency: Agency, desk: Transferring, browser: Browser, axe: str
) -> None:
    sales = Sales(desk.world, desk.keeper.database)
    sales.sold()
    assert sales.moved("short", sales.coin(PRICE - 1)) == "unauthorised"
    with at(agency, browser) as theo, at(agency, browser, "agent.tess", width=390) as tess:
        for page, width in ((theo, 1280), (tess, 390)):
            visit(page, agency, "/market")
            row = page.get_by_role("row", name="1 unit for 50.00 USD")
            expect(row).to_contain_text("moved, not settled")
            for leg in ("the coin in", "the units in", "obs_short"):
                expect(row).to_contain_text(leg)
            keep(page, f"market-legs-{width}")
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            axe_is_content(page, axe)
