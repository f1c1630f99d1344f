"""The administrator's page of the escrow of institutions: what is late, behind or unfit."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.capital.institution import DUE
from tests.capital.test_pages import Door, ask, both, door
from tests.pages.test_desk_work import at_desk

__all__ = ["door"]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

OVERDUE = """
alter table engine.allocation disable trigger user;
update engine.allocation set requested_at = '2025-12-01', settlement_due_at = '2026-01-31T17:00:00Z';
alter table engine.allocation enable trigger user;
alter table treasury.escrow_initiation disable trigger user;
update treasury.escrow_initiation set settlement_due_at = '2026-01-31T17:00:00Z';
alter table treasury.escrow_initiation enable trigger user;
"""


def _in_escrow(door: Door, browser: Browser) -> None:
    """Let the institution ask and the desk open its escrow; nothing has followed yet."""
    with at_desk(browser, door.url, door.key(door.world.entity, "portal"), door.own) as page:
        ask(page, "senior")
    with at_desk(browser, door.url, door.key("reviewer-ria", "engine"), f"{door.desk}/institutions") as page:
        page.get_by_role("link", name="of senior").click()
        page.get_by_role("button", name="Take it up for review").click()
        page.get_by_label("Settlement is due on").fill("2027-03-31")
        page.get_by_role("button", name="Open escrow").click()
        expect(page.get_by_role("status")).to_contain_text("escrow initiated")


def test_an_administrator_sees_what_is_to_settle(door: Door, browser: Browser, axe: str) -> None:
    home = f"/treasury/{door.world.offering}/institutions"
    owner = door.world.login("owner")
    with at_desk(browser, door.url, door.key("fund.flo", "treasury"), home) as page:
        expect(page.get_by_role("main")).to_contain_text("No escrow was opened for an institution")
        _in_escrow(door, browser)
        page.reload()
        status, row = page.get_by_role("status"), page.get_by_role("row", name="senior")
        expect(status).to_have_text("1 to settle, 0 overdue, 1 without a record that says so.")
        expect(row).to_contain_text("missing")
        page.get_by_role("button", name="Bring the record of").click()
        expect(row).to_contain_text("initiated")
        expect(page.get_by_role("button", name="Bring the record of")).to_have_count(0)
        expect(row).to_contain_text("0.00 USD")
        for step in ("instructed", "received", "funded"):
            getattr(door.world, step)()
        owner.execute(OVERDUE.encode())
        told = {"offering": door.world.offering, "allocation": "iac_nobody", "amount": 1, "currency": "USD"}
        digest, body = b"\x01" * 32, b"{}"
        said = door.world.call(
            "treasury.confirm_settlement", "msg_1", "key-1", digest, body, told | {"settled_at": DUE}
        )
        assert said == "unclaimed"
        page.goto(door.url + home)
        expect(page.get_by_role("status")).to_have_text("1 to settle, 1 overdue.")
        expect(row.get_by_role("cell").nth(1)).to_have_text("100,000.00 USD")
        expect(row.get_by_role("cell").nth(2)).to_have_text("100,000.00 USD")
        with both(page, axe, "treasury-institutions"):
            page.get_by_label("What alr_").fill("A message for another installation.")
        page.get_by_role("button", name="Answer").click()
        expect(page.get_by_role("status").first).to_contain_text("part of the books")
        expect(page.get_by_role("main")).not_to_contain_text("iac_nobody")


def test_nobody_else_brings_a_record_up_to_date(door: Door, browser: Browser) -> None:
    _in_escrow(door, browser)
    path = f"{door.url}/treasury/{door.world.offering}/institutions"
    with at_desk(browser, door.url, door.key("desk-dan", "engine"), f"{door.desk}/institutions") as page:
        answer = page.request.post(path, form={"allocation": "iac_1"}, headers={"Origin": door.url})
        assert answer.status == 403
    found = door.world.login("owner").execute("select count(*) from treasury.escrow_initiation").fetchone()
    assert found == (0,)
