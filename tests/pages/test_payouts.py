"""The pay run as two administrators meet it, and what an investor reads of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect

from bookrunner.api import issue
from bookrunner.db import Endpoint
from bookrunner.engine.life.servicing.distributions import Distributions
from tests.attack.world import Connect
from tests.browsing import violations
from tests.pages.conftest import Site
from tests.pages.test_browser import keep
from tests.servicing.paying import DAY, SPONSOR, Payer, pool
from tests.servicing.paying import distributions as opened
from tests.treasury.escrow import PRICE, digest
from tests.treasury.test_refunds import block

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

TIERS = (
    {"kind": "return_of_capital"},
    {"kind": "preferred_return", "rate_bp": 800, "day_count": "30/360"},
    {"kind": "catch_up", "holders_bp": 0, "target_bp": 2000},
    {"kind": "split", "holders_bp": 8000},
)
PEOPLE = {"fund.flo": "treasury", "fund.gus": "treasury", "ivr_one1": "portal", "ivr_one2": "portal"}


@dataclass(frozen=True)
class Office:
    """The site, an offer with holders, and the keys of its people."""

    site: Site
    world: Payer
    runs: Distributions
    keys: dict[str, str]


@pytest.fixture
def office(site: Site, endpoint: Endpoint, connect: Connect) -> Office:
    world = Payer(connect)
    world.hold()
    world.call("treasury.approve_source", SPONSOR, "src_sponsor", digest("sponsor"))
    world.call(
        "treasury.propose_payee_account", SPONSOR, "pac_sponsor", "bank", "src_sponsor", "asked in writing"
    )
    runs = opened(site.world.database)
    runs.screen_payee(SPONSOR, actor="usr_first")
    world.screen()
    world.call("treasury.decide_payee_account", SPONSOR, "pac_sponsor", "true", 1, actor="usr_second")
    keys = {name: issue(endpoint, name, keeper, actor="usr_admin") for name, keeper in PEOPLE.items()}
    return Office(site, world, runs, keys)


@contextmanager
def at(office: Office, browser: Browser, name: str, width: int = 1280) -> Iterator[Page]:
    """Lend a page of a person who has signed in; it is never wider than its window."""
    context = browser.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    page.goto(f"{office.site.url}{'/holdings' if name.startswith('ivr') else '/treasury'}")
    page.get_by_label("Your key").fill(office.keys[name])
    page.get_by_role("button", name="Sign in").click()
    yield page
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


def test_two_administrators_run_a_distribution(office: Office, browser: Browser, axe: str) -> None:
    world, runs = office.world, office.runs
    terms = pool(6 * PRICE + 200_00, [("roof", 50_00)], TIERS, SPONSOR)
    distribution = runs.draft(world.offering, terms, actor="usr_first")
    here = f"{office.site.url}/treasury/{world.offering}/distributions/{distribution}"
    with at(office, browser, "fund.flo") as flo, at(office, browser, "fund.gus", 390) as gus:
        gus.goto(f"{office.site.url}/treasury/{world.offering}/distributions")
        expect(gus.locator("[aria-labelledby=runs-title]")).to_contain_text("draft")
        keep(gus, "distributions-390")
        flo.goto(here)
        expect(flo.locator("[aria-labelledby=tiers-title]")).to_contain_text("returned 0.00 USD")
        expect(flo.locator("[aria-labelledby=sums-title]")).to_contain_text("less roof")
        keep(flo, "distribution-draft")
        assert violations(flo, axe) == []
        gus.goto(here)
        keep(gus, "distribution-draft-390")
        gus.get_by_role("button", name="Approve").click()
        expect(gus.get_by_role("alert")).to_contain_text("wait for their screening")
        world.screen()
        gus.get_by_role("button", name="Approve").click()
        expect(gus.get_by_role("status")).to_contain_text("part of the books")
        flo.goto(here)
        flo.get_by_role("button", name="Start the payment").click()
        expect(flo.get_by_role("alert")).to_contain_text("funded before it is paid")
        entry = {"id": "rcp_issuer", "key": "key-issuer", "amount": 6 * PRICE + 150_00, "reference": None}
        world.pay("issuer", world.entry(9, fingerprint=digest("issuer").hex(), **entry))
        flo.goto(here)
        flo.get_by_role("button", name="Take it as the issuer's money").click()
        expect(flo.locator("[aria-labelledby=sums-title]")).to_contain_text("3,150.00 USD")
        flo.get_by_role("button", name="Start the payment").click()
        expect(flo.locator("[aria-labelledby=lines-title]")).to_contain_text("4 owed")
        _pay(world, distribution)
        flo.goto(here)
        keep(flo, "distribution-paying")
        assert violations(flo, axe) == []
        expect(flo.locator("[aria-labelledby=lines-title]")).to_contain_text("match with a list")
        expect(flo.locator("[aria-labelledby=lines-title]")).to_contain_text("came back: AC04")
        flo.goto(f"{here}?state=returned")
        flo.get_by_role("button", name="Try again", exact=True).click()
        expect(flo.locator("[aria-labelledby=lines-title]")).to_contain_text("1 owed")
        gus.goto(here)
        keep(gus, "distribution-paying-390")
        gus.get_by_role("button", name="Try again what is not paid").click()
        expect(gus.locator("[aria-labelledby=lines-title]")).to_contain_text("2 owed")


def test_money_that_the_bank_took_back_is_seen_on_the_run(office: Office, browser: Browser, axe: str) -> None:
    world, runs = office.world, office.runs
    distribution = world.ready(runs)
    runs.start(world.offering, distribution, actor="usr_first")
    world.call("treasury.record_return", world.offering, "rcp_issuer", "AC04", DAY)
    with at(office, browser, "fund.flo") as flo:
        flo.goto(f"{office.site.url}/treasury/{world.offering}/distributions/{distribution}")
        sums = flo.locator("[aria-labelledby=sums-title]")
        expect(sums.get_by_role("row", name="Open receivable")).to_contain_text("1,000.00 USD")
        expect(sums.get_by_role("row", name="taken back by the bank")).to_contain_text("1,000.00 USD")
        keep(flo, "distribution-taken-back")
        assert violations(flo, axe) == []
        sums.get_by_role("link", name="returned payments").click()
        expect(flo.locator("main")).to_contain_text("rcp_issuer")


def test_a_coupon_names_the_fixing_that_it_lacks(office: Office, browser: Browser, axe: str) -> None:
    world = office.world
    floating = {"kind": "floating", "rate_bp": 150, "index": "SOFR", "principal": 100_000, "months": 12}
    days = {"day_count": "actual/360", "starts_on": "2026-01-01", "ends_on": "2028-01-01"}
    world.call("engine.propose_schedule", world.offering, "csd_1", {**floating, **days})
    world.call("engine.decide_schedule", world.offering, "csd_1", "true", actor="usr_second")
    fixing = {"index": "SOFR", "on": "2026-01-01", "value": "4.30", "source": "the bank's page"}
    world.call("engine.propose_fixing", world.offering, "cfx_1", fixing)
    world.call("engine.decide_fixing", world.offering, "cfx_1", "true", actor="usr_second")
    with at(office, browser, "fund.flo") as flo, at(office, browser, "fund.gus", 390) as gus:
        flo.goto(f"{office.site.url}/treasury/{world.offering}/coupons")
        coupons = flo.locator("[aria-labelledby=coupons-title]")
        expect(coupons.get_by_role("row", name="2026-01-01 to 2027-01-01")).to_contain_text("not drafted")
        missing = coupons.get_by_role("row", name="2027-01-01 to 2028-01-01")
        expect(missing).to_contain_text("fixing missing")
        expect(missing).to_contain_text("SOFR on 2027-01-01")
        keep(flo, "coupons")
        assert violations(flo, axe) == []
        gus.goto(f"{office.site.url}/treasury/{world.offering}/coupons")
        keep(gus, "coupons-390")


def test_two_administrators_agree_to_pay_in_tokens(office: Office, browser: Browser, axe: str) -> None:
    world, runs = office.world, office.runs
    runs.start(world.offering, world.ready(runs), actor="usr_first")
    terms = {"chain_id": 1, "token": "11" * 20, "valid_from": "2026-01-01", "currency": "USD", "decimals": 6}
    depth = {"minor_decimals": 2, "dust_minor": 1, "received_after": 1, "cleared_after": 2}
    world.call("treasury.propose_coin", world.offering, "coi_1", {**terms, **depth})
    world.call("treasury.decide_coin", world.offering, "coi_1", "true", 1, actor="usr_second")
    here = f"{office.site.url}/treasury/{world.offering}/payees"
    with at(office, browser, "fund.flo") as flo, at(office, browser, "fund.gus", 390) as gus:
        flo.goto(here)
        expect(flo.locator("[aria-labelledby=token-title]")).to_contain_text("no paying wallet")
        proposed = [world.offering, "pwl_1", "coi_1", bytes.fromhex("22" * 20)]
        world.call("treasury.propose_paying_wallet", *proposed, actor="fund.flo")
        flo.goto(here)
        tokens = flo.locator("[aria-labelledby=token-title]")
        tokens.get_by_role("button", name="Agree").click()
        expect(flo.get_by_role("alert")).to_contain_text("two people")
        gus.goto(here)
        gus.locator("[aria-labelledby=token-title]").get_by_role("button", name="Agree").click()
        expect(gus.locator("[aria-labelledby=token-title]")).to_contain_text("in force")
        flo.goto(here)
        tokens.get_by_label("Payee").fill(world.id("ivr", 1))
        tokens.get_by_label("Reason").fill("asked in writing")
        tokens.get_by_role("button", name="Propose tokens").click()
        accounts = flo.locator("[aria-labelledby=accounts-title]")
        expect(accounts).to_contain_text("in tokens to its registered wallet")
        keep(flo, "payees-tokens")
        assert violations(flo, axe) == []
        gus.goto(here)
        keep(gus, "payees-tokens-390")
        gus.locator("[aria-labelledby=accounts-title]").get_by_role("button", name="Agree").click()
        expect(gus.locator("[aria-labelledby=accounts-title]")).to_contain_text("in force")


def test_two_administrators_name_an_account_and_remit_tax(office: Office, browser: Browser, axe: str) -> None:
    world, runs = office.world, office.runs
    runs.start(world.offering, world.ready(runs), actor="usr_first")
    here = f"{office.site.url}/treasury/{world.offering}/payees"
    with at(office, browser, "fund.flo") as flo, at(office, browser, "fund.gus", 390) as gus:
        flo.goto(here)
        flo.get_by_label("Payee", exact=True).fill(world.id("ivr", 2))
        flo.get_by_label("Account", exact=True).fill("ACC-NEW-2")
        paper = {"name": "letter.pdf", "mimeType": "application/pdf", "buffer": b"letter of the bank"}
        flo.get_by_label("Evidence").set_input_files(files=[paper])  # type: ignore[list-item]
        flo.get_by_label("Reason").fill("its letter of today")
        flo.get_by_role("button", name="Propose the account").click()
        expect(flo.get_by_role("status")).to_contain_text("part of the books")
        gus.goto(here)
        gus.get_by_role("button", name="Agree").click()
        expect(gus.get_by_role("alert")).to_contain_text("waits for its screening")
        world.screen()
        gus.get_by_role("button", name="Agree").click()
        expect(gus.locator("[aria-labelledby=accounts-title]")).to_contain_text("in force")
        flo.goto(here)
        flo.get_by_label("Tax year").fill("2026")
        flo.get_by_label("Amount in USD").fill("300.00")
        flo.get_by_label("Account of the tax office").fill("OFFICE-1")
        flo.get_by_role("button", name="Propose the remittance").click()
        expect(flo.locator("[aria-labelledby=tax-title]")).to_contain_text("proposed")
        keep(flo, "payees")
        assert violations(flo, axe) == []
        gus.goto(here)
        keep(gus, "payees-390")
        gus.locator("[aria-labelledby=tax-title]").get_by_role("button", name="Agree").click()
        expect(gus.locator("[aria-labelledby=tax-title]")).to_contain_text("approved")
        assert world.balance("liab:withheld_tax") == 0
        flo.goto(here)
        keep(flo, "payees-approved")
        assert violations(flo, axe) == []
        for who in (flo, gus):
            who.get_by_label("Reason to give it up").fill("a wrong account")
            keep(who, f"payees-given-up-{who.viewport_size['width']}")  # type: ignore[index]
            who.get_by_role("button", name="Give up").click()
        expect(flo.get_by_role("alert")).to_contain_text("two people")
        expect(gus.locator("[aria-labelledby=tax-title]")).to_contain_text("a wrong account")
        assert world.balance("liab:withheld_tax") == 300_00


def test_a_recipient_takes_the_forms_that_two_people_released(
    office: Office, browser: Browser, axe: str
) -> None:
    world, runs = office.world, office.runs
    world.form(1, form="W-9", name="Example Person", backup_withholding=True)
    distribution = world.ready(runs)
    runs.start(world.offering, distribution, actor="usr_first")
    world.call("treasury.settle_disbursements", world.offering, world.send(distribution), "2025-12-30")
    here = f"{office.site.url}/treasury/{world.offering}/taxes"
    with at(office, browser, "fund.flo", 390) as flo:
        flo.goto(here)
        flo.get_by_label("Year", exact=True).fill("2025")
        flo.get_by_role("button", name="Draft the forms").click()
        expect(flo.locator("[aria-labelledby=years-title]")).to_contain_text("3 forms as CSV")
        keep(flo, "taxes-390")
        flo.get_by_role("button", name="Release the forms").click()
        expect(flo.get_by_role("alert")).to_contain_text("two people")
    with at(office, browser, "fund.gus") as gus:
        gus.goto(here)
        gus.get_by_role("button", name="Release the forms").click()
        expect(gus.locator("[aria-labelledby=years-title]")).to_contain_text("released")
        keep(gus, "taxes")
        assert violations(gus, axe) == []
    with at(office, browser, "ivr_one1") as one:
        one.goto(f"{office.site.url}/holdings")
        one.get_by_role("link", name="Your tax documents").click()
        expect(one.get_by_role("status")).to_contain_text("1 form for what you were paid")
        with one.expect_download() as taken:
            one.get_by_role("button", name="Take the data").click()
        assert '"4": "40.00"' in taken.value.path().read_text(encoding="utf-8")
        one.reload()
        expect(one.locator("[aria-labelledby=form-1]")).to_contain_text("first taken on")
        keep(one, "own-taxes")
        assert violations(one, axe) == []
        one.set_viewport_size({"width": 390, "height": 900})
        keep(one, "own-taxes-390")
        assert one.evaluate("document.documentElement.scrollWidth") <= 390
        one.set_viewport_size({"width": 1280, "height": 900})


def _pay(world: Payer, distribution: str) -> None:
    """Send what may be sent: one payee is on a list, and the payment of another comes back."""
    block(world, 3)
    lines = world.send(distribution)
    assert len(lines) == 3
    world.call("treasury.settle_disbursements", world.offering, lines, DAY)
    world.call("treasury.return_disbursement", world.offering, world.line(2), "AC04", DAY)


def test_an_investor_reads_what_it_is_paid_and_why_not(office: Office, browser: Browser) -> None:
    world, runs = office.world, office.runs
    with at(office, browser, "ivr_one1", 390) as one:
        one.goto(f"{office.site.url}/holdings")
        one.get_by_role("link", name="Your distributions").click()
        expect(one.get_by_role("status")).to_contain_text("Nothing has been distributed to you yet")
        distribution = world.ready(runs)
        runs.start(world.offering, distribution, actor="usr_first")
        block(world, 2)
        lines = world.send(distribution)
        world.call("treasury.settle_disbursements", world.offering, lines, DAY)
        one.reload()
        expect(one.get_by_role("table")).to_contain_text("no valid form was given")
        expect(one.get_by_role("table")).to_contain_text("paid")
        keep(one, "own-distributions-390")
    with at(office, browser, "ivr_one2") as two:
        two.goto(f"{office.site.url}/holdings/distributions")
        expect(two.get_by_role("table")).to_contain_text("A check is not finished")
        expect(two.get_by_role("table")).not_to_contain_text("match")
        keep(two, "own-distributions-held")
