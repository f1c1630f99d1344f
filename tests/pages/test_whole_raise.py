"""A whole raise by hand in the browser, from the invitation to the register, with scripts and without."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect

from bookrunner.adapters.chain import checksum
from bookrunner.adapters.chain.keys import LocalKey
from bookrunner.api import issue
from bookrunner.app.settings import Settings
from bookrunner.core import clock
from bookrunner.pages import web
from bookrunner.pages.access.people.store import People
from bookrunner.sandbox.bank import Payment, StatementHead, write_statement
from bookrunner.sandbox.entering import officer
from bookrunner.sandbox.entering.offers import account_of, equip
from bookrunner.sandbox.entering.papers import ITEMS
from bookrunner.sandbox.world import World, opened
from tests.pages.officers import blank_paper
from tests.pages.test_browser import keep
from tests.pages.test_own import state_profile
from tests.serving import serving
from tests.stages import Install
from tests.subscription.test_api import printed_code

pytestmark = [pytest.mark.browser, pytest.mark.chain, pytest.mark.timeout(300)]

UNITS, PRICE = 25, 100_000
WORDS = "nine quiet herons cross"
PAYER = "021000021-555000111"
STAFF = {
    "officer.ana": "compliance",
    "desk.rosa": "subscription",
    "fund.flo": "treasury",
    "fund.gus": "treasury",
    "agent.theo": "registry",
    "agent.tess": "registry",
    "operator.otto": "engine",
}
DETAIL = {
    "legal_name": "Ada Example",
    "country": "US",
    "address": "1 Sample Street, Springfield",
    "email": "ada@example.test",
    "tax_id": "900001234",
    "birth_date": "1980-01-31",
}


@dataclass(frozen=True)
class House:
    """A running installation, where its pages are, and who may come in."""

    world: World
    url: str
    people: People
    browser: Browser
    stack: ExitStack
    keys: dict[str, str]

    def work(self) -> None:
        """Answer every event, as the worker does."""
        self.world.application.tend(0)

    def invite(self, name: str, *, scripts: bool) -> Page:
        """Let an investor take its invitation up in a browser of its own."""
        self.people.propose(name, "portal", actor="usr_admin")
        invitation = self.people.invite(name, actor="usr_second")
        page = self.stack.enter_context(watched(self.browser, scripts=scripts))
        page.goto(f"{self.url}/invitation")
        page.get_by_label("Your invitation").fill(invitation)
        page.get_by_role("button", name="Continue").click()
        page.get_by_role("textbox", name="Password").fill(WORDS)
        page.get_by_role("button", name="Set the password").click()
        expect(page.get_by_text("You are")).to_be_visible()
        return page

    def enter(self, name: str, keeper: str, *, scripts: bool) -> Page:
        """Let a person of a keeper sign in with a key, which needs no script as a passkey does."""
        if name not in self.keys:
            self.keys[name] = issue(self.world.endpoint, name, keeper, actor="usr_admin")
        page = self.stack.enter_context(watched(self.browser, scripts=scripts))
        page.goto(f"{self.url}/sign-in")
        page.get_by_label("Your key").fill(self.keys[name])
        page.get_by_role("button", name="Sign in").click()
        return page


@contextmanager
def watched(browser: Browser, *, scripts: bool) -> Iterator[Page]:
    """Lend a page that fails on a console error which is no answered refusal."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, java_script_enabled=scripts)
    page = context.new_page()
    faults: list[str] = []
    page.on("console", lambda said: faults.append(said.text) if said.type in {"error", "warning"} else None)
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    yield page
    context.close()
    assert [fault for fault in faults if "409" not in fault] == []


@pytest.fixture(scope="module")
def world(state_root: Path, install_at: Install) -> Iterator[World]:
    """Run an installation on a real node, with the lists of the sandbox in force."""
    folder = state_root / "whole-raise"
    install_at(folder, 0)
    with opened(Settings(state_dir=folder)) as running:
        officer(running.application, "ofr_none").put_lists_in_force()
        yield running


@pytest.fixture(scope="module")
def keys() -> dict[str, str]:
    """Return the keys of people that were made, by their names."""
    return {}


