"""Fractions of a split and fees of transfers as two administrators meet them."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from bookrunner.api import issue
from bookrunner.db import Endpoint
from tests.attack.world import Connect
from tests.browsing import violations
from tests.pages.conftest import Site
from tests.pages.test_browser import keep
from tests.pages.test_payouts import Office, at
from tests.registry.test_splits import Class
from tests.servicing.books import follow
from tests.servicing.paying import Payer
from tests.servicing.paying import distributions as opened
from tests.servicing.test_lieu import OWED
from tests.treasury.escrow import digest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


@pytest.fixture
def office(site: Site, endpoint: Endpoint, connect: Connect) -> Office:
    """Return a site whose offer owes for fractions and has charged a fee."""
    units = Class(connect, site.world.database, Payer)
    world = units.world
    assert isinstance(world, Payer)
    units.moves.rule("fee", amount=900, payer="buyer")
    units.moves.registered(units.taker, 1)
    follow(site.world.database)
    units.close()
    units.execute()
    entry = {"id": "rcp_issuer", "key": "key-issuer", "amount": OWED, "reference": None}
    world.pay("issuer", world.entry(9, fingerprint=digest("issuer").hex(), **entry))
    entry = {"id": "rcp_yen", "key": "key-yen", "amount": 500, "reference": None}
    world.pay("yen", world.entry(9, fingerprint=digest("yen").hex(), **entry))
    for statement in (
        "alter table treasury.receipt disable trigger user",
        "update treasury.receipt set currency = 'JPY' where receipt_id = 'rcp_yen'",
        "alter table treasury.receipt enable trigger user",
    ):
        world.login("admin").execute(statement.encode())
    people = dict.fromkeys(("fund.flo", "fund.gus"), "treasury")
    keys = {name: issue(endpoint, name, keeper, actor="usr_admin") for name, keeper in people.items()}
    return Office(site, world, opened(site.world.database), keys)


def test_two_administrators_pay_fractions_and_waive_a_fee(office: Office, browser: Browser, axe: str) -> None:
    world = office.world
    here = f"{office.site.url}/treasury/{world.offering}/fractions"
    with at(office, browser, "fund.flo") as flo, at(office, browser, "fund.gus", 390) as gus:
        flo.goto(here)
        splits = flo.locator("[aria-labelledby=splits-title]")
        expect(splits.get_by_label("Receipt that nobody owns")).to_contain_text("JPY")
        splits.get_by_role("button", name="Start the payment").click()
        expect(flo.get_by_role("alert")).to_contain_text("funded before it is paid")
        splits.get_by_role("button", name="Take it as the issuer's money").click()
        expect(splits).to_contain_text("of the issuer's money was taken for it")
        splits.get_by_role("button", name="Start the payment").click()
        expect(splits).to_contain_text("owed")
        fees = flo.locator("[aria-labelledby=fees-title]")
        fees.get_by_label("Reason").fill("an heir among heirs")
        fees.get_by_role("button", name="Propose as paid").click()
        expect(flo.get_by_role("alert")).to_contain_text("evidence")
        fees.get_by_label("Reason").fill("an heir among heirs")
        fees.get_by_role("button", name="Propose to waive").click()
        expect(fees).to_contain_text("proposed by fund.flo")
        keep(flo, "fractions")
        assert violations(flo, axe) == []
        fees.get_by_role("button", name="Agree").click()
        expect(flo.get_by_role("alert")).to_contain_text("two people")
        gus.goto(here)
        keep(gus, "fractions-390")
        gus.locator("[aria-labelledby=fees-title]").get_by_role("button", name="Agree").click()
        expect(gus.locator("[aria-labelledby=fees-title]")).to_contain_text("waived")
        assert world.balance("liab:transfer_fees") == 0
