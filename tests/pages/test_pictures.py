"""The pictures of a raise: their parts sum to the whole, and everybody can read them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from playwright.sync_api import Browser, expect

from bookrunner.api import issue
from bookrunner.db import Database, Endpoint
from bookrunner.pages.offers.pictures import drawing, lanes, pictures
from tests.attack.world import Connect
from tests.browsing import axe_is_content, fits, looks
from tests.pages import test_agent
from tests.pages.conftest import Site
from tests.pages.test_access import visitor
from tests.pages.test_agent import Agency, agency
from tests.pages.test_browser import keep, opened
from tests.pages.world import OFFERING
from tests.treasury.escrow import PRICE, Escrow

__all__ = ["agency"]

pytestmark = pytest.mark.timeout(240)

MONEY = {"committed": 40, "instructed": 10, "matched": 20, "cleared": 25, "released": 5, "total": 100}
NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)


def moved(day: int, bucket: str, amount: int) -> dict[str, object]:
    return {"day": date(2026, 3, day), "bucket": bucket, "amount_minor": amount}


def test_each_day_of_the_stack_sums_to_what_was_committed() -> None:
    rows = [moved(1, "committed", 100), moved(3, "committed", -60), moved(3, "matched", 60)]
    found = drawing.stacked([*rows, moved(4, "matched", -60), moved(4, "cleared", 60)])
    assert [day["total"] for day in found["days"]] == [100, 100, 100]
    assert found["days"][-1]["stands"] == {"committed": 40, "matched": 0, "cleared": 60, "released": 0}
    for day in found["days"]:
        assert sum(bar["height"] for bar in day["bars"]) <= 160
    assert drawing.stacked([])["days"] == []


def test_the_parts_of_the_flow_sum_to_it() -> None:
    nodes = {node["name"]: node["amount"] for node in drawing.flow(MONEY)["nodes"]}
    assert nodes["received"] + nodes["not received"] == nodes["committed"] == 100
    assert nodes["cleared"] + nodes["not final"] == nodes["received"]
    assert nodes["released"] + nodes["in escrow"] == nodes["cleared"]
    assert drawing.flow(dict.fromkeys(MONEY, 0))["nodes"] == []


@pytest.mark.parametrize(("amount", "drawn"), [(0, 0), (1, 1), (500_000_000_000, 160), (-5, 0)])
def test_what_is_not_none_is_seen(amount: int, drawn: int) -> None:
    assert drawing.part(amount, 500_000_000_000, 160) == drawn


def test_the_cap_table_names_every_unit() -> None:
    holders = [{"investor_id": f"ivr_{n}", "units": 100 - n} for n in range(12)]
    found = drawing.cap_table(holders, 2_000)
    assert sum(line["units"] for line in found["lines"]) == 2_000
    assert [line["name"] for line in found["lines"][-2:]] == ["4 others", "not issued"]
    assert drawing.cap_table([], 0)["lines"][0]["share"] == "0.00 %"


def test_marks_and_waits_stand_on_their_lanes() -> None:
    events = [{"keeper": "portal", "kind": "profile.opened", "occurred_at": NOW - timedelta(days=2)}]
    since = (NOW - timedelta(days=1)).isoformat()
    missing = [{"keeper": "registry", "condition": "wallet_is_linked", "since": since}]
    found = drawing.lanes(events, missing, NOW)
    assert (found["marks"][0]["x"], found["bars"][0]["x"]) == (110, 370)
    assert found["bars"][0]["x"] + found["bars"][0]["width"] == 630
    assert drawing.lanes([], [], NOW)["marks"] == []


def test_a_late_item_is_late() -> None:
    due = date(2026, 3, 5)
    items = [
        {"item_id": n, "counts_from": due, "due_on": due, "reference": n, "closed_at": closed}
        for n, closed in (("a", NOW), ("b", NOW + timedelta(days=1)), ("c", None))
    ]
    found = drawing.turned(items, due + timedelta(days=3))
    assert [point["days"] for point in found["points"]] == [0, 1, 3]
    assert (found["in_time"], found["is_low"]) == (1, True)


def test_the_pictures_agree_with_the_console(site: Site) -> None:
    found = pictures(site.world.database, OFFERING)
    stands, money = found["stack"]["days"][-1]["stands"], found["money"]
    assert stands["committed"] == money["committed"] + money["instructed"]
    assert {name: stands[name] for name in ("matched", "cleared", "released")} == {
        name: money[name] for name in ("matched", "cleared", "released")
    }
    assert found["stack"]["days"][-1]["total"] == money["total"]
    assert found["funnel"][0]["count"] == 6
    assert sum(row["investments"] for row in found["dropped"]) == 4
    assert len(found["heat"]["cells"]) == 5 * 14
    drawn = lanes(site.world.database, "inv_0003")["drawn"]
    assert [bar["condition"] for bar in drawn["bars"]] == ["wallet_is_linked"]


def test_only_what_a_release_pays_out_is_released(database: Database, connect: Connect) -> None:
    world = Escrow(connect).build("registered")
    world.call("treasury.record_return", world.offering, "rcp_one3")
    world.release()
    found = pictures(database, world.offering)
    stands, money = found["stack"]["days"][-1]["stands"], found["money"]
    assert money["released"] == stands["released"] == (1 + 2) * PRICE
    assert money["total"] - money["released"] == 3 * PRICE == money["committed"] + money["instructed"]
    assert stands == {"committed": 3 * PRICE, "matched": 0, "cleared": 0, "released": 3 * PRICE}


@pytest.mark.browser
def test_the_pictures_are_read_by_everybody(site: Site, browser: Browser, axe: str) -> None:
    paths = {"pictures": f"/offers/{OFFERING}/pictures", "lanes": "/investments/inv_0003/lanes"}
    with opened(browser) as page:
        for name, path in paths.items():
            page.goto(site.url + path)
            for scheme, width in looks(page):
                keep(page, f"{name}-{scheme}-{width}")
                axe_is_content(page, axe)
                fits(page)
                for picture in page.get_by_role("img").all():
                    assert picture.locator("title").inner_html()


@pytest.mark.browser
def test_the_turnaround_chart_is_read_by_everybody(agency: Agency, browser: Browser, axe: str) -> None:
    with test_agent.at(agency, browser) as page:
        page.goto(f"{agency.site.url}{test_agent.HOME}/turnaround")
        page.get_by_label("What it is").fill("a transfer on paper")
        page.get_by_label("Received, in New York").fill("2026-03-02T09:00")
        page.get_by_role("button", name="Log it").click()
        expect(page.get_by_role("img", name="Turnaround against the due day")).to_be_visible()
        for scheme, width in looks(page):
            keep(page, f"turnaround-{scheme}-{width}")
            axe_is_content(page, axe)
            fits(page)


def test_an_investor_sees_its_own_lanes_alone(site: Site, endpoint: Endpoint) -> None:
    with visitor(site, issue(endpoint, "ivr_0003", "portal", actor="usr_admin")) as client:
        assert client.get("/investments/inv_0003/lanes").status_code == 200
        assert client.get("/investments/inv_0002/lanes").status_code == 403
        assert client.get(f"/offers/{OFFERING}/pictures").status_code == 403
