"""The page of breaks: state, age and owner; one of the owner answers, a second person accepts."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from bookrunner.api import issue
from bookrunner.db import Endpoint
from tests.attack.world import Connect
from tests.browsing import axe_is_content
from tests.pages.conftest import Site
from tests.pages.test_access import visitor
from tests.pages.test_browser import keep
from tests.pages.test_desk_work import at_desk
from tests.pages.world import OFFERING

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

PATH = f"/offers/{OFFERING}/breaks"
SPOIL = """
alter table subscription.agreement disable trigger all;
update subscription.agreement set units = units + 1 where investment_id = 'inv_0001';
alter table subscription.agreement enable trigger all
"""


def compare(site: Site) -> None:
    site.world.application.comparing.without_chain(OFFERING, actor="recon.rita")


def test_a_break_is_answered_and_accepted(
    site: Site, endpoint: Endpoint, browser: Browser, axe: str, *, connect: Connect
) -> None:
    one, two, other = (
        issue(endpoint, name, keeper, actor="usr_admin")
        for name, keeper in (
            ("desk.sam", "subscription"),
            ("desk.sue", "subscription"),
            ("fund.fay", "treasury"),
        )
    )
    compare(site)
    connect("admin").execute(SPOIL)
    compare(site)
    with at_desk(browser, site.url, other, "/treasury") as page:
        page.goto(site.url + PATH)
        row = page.locator("tr", has_text="other units than its agreement").first
        expect(row).to_contain_text("holds a closing of its set up")
        row.get_by_role("button", name="Assign").click()
        expect(page.get_by_role("alert")).to_contain_text("break is answered by its owner")
        axe_is_content(page, axe)
    with at_desk(browser, site.url, one, "/desk") as page:
        page.goto(site.url + PATH)
        row = page.locator("tr", has_text="other units than its agreement").first
        row.get_by_role("button", name="Assign").click()
        expect(row).to_contain_text("desk.sam")
        row.get_by_label("Why it is, or what was put right").fill("The paper has two units.")
        row.get_by_role("button", name="Explain").click()
        row.get_by_label("Why it may stand").fill("I say so myself.")
        row.get_by_role("button", name="Accept").click()
        expect(page.get_by_role("alert")).to_contain_text("acceptance needs two people")
        axe_is_content(page, axe)
        keep(page, "breaks")
    with at_desk(browser, site.url, two, "/desk", width=390) as page:
        page.goto(site.url + PATH)
        keep(page, "breaks-390")
        row = page.locator("tr", has_text="other units than its agreement").first
        row.get_by_label("Why it may stand").fill("The paper is right, the list follows.")
        row.get_by_role("button", name="Accept").click()
        page.get_by_role("link", name="Verified breaks").click()
        expect(page.get_by_role("main")).to_contain_text("accepted by desk.sue")
        expect(page.locator("tbody tr").first).to_contain_text("accepted by desk.sue")
        axe_is_content(page, axe)


def test_the_page_is_of_staff(site: Site, endpoint: Endpoint) -> None:
    with visitor(site, issue(endpoint, "ivr_0001", "portal", actor="usr_admin")) as client:
        assert client.get(PATH).status_code == 403
    with visitor(site, issue(endpoint, "desk.sam", "subscription", actor="usr_admin")) as client:
        assert client.get(PATH).status_code == 200
        assert client.get("/offers/ofr_none/breaks").status_code == 404
        form = {"act": "assign", "break": "brk_1", "seen": "9" * 400}
        assert client.post(PATH, data=form).status_code == 422
        refused = client.post(PATH, data={"act": "assign", "break": "brk_none", "seen": "one"})
        assert refused.status_code == 409