def publish(world: World, offering: str) -> None:
    """Publish an offer with its token on the chain, its packet and its escrow account."""
    app = world.application
    terms = {
        "issuer_id": "iss_whole",
        "name": "Harbour Street Growth Fund",
        "exemption": "506(c)",
        "currency": "USD",
        "unit_price_minor": PRICE,
        "units_total": 5_000,
        "minimum_units": 5,
        "agreement_form": "packet",
    }
    engine = app.desk.engine
    engine.open_offer(actor="issuer.iris", offering=offering, terms=terms)
    for status in ("legal_review", "legal_accepted"):
        engine.move_offer(actor="counsel.carl", offering=offering, status=status)
    equip(app, offering, lambda: app.deploy_token(world.tools.artifacts, offering, 5_000))
    engine.move_offer(actor="issuer.iris", offering=offering, status="published")


class Raise:
    """One investor's way through one offer, by the pages of everybody who has a part in it."""

    def __init__(self, house: House, offering: str, number: int, *, scripts: bool) -> None:
        self.house = house
        self.offering = offering
        self.number = number
        self.scripts = scripts
        self.name = f"ivr_whole{number}"
        self.investor = house.invite(self.name, scripts=scripts)
        self.investment = ""

    def at(self, name: str) -> Page:
        """Let a person of a keeper in under a name of this raise."""
        return self.house.enter(f"{name}{self.number}", STAFF[name], scripts=self.scripts)

    def go(self, page: Page, path: str) -> Page:
        page.goto(self.house.url + path)
        return page

    @property
    def home(self) -> str:
        return f"/investments/{self.investment}"

    def shot(self, name: str) -> None:
        if self.scripts:
            keep(self.investor, f"whole-{name}-1280")

    def profile(self) -> None:
        page = self.go(self.investor, "/profile")
        state_profile(page, DETAIL)
        expect(page.get_by_role("status").first).to_contain_text("Your profile is complete")

    def order(self) -> None:
        page = self.go(self.investor, f"/offers/{self.offering}/apply")
        page.get_by_label("Units").fill(str(UNITS))
        page.get_by_role("button", name="Reserve the units").click()
        found = re.search(r"/investments/(inv_\w+)/apply", page.url)
        assert found is not None
        self.investment = found[1]
        self.go(page, self.home)
        expect(page.locator("#now [role=status]").first).to_contain_text("investor is cleared")
        self.shot("waits-for-compliance")

    def closed_gate(self) -> None:
        """Show the closed gate to investor and desk, each in its own words."""
        page = self.go(self.investor, f"{self.home}/apply/sign")
        expect(page.get_by_role("heading", level=1)).to_have_text("Amount")
        operator = self.go(self.at("operator.otto"), f"/offers/{self.offering}")
        operator.get_by_role("button", name="Close all").click()
        refused = operator.get_by_role("alert")
        expect(refused).to_contain_text("Refused: gate is closed")
        for condition, keeper in (("investor is cleared", "compliance"), ("wallet is linked", "registry")):
            line = refused.get_by_role("listitem").filter(has_text=condition)
            expect(line).to_contain_text(f"{keeper} decides")

    def clear(self) -> None:
        """Let an officer begin the checks, verify the identity and the accreditation."""
        page = self.at("officer.ana")
        self.go(page, "/compliance/intake")
        page.get_by_role("button", name=f"Begin the checks of {self.name}").click()
        page.get_by_role("link", name="Decide on the identity").click()
        paper: FilePayload = {"name": "scan.pdf", "mimeType": "application/pdf", "buffer": blank_paper()}
        page.get_by_label("Paper", exact=True).select_option("passport")
        page.get_by_label("Scan").set_input_files(paper)
        page.get_by_role("button", name="Put on file").click()
        page.get_by_label("Verified", exact=True).check()
        for box in page.get_by_role("group", name="Verified now").get_by_role("checkbox").all():
            box.check()
        page.get_by_label("Verified from").select_option("documentary")
        page.get_by_label("passport").check()
        page.get_by_label("Reason").fill("compared with the passport")
        page.get_by_role("button", name="Record the decision").click()
        expect(page.get_by_role("status").first).to_contain_text("Recorded")
        self.go(page, f"/compliance/cases/{self.name}")
        page.get_by_role("link", name="Review the accreditation").click()
        for kind in ("credit_report", "asset_statement", "statement_of_liabilities"):
            page.get_by_label("Evidence", exact=True).select_option(kind)
            page.get_by_label("File", exact=True).set_input_files(paper)
            page.get_by_role("button", name="Add to the evidence").click()
        page.get_by_label("Approved", exact=True).check()
        page.get_by_label("Method").select_option("net_worth")
        page.get_by_label("Reason").fill("the reports were read")
        page.get_by_role("button", name="Record the decision").click()
        expect(page.get_by_role("status").first).to_contain_text("approved")
        self.house.work()

    def sign(self) -> None:
        """Let the investor consent, acknowledge, state its tax form and sign what was made of it."""
        page = self.go(self.investor, f"{self.home}/apply")
        page.get_by_role("link", name="Go on with this amount").click()
        page.get_by_role("button", name="This is right, go on").click()
        sample = page.request.get(f"{self.house.url}{self.home}/apply/sample.pdf")
        page.get_by_label("Code in the sample").fill(printed_code(sample.body()))
        page.get_by_label("I consent to receive").check()
        page.get_by_role("button", name="Consent", exact=True).click()
        for _ in ITEMS:
            link = page.get_by_role("link", name="Open the document (in a new tab)").get_attribute("href")
            assert page.request.get(f"{self.house.url}{link}").ok
            page.get_by_role("checkbox").check()
            page.get_by_role("button", name="Confirm and go on").click()
        page.get_by_label("W-9", exact=True).check()
        page.get_by_role("button", name="Go on").click()
        page.get_by_label("Federal tax classification").fill("Individual")
        page.get_by_label("Kind of number").select_option("SSN")
        page.get_by_label("Its last four digits").fill("1234")
        page.get_by_role("group", name="Subject to backup withholding").get_by_label("no").check()
        page.get_by_role("button", name="State the tax form").click()
        page.get_by_role("button", name="Ask for my agreement").click()
        self.house.work()
        self.go(page, f"{self.home}/apply/sign")
        page.get_by_role("checkbox").check()
        page.get_by_role("button", name="Sign", exact=True).click()
        expect(page.get_by_text("waiting for the issuer")).to_be_visible()

    def countersign(self) -> None:
        """Let the desk release the signed file, and another person countersign it."""
        path = f"/desk/{self.offering}/agreements"
        rosa = self.go(self.at("desk.rosa"), path)
        rosa.get_by_role("button", name="In good order, release").click()
        ivan = self.go(self.house.enter("issuer.ivan", "subscription", scripts=self.scripts), path)
        ivan.get_by_role("checkbox").first.check()
        ivan.get_by_role("button", name="Countersign the ticked ones").click()
        self.house.work()
        self.go(rosa, f"/desk/{self.offering}/allocations")
        rosa.get_by_role("button", name="Approve the units").click()
        expect(rosa.get_by_role("status").first).to_contain_text("No units wait")
        self.house.work()

    def claim(self) -> None:
        """Let the investor prove its wallet in the page, a forged signature first."""
        key = LocalKey(self.number.to_bytes(32), chain_id=self.house.world.application.chain.chain_id())
        page = self.go(self.investor, f"{self.home}/wallets")
        page.get_by_label("Address").fill(checksum(key.address))
        page.get_by_role("button", name="Go on to the proof").click()
        text = page.get_by_label("Text to sign").input_value()
        forged = LocalKey(b"\x09" * 32, chain_id=31337).sign_text(text)
        page.get_by_label("Signature").fill(f"0x{forged.hex()}")
        page.get_by_role("button", name="Claim the wallet").click()
        expect(page.get_by_role("alert")).to_contain_text("Refused")
        page.get_by_label("Signature").fill(f"0x{key.sign_text(text).hex()}")
        page.get_by_role("button", name="Claim the wallet").click()
        expect(page.get_by_role("status").first).to_contain_text("The wallet signed")
        self.house.work()
        self.go(page, f"{self.home}/wallets")
        expect(page.get_by_text("waiting for the issuer")).to_be_visible()
        self.shot("wallets")

    def link(self) -> None:
        """Let the agent record the issuer's consent, and another one link the wallet."""
        path = f"/registry/{self.offering}/wallets"
        tess = self.go(self.at("agent.tess"), path)
        tess.get_by_role("button", name="Record the issuer's consent").click()
        theo = self.go(self.at("agent.theo"), path)
        theo.get_by_role("button", name="Link to the holder").click()
        expect(theo.get_by_role("status").first).to_contain_text("recorded")

    def pay(self) -> None:
        """Let the administrator import the wire, accept its source with another one, and confirm it."""
        page = self.go(self.investor, self.home)
        reference = page.locator("#pay").inner_text()
        found = re.search(r"RF\d\d[\d ]+", reference)
        assert found is not None, reference
        self.shot("how-to-pay")
        amount = UNITS * PRICE
        wire = Payment(amount, found[0].replace(" ", "").strip(), "Ada Example", PAYER, clock.today())
        head = StatementHead(account_of(self.offering), "USD", 1, clock.today(), 0)
        raw = write_statement(head, [wire])
        flo, gus = self.at("fund.flo"), self.at("fund.gus")
        self.go(flo, f"/treasury/{self.offering}/statements")
        flo.get_by_label("Statement file").set_input_files(
            {"name": "statement.xml", "mimeType": "text/xml", "buffer": raw}
        )
        flo.get_by_role("button", name="Import").click()
        for person, choice, button in (
            (flo, "Accept the source", "Propose"),
            (gus, "Agree", "Record the decision"),
        ):
            self.go(person, f"/treasury/{self.offering}/queue")
            person.locator("table.work").get_by_role("link").first.click()
            person.get_by_label(choice, exact=True).check()
            person.get_by_label("Reason").fill("the investor's own account")
            person.get_by_role("button", name=button, exact=True).click()
        gus.get_by_role("button", name="Confirm as final").click()
        expect(gus.get_by_role("status").first).to_contain_text("cleared")

    def close(self) -> None:
        """Let the operator close, and the worker carry the closing to the register."""
        page = self.house.enter(f"closer.olga{self.number}", "engine", scripts=self.scripts)
        self.go(page, f"/offers/{self.offering}")
        page.get_by_role("button", name="Close those ready (1)").click()
        expect(page.get_by_text("is frozen; issuance")).to_be_visible()
        app = self.house.world.application
        ((offering, closing),) = app.open_closings()
        assert app.run_closing(offering, closing) == 1

    def held(self) -> None:
        """Find the units in the investor's holdings, with a statement of them."""
        page = self.go(self.investor, "/holdings")
        expect(page.get_by_text(f"{UNITS} units")).to_be_visible()
        with page.expect_download() as started:
            page.get_by_role("button", name="Make the statement").click()
        assert Path(started.value.path()).read_bytes().startswith(b"%PDF-")
        self.go(page, "/holdings")
        self.shot("holdings")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_a_whole_raise_goes_through_the_pages(
    world: World, keys: dict[str, str], browser: Browser, *, scripts: bool
) -> None:
    number = 1 if scripts else 2
    offering = f"ofr_whole{number}"
    publish(world, offering)
    app = web(world.application)
    with serving(app) as url, ExitStack() as stack:
        stack.callback(app.state.hints.__setattr__, "closing", True)  # noqa: FBT003
        house = House(world, url, People(world.application.database), browser, stack, keys)
        one = Raise(house, offering, number, scripts=scripts)
        one.profile()
        one.order()
        one.closed_gate()
        one.clear()
        one.sign()
        one.countersign()
        one.claim()
        one.pay()
        # With scripts the page that stands open hears of the link by itself.
        shown = one.go(one.investor, one.home)
        expect(shown.locator("#now [role=status]").first).to_contain_text("wallet is linked")
        one.link()
        house.work()
        if not scripts:
            shown.reload()
        expect(shown.locator("#now [role=status]").first).to_contain_text("Everything is confirmed")
        one.close()
        house.work()
        if not scripts:
            shown.reload()
        expect(shown.locator("#now [role=status]").first).to_contain_text("Your units are registered")
        one.shot("registered")
        one.held()
