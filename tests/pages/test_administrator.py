"""The administrators' day as two people meet it, from the statement to the second person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect

from bookrunner.api import issue
from bookrunner.core.reference import make_reference, printed
from bookrunner.db import Endpoint
from bookrunner.engine.intake import fingerprint
from bookrunner.sandbox.bank import Payment, StatementHead, write_statement
from tests.attack.world import Connect
from tests.browsing import BOTH_SCHEMES, axe_is_content, looks
from tests.pages.conftest import Site
from tests.pages.test_browser import keep
from tests.pages.world import OFFERING, PRICE, UNITS
from tests.treasury.escrow import Escrow

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

DUE = UNITS * PRICE
HOME = f"/treasury/{OFFERING}"
ESCROW, OWN, STRANGE = "GB33BUKB20201555555555", "DE89370400440532013000", "FR1420041010050500013M02606"
DAY = date(2026, 3, 3)
# What the world's own statement left in escrow: four investors paid.
OPENING = 4 * DUE


@dataclass(frozen=True)
class Office:
    """The site, and the keys of two administrators and of somebody else."""

    site: Site
    keys: dict[str, str]


@pytest.fixture
def office(site: Site, endpoint: Endpoint) -> Office:
    world = site.world
    for number in ("0007", "0008"):
        world.add(number)
        world.treasury.approve_source(
            actor="fund",
            investor=f"ivr_{number}",
            source=f"src_own{number}",
            fingerprint=fingerprint(OWN + number),
        )
    names = {"fund.flo": "treasury", "fund.gus": "treasury", "officer.ana": "compliance"}
    names |= {"ivr_0007": "portal", "ivr_0008": "portal"}
    return Office(
        site, {name: issue(endpoint, name, keeper, actor="usr_admin") for name, keeper in names.items()}
    )


def paid(amount: int, payer: str, account: str, reference: str | None = None) -> Payment:
    return Payment(amount, reference, payer, account, DAY)


MONEY = (
    paid(40_000, "Investor Seven", OWN + "0007", make_reference("000000000007")),
    paid(60_000, "Investor Seven", OWN + "0007"),
    paid(DUE, "A Friend", STRANGE, make_reference("000000000008")),
)


def statement(payments: Sequence[Payment] = MONEY, sequence: int = 1) -> FilePayload:
    raw = write_statement(StatementHead(ESCROW, "USD", sequence, DAY, OPENING), payments)
    return {"name": "statement.xml", "mimeType": "text/xml", "buffer": raw}


@contextmanager
def at(
    office: Office,
    browser: Browser,
    name: str = "fund.flo",
    *,
    width: int = 1200,
    scripts: bool = True,
) -> Iterator[Page]:
    """Lend a page of a person who has signed in; it fails on any fault but an answered refusal."""
    context = browser.new_context(viewport={"width": width, "height": 900}, java_script_enabled=scripts)
    page = context.new_page()
    faults: list[str] = []
    page.on("console", lambda said: faults.append(said.text) if said.type in {"error", "warning"} else None)
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    page.goto(f"{office.site.url}{HOME}")
    page.get_by_label("Your key").fill(office.keys[name])
    page.get_by_role("button", name="Sign in").click()
    yield page
    context.close()
    assert [f for f in faults if not any(code in f for code in ("401", "403", "409", "412"))] == []


def bring(page: Page, office: Office, file: FilePayload) -> None:
    page.goto(f"{office.site.url}{HOME}/statements")
    page.get_by_label("Statement file").set_input_files(file)
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        page.get_by_role("button", name="Import").click()


def open_receipt(page: Page, office: Office, stopped_by: str) -> None:
    page.goto(f"{office.site.url}{HOME}/queue")
    page.locator("table.work tr", has_text=stopped_by).get_by_role("link").first.click()


def propose(page: Page, choice: str, reason: str) -> None:
    page.get_by_label(choice, exact=True).check()
    page.get_by_label("Reason").fill(reason)
    page.get_by_role("button", name="Propose", exact=True).click()


def decide(page: Page, choice: str, reason: str = "") -> None:
    page.get_by_label(choice, exact=True).check()
    page.get_by_label("Reason").fill(reason)
    page.get_by_role("button", name="Record the decision").click()


def test_the_administrators_day(office: Office, browser: Browser) -> None:
    with at(office, browser) as flo, at(office, browser, "fund.gus") as gus:
        expect(flo.get_by_role("status")).to_contain_text("agree to the cent")
        bring(flo, office, statement())
        expect(flo.get_by_role("status")).to_contain_text("3 new receipts from ISO 20022 camt")
        keep(flo, "imported")
        bring(flo, office, statement())
        expect(flo.get_by_role("alert")).to_contain_text("this statement was imported before")
        keep(flo, "imported-twice")
        flo.goto(f"{office.site.url}{HOME}/queue")
        expect(flo.locator("#now [role=status]")).to_contain_text("2 waiting, 1,600.00 USD; 0 for a second")
        expect(flo.locator("table.work")).to_contain_text("the payment names no reference")
        expect(flo.locator("table.work")).to_contain_text(
            "it came from an account that is not the investor's"
        )
        keep(flo, "queue")

        open_receipt(flo, office, "names no reference")
        expect(flo.get_by_text("source is approved, amount is due")).to_be_visible()
        expect(flo.get_by_label("Investment", exact=True)).to_have_value("inv_0007")
        flo.get_by_label("Match to an investment", exact=True).check()
        flo.get_by_label("Reason").fill("the same account paid the first part")
        flo.get_by_role("button", name="Dry run").click()
        expect(flo.locator("#dry-run")).to_contain_text("liab:inv:inv_0007:received")
        expect(flo.locator("#dry-run")).to_contain_text("received 400.00 USD → 1,000.00 USD of 1,000.00 USD")
        expect(flo.locator("#dry-run")).to_contain_text("would no longer miss funds are received")
        expect(flo.get_by_label("Reason")).to_have_value("the same account paid the first part")
        keep(flo, "dry-run")
        flo.get_by_role("button", name="Propose", exact=True).click()
        expect(flo.get_by_role("status")).to_contain_text("waits for another administrator")
        decide(flo, "Agree")
        expect(flo.get_by_role("alert")).to_contain_text("another administrator decides")
        keep(flo, "same-person")

        gus.goto(f"{office.site.url}{HOME}/queue")
        keep(gus, "second-person")
        gus.get_by_role("link", name="Match to inv_0007").click()
        expect(gus.get_by_text("the same account paid the first part")).to_be_visible()
        keep(gus, "proposal")
        decide(gus, "Agree")
        expect(gus.get_by_role("status")).to_contain_text("The receipt is matched")
        open_receipt(gus, office, "not the investor's")
        propose(gus, "Accept the source", "compliance cleared the payer on 3 March")
        flo.goto(gus.url.partition("?")[0])
        decide(flo, "Agree")
        expect(flo.get_by_role("status")).to_contain_text("The receipt is matched")


def test_a_match_is_undone_by_a_reversing_entry(office: Office, browser: Browser) -> None:
    with at(office, browser) as flo, at(office, browser, "fund.gus") as gus:
        bring(flo, office, statement())
        flo.goto(f"{office.site.url}{HOME}?account=liab:unmatched")
        expect(flo.locator("#account-title")).to_contain_text("liab:unmatched")
        matched = f"{office.site.url}{HOME}/receipts/rcp_0001"
        flo.goto(matched)
        propose(flo, "Undo the match", "the bank named another payer")
        gus.goto(matched)
        gus.get_by_label("Agree", exact=True).check()
        gus.get_by_role("button", name="Dry run").click()
        expect(gus.locator("#dry-run")).to_contain_text("reverses")
        expect(gus.locator("#dry-run")).to_contain_text(
            "The gate would miss funds are cleared, funds are received"
        )
        gus.get_by_role("button", name="Record the decision").click()
        expect(gus.get_by_text("an earlier match was undone")).to_be_visible()
        keep(gus, "undone")
        gus.goto(f"{office.site.url}{HOME}")
        expect(gus.get_by_role("status")).to_contain_text("agree to the cent")


def test_money_is_divided_combined_and_sent_back(office: Office, browser: Browser) -> None:
    with at(office, browser) as flo, at(office, browser, "fund.gus") as gus:
        bring(flo, office, statement())
        open_receipt(flo, office, "names no reference")
        flo.get_by_label("Amounts in USD").fill("100.00\n400.00")
        flo.get_by_role("button", name="Divide").click()
        expect(flo.get_by_role("alert")).to_contain_text("must be two or more and sum to the receipt")
        expect(flo.get_by_label("Amounts in USD")).to_have_value("100.00\n400.00")
        flo.get_by_label("Amounts in USD").fill("100.00\n500.00")
        flo.get_by_role("button", name="Divide").click()
        expect(flo.get_by_text("It stands in its parts.")).to_be_visible()
        keep(flo, "divided")
        for box in flo.get_by_role("checkbox").all():
            box.check()
        flo.get_by_role("button", name="Combine those chosen").click()
        expect(flo.get_by_role("heading", level=1)).to_have_text("Receipt of 600.00 USD")
        flo.get_by_label("Purpose").fill("to call the payer's bank")
        flo.get_by_role("button", name="Show the payer").click()
        expect(flo.get_by_text("Investor Seven")).to_be_visible()
        propose(flo, "Send back", "the investor asks for it")
        gus.goto(flo.url.partition("?")[0])
        expect(gus.locator(".events")).to_contain_text("payer view, viewed")
        decide(gus, "Agree")
        gus.goto(f"{office.site.url}{HOME}/payouts")
        expect(gus.locator("tr", has_text="unidentified")).to_contain_text("not sent yet")
        keep(gus, "refunds")
        gus.goto(f"{office.site.url}{HOME}/returns")
        expect(gus.locator("tr", has_text="inv_0007")).to_contain_text("600.00 USD")
        keep(gus, "returns")


def test_a_decision_on_a_stale_version_loses_nothing(office: Office, browser: Browser) -> None:
    with at(office, browser) as flo, at(office, browser, "fund.gus") as gus:
        bring(flo, office, statement())
        open_receipt(flo, office, "names no reference")
        propose(flo, "Send back", "nobody answers")
        gus.goto(flo.url.partition("?")[0])
        decide(flo, "Decline", "the investor called")
        gus.get_by_label("Agree", exact=True).check()
        gus.get_by_label("Reason").fill("I agree with this")
        with gus.expect_response(lambda answer: answer.request.method == "POST") as answered:
            gus.get_by_role("button", name="Record the decision").click()
        assert answered.value.status == 412
        alert = gus.get_by_role("alert")
        expect(alert).to_contain_text("Refused: decision is on the version seen")
        expect(alert).to_contain_text("the investor called")
        expect(gus.get_by_label("Reason")).to_have_value("I agree with this")
        keep(gus, "stale")


def test_a_release_needs_payee_and_amount_from_two(
    office: Office, browser: Browser, connect: Connect
) -> None:
    escrow = Escrow(connect, "two")
    escrow.build("registered")
    desk = f"{office.site.url}/treasury/{escrow.offering}"
    with at(office, browser) as flo, at(office, browser, "fund.gus") as gus:
        receipt = escrow.ask("select receipt_id from treasury.receipt where investment_id = 'inv_two1'")[0][0]
        flo.goto(f"{desk}/receipts/{receipt}")
        propose(flo, "Undo the match", "too late")
        expect(flo.get_by_role("alert")).to_contain_text("units are instructed or issued for this money")
        keep(flo, "after-issuance")
        flo.goto(f"{desk}/payouts")
        flo.get_by_label("Account of the payee").fill(OWN)
        flo.get_by_role("button", name="Propose").click()
        expect(flo.get_by_text("waiting for a second person")).to_be_visible()
        for page, payee, says in (
            (flo, OWN, "another administrator does"),
            (gus, STRANGE, "payee or amount differ"),
        ):
            page.goto(f"{desk}/payouts")
            page.get_by_label("Approve the release").check()
            page.get_by_label("Account of the payee").first.fill(payee)
            page.get_by_label("Amount in USD").fill("3,000.00")
            page.get_by_role("button", name="Record the decision").click()
            expect(page.get_by_role("alert")).to_contain_text(says)
        keep(gus, "release-refused")
        expect(gus.get_by_label("Amount in USD")).to_have_value("3,000.00")
        gus.get_by_label("Account of the payee").first.fill(OWN)
        gus.get_by_role("button", name="Record the decision").click()
        expect(gus.locator("tr", has_text=escrow.closing)).to_contain_text("fund.gus")
        keep(gus, "released")


def test_a_release_shows_its_fees_gross_and_net(office: Office, browser: Browser, connect: Connect) -> None:
    escrow = Escrow(connect, "two")
    escrow.build("registered")
    desk = f"{office.site.url}/treasury/{escrow.offering}/payouts"
    with at(office, browser) as flo, at(office, browser, "fund.gus") as gus:
        flo.goto(desk)
        flo.get_by_label("Account of the payee").fill(OWN)
        flo.get_by_label("Fees and commissions").fill("platform_fee platform 12.00")
        flo.get_by_role("button", name="Propose").click()
        expect(flo.get_by_role("alert")).to_contain_text("kind, payee, account and amount")
        fees = f"platform_fee platform {STRANGE} 120.00\nbroker_commission broker {ESCROW} 30.50"
        flo.get_by_label("Fees and commissions").fill(fees)
        flo.get_by_role("button", name="Propose").click()
        expect(flo.get_by_text("Gross 3,000.00 USD, net 2,849.50 USD")).to_be_visible()
        expect(flo.locator("tr", has_text="broker commission")).to_contain_text("30.50 USD")
        keep(flo, "release-fees")
        gus.goto(desk)
        expect(gus.get_by_text("Investors were shown no fee on these lines")).to_be_visible()
        for net, why, says in (
            ("3,000.00", "agreed by letter", "payee or amount differ"),
            ("2,849.50", "", "what is withheld is not the fees that investors were shown"),
            ("2,849.50", "agreed by letter", ""),
        ):
            gus.get_by_label("Approve the release").check()
            gus.get_by_label("Account of the payee").first.fill(OWN)
            gus.get_by_label("Amount in USD").fill("3,000.00")
            gus.get_by_label("Net to the issuer in USD").fill(net)
            gus.get_by_label("Why the deductions are not the fees shown").fill(why)
            gus.get_by_role("button", name="Record the decision").click()
            if says:
                expect(gus.get_by_role("alert")).to_contain_text(says)
        expect(gus.locator("tr", has_text=escrow.closing)).to_contain_text("2,849.50 USD")
        expect(gus.locator("tr", has_text=escrow.closing)).to_contain_text("fees differ: agreed by letter")
        release = escrow.ask("select release_id from treasury.release")[0][0]
        escrow.call("treasury.store_release_payout", escrow.offering, "pyo_1", b"<Document/>", release)
        gus.goto(desk)
        gus.get_by_label("What the file is for").fill(" ")
        gus.get_by_role("button", name="Take the file").click()
        expect(gus.get_by_role("alert")).to_contain_text("write what the file is for")
        gus.get_by_label("What the file is for").fill("to the bank")
        with gus.expect_download() as taken:
            gus.get_by_role("button", name="Take the file").click()
        assert taken.value.suggested_filename == "pyo_1.xml"
        assert taken.value.path().read_bytes() == b"<Document/>"
        gus.set_viewport_size({"width": 390, "height": 844})
        keep(gus, "orders-390")
    escrow.check()
    assert escrow.ask("select kind, amount_minor from treasury.deduction order by line") == [
        ("platform_fee", 12_000),
        ("broker_commission", 3_050),
    ]


def test_returns_recoveries_and_retries_are_recorded(
    office: Office, browser: Browser, connect: Connect
) -> None:
    escrow = Escrow(connect, "two")
    escrow.build("registered")
    escrow.release()
    desk = f"{office.site.url}/treasury/{escrow.offering}/returns"
    with at(office, browser) as flo:
        for day, says in (("2026-03-31", "It is part of the books"), ("2026-03-31", "came back before")):
            flo.goto(desk)
            flo.get_by_label("Receipt").first.fill("rcp_two1")
            flo.get_by_label("Reason that the bank gives").fill("R01")
            flo.locator("#day").fill(day)
            flo.get_by_role("button", name="Record the return").click()
            expect(flo.locator("main")).to_contain_text(says)
        flo.goto(desk)
        flo.locator("#amount").fill("100.00")
        flo.locator("#recovered-on").fill("2026-04-02")
        flo.get_by_role("button", name="Record the recovery").click()
        expect(flo.locator("tr", has_text="rcp_two1").first).to_contain_text("400.00 USD")
        keep(flo, "recovered")
    assert escrow.balance("asset:clawback_receivable") == 40_000
    escrow.check()
    other = Escrow(connect, "three")
    other.build("instructed")
    other.call("treasury.fail_payment", other.offering, "pay_three1", "ach_debit", "R01")
    other.call("treasury.fail_payment", other.offering, "pay_three2", "ach_debit", "R10")
    with at(office, browser) as flo:
        flo.goto(f"{office.site.url}/treasury/{other.offering}/returns")
        expect(flo.locator("tr", has_text="inv_three2")).to_contain_text("no further attempt")
        flo.get_by_role("button", name="Try again").click()
        expect(flo.get_by_text("Payments that failed or came back: 1")).to_be_visible()
    question = "select attempt_no, status from treasury.payment_attempt where investment_id = %s order by 1"
    assert other.ask(question, "inv_three1") == [(1, "failed"), (2, "initialized")]


def test_an_alarm_is_answered_and_a_token_needs_two(
    office: Office, browser: Browser, connect: Connect
) -> None:
    escrow = Escrow(connect, "two")
    escrow.build("funded")
    notice = {"offering": escrow.offering, "payment": "pay_two1", "status": "returned", "amount": 50_000}
    notice |= {"currency": "USD", "rail": "ach_debit", "code": "R10", "happened_at": "2026-03-30T12:00:00Z"}
    escrow.call("treasury.hear_payment", "acmepay", "msg_1", "key", b"body", notice)
    terms = {"chain_id": 1, "token": "11" * 20, "valid_from": "2026-01-01", "currency": "USD", "decimals": 6}
    terms |= {"minor_decimals": 2, "dust_minor": 0, "received_after": 2, "cleared_after": 20}
    escrow.call("treasury.propose_coin", escrow.offering, "coi_x", terms, actor="key:fund.flo")
    home = f"{office.site.url}/treasury/{escrow.offering}"
    with at(office, browser) as flo, at(office, browser, "fund.gus") as gus:
        flo.goto(f"{home}/returns")
        flo.get_by_label("was").fill("the provider took it for another payment")
        flo.get_by_role("button", name="Answer").click()
        expect(flo.get_by_text("Alarms")).to_have_count(0)
        for page, says in ((flo, "another person does"), (gus, "accepted")):
            page.goto(f"{home}/coins")
            page.get_by_label("Accept the token").check()
            page.get_by_role("button", name="Record the decision").click()
            expect(page.locator("main")).to_contain_text(says)
        keep(gus, "coins")
    assert escrow.gates(1) == (True, True)


def test_a_cheque_and_a_balance_are_recorded(office: Office, browser: Browser) -> None:
    with at(office, browser) as flo:
        page = f"{office.site.url}{HOME}/stored"
        for drawer, says in (
            ("77", "write the name that stands on the cheque"),
            ("Investor Seven", "600.00 USD"),
        ):
            flo.goto(page)
            for label, value in (("Number", "1001"), ("Drawer", drawer), ("Account that", OWN + "0007")):
                flo.get_by_label(label).fill(value)
            flo.locator("#amount").fill("600.00")
            flo.get_by_label("Reference, if").fill(printed(make_reference("000000000007")))
            flo.get_by_label("Drawn on", exact=True).fill("2026-03-02")
            flo.get_by_label("Taken in on").fill("2026-03-03")
            flo.get_by_role("button", name="Record the cheque").click()
            expect(flo.locator("main")).to_contain_text(says)
        keep(flo, "stored")
        flo.get_by_label("Pay an investment from it").check()
        flo.get_by_label("Receipt or investment").fill("inv_0008")
        flo.get_by_label("Amount to pay or send").fill("1.00")
        flo.get_by_role("button", name="Move it").click()
        expect(flo.get_by_role("alert")).to_contain_text("has not left so much here")


def test_a_damaged_statement_is_refused_whole(office: Office, browser: Browser) -> None:
    file = statement()
    file["buffer"] = file["buffer"].replace(b"400.00", b"401.00", 1)
    with at(office, browser) as flo:
        for broken, says in (
            (file, "do not make the closing balance"),
            ({**file, "buffer": b"hello"}, "no bank file that is known here"),
        ):
            bring(flo, office, broken)
            expect(flo.get_by_role("alert")).to_contain_text(says)
        flo.goto(f"{office.site.url}{HOME}/queue")
        expect(flo.locator("#now [role=status]")).to_contain_text("0 waiting")


def paths(page: Page, office: Office) -> Iterator[str]:
    """Bring money, then go to every page of the console and yield its name."""
    bring(page, office, statement())
    open_receipt(page, office, "not the investor's")
    held = page.url
    open_receipt(page, office, "names no reference")
    propose(page, "Send back", "nobody answers")
    waiting = page.url
    named = {
        "treasury": f"{office.site.url}/treasury",
        "escrow": f"{office.site.url}{HOME}?account=asset:escrow_bank",
        "held": held,
        "waiting": waiting,
    } | {
        name: f"{office.site.url}{HOME}/{name}"
        for name in ("account", "statements", "queue", "returns", "coins", "payouts")
    }
    for name, path in named.items():
        page.goto(path)
        yield name


def test_no_page_breaks_an_accessibility_rule(office: Office, browser: Browser, axe: str) -> None:
    with at(office, browser) as page:
        for name in paths(page, office):
            for scheme, _ in looks(page, BOTH_SCHEMES):
                keep(page, f"{name}-{scheme}")
                axe_is_content(page, axe)


def test_nothing_is_wider_than_a_phone_and_nothing_needs_scripts(office: Office, browser: Browser) -> None:
    with at(office, browser, width=390, scripts=False) as page:
        for name in paths(page, office):
            keep(page, f"{name}-390")
            # Scripts are off in the page; the driver's own still measure it.
            assert page.evaluate("document.documentElement.scrollWidth") <= 390, name


def test_the_keyboard_alone_proposes(office: Office, browser: Browser) -> None:
    with at(office, browser) as page:
        bring(page, office, statement())
        page.goto(f"{office.site.url}{HOME}/queue")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        _tab_to(page, "table.work a")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_contain_text("Receipt of")
        _tab_to(page, "input[type=radio]")
        page.keyboard.press("Space")
        _tab_to(page, "#reason")
        page.keyboard.type("the payer called")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_contain_text("waits for another administrator")


def _tab_to(page: Page, wanted: str) -> None:
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("wanted => document.activeElement.matches(wanted)", wanted):
            return
    raise AssertionError(f"the focus never came to {wanted}")


def propose_account(page: Page, office: Office, code: str) -> None:
    page.goto(f"{office.site.url}{HOME}/account")
    for label, text in (
        ("Escrow agent", "Second Trust Company"),
        ("Beneficiary", "Second Trust Company, as escrow agent"),
        ("Bank", "Second Bank"),
        ("Routing number or BIC", code),
        ("Account number or IBAN", "GB94 BARC 1020 1530 0934 59"),
        ("Reason", "the agent has changed banks"),
        ("Agreement signed on", "2026-03-20"),
    ):
        page.get_by_label(label, exact=True).fill(text)
    paper: FilePayload = {"name": "agreement.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7"}
    page.get_by_label("Signed agreement").set_input_files(paper)
    page.get_by_role("button", name="Propose", exact=True).click()


def test_two_people_change_the_account_and_the_investor_sees_it(office: Office, browser: Browser) -> None:
    with at(office, browser) as flo, at(office, browser, "fund.gus") as gus:
        propose_account(flo, office, "021000022")
        expect(flo.get_by_role("alert")).to_contain_text("no routing number with its check digit")
        expect(flo.get_by_label("Escrow agent")).to_have_value("Second Trust Company")
        propose_account(flo, office, "BARCGB22")
        expect(flo.get_by_role("status")).to_contain_text("recorded")
        flo.get_by_label("Put it in force").check()
        flo.get_by_role("button", name="Record the decision").click()
        expect(flo.get_by_role("alert")).to_contain_text("another person does")
        gus.goto(f"{office.site.url}{HOME}/account")
        keep(gus, "account-proposed")
        gus.get_by_label("Put it in force").check()
        gus.get_by_role("button", name="Record the decision").click()
        expect(gus.locator("#now-title + dl")).to_contain_text("GB94 BARC 1020 1530 0934 59")
        gus.goto(f"{office.site.url}/investments/inv_0007")
        expect(gus.locator("#pay")).to_contain_text("GB94 BARC 1020 1530 0934 59")
        expect(gus.locator("#pay")).to_contain_text("The account to pay to has changed")
        expect(gus.locator("#escrow")).to_contain_text("Second Trust Company")
        keep(gus, "account-changed")


def test_an_administrator_answers_for_a_receipt(office: Office, browser: Browser) -> None:
    with at(office, browser) as flo, at(office, browser, "fund.gus") as gus:
        bring(flo, office, statement())
        open_receipt(gus, office, "names no reference")
        expect(gus.get_by_text("Goes back on")).to_be_visible()
        gus.get_by_role("button", name="I answer for it").click()
        expect(gus.locator("dt:has-text('Answers for it') + dd")).to_contain_text("fund.gus")


def test_another_keeper_is_shown_the_door(office: Office, browser: Browser) -> None:
    with at(office, browser, "officer.ana") as page:
        expect(page.get_by_text("treasury decides this")).to_be_visible()


def test_the_ledger_goes_out_as_files(office: Office, browser: Browser) -> None:
    with at(office, browser) as page:
        for name, says in (
            ("trial-balance.csv", "asset:escrow_bank,USD,4000.00"),
            ("statements.csv", "2026-03-02,USD,4000.00,4000.00,True"),
            ("three-balances.csv", "USD,4000.00"),
            ("ledger.beancount", "Assets:Escrow-bank  4000.00 USD"),
            ("account.csv?account=asset:escrow_bank", "receipts_booked,debit,4000.00"),
        ):
            answer = page.request.get(f"{office.site.url}{HOME}/files/{name}")
            assert answer.ok
            assert says in answer.text(), name
