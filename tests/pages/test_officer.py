"""The officer's day as a person meets it: queue, hit, second person, stale version, refusals, keys alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect

from bookrunner.api import issue
from bookrunner.books import compliance
from bookrunner.core.errors import VersionChanged
from bookrunner.db import Endpoint
from bookrunner.engine import Desk, Process
from bookrunner.pages.compliance.deciding.forms import Decision
from bookrunner.pages.compliance.deciding.officer import Officer
from tests.attack.world import Connect
from tests.browsing import BOTH_SCHEMES, PHONE, axe_is_content, fits, looks
from tests.pages.conftest import Site
from tests.pages.officers import ENTITY, PERSON, Work, blank_paper
from tests.pages.test_browser import keep
from tests.stages import Built

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


@dataclass(frozen=True)
class Office:
    """The site with work on it, and the keys of two officers and of somebody else."""

    site: Site
    work: Work
    keys: dict[str, str]


@pytest.fixture
def office(site: Site, endpoint: Endpoint, worked: Built) -> Office:  # noqa: ARG001 - what the copy is of
    work = Work(site.world.database)
    names = {"officer.ana": "compliance", "officer.ben": "compliance", "fund.flo": "treasury"}
    keys = {name: issue(endpoint, name, keeper, actor="usr_admin") for name, keeper in names.items()}
    return Office(site, work, keys)


@contextmanager
def at(
    office: Office,
    browser: Browser,
    name: str = "officer.ana",
    *,
    width: int = 1200,
) -> Iterator[Page]:
    """Lend a page of a person who has signed in; it fails on any fault but an answered refusal."""
    context = browser.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    faults: list[str] = []
    page.on("console", lambda said: faults.append(said.text) if said.type in {"error", "warning"} else None)
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    page.goto(f"{office.site.url}/compliance")
    page.get_by_label("Your key").fill(office.keys[name])
    page.get_by_role("button", name="Sign in").click()
    yield page
    context.close()
    assert [
        fault for fault in faults if not any(code in fault for code in ("401", "403", "409", "412"))
    ] == []


def decide(page: Page, choice: str, reason: str) -> None:
    page.get_by_label(choice, exact=True).check()
    page.get_by_label("Reason", exact=False).fill(reason)
    page.get_by_role("button", name="Record the decision").click()


def open_hit(page: Page, office: Office, subject: str) -> None:
    page.goto(f"{office.site.url}/compliance?kind=hit")
    page.locator("tr", has_text=subject).get_by_role("link", name="Screening hit").click()


def pages_of(page: Page, office: Office) -> Iterator[str]:
    """Go to every page of the console and yield its name."""
    page.goto(f"{office.site.url}/compliance")
    yield "queue"
    works = {link.inner_text(): link.get_attribute("href") for link in page.locator("table.work th a").all()}
    for path in (f"/compliance/cases/{ENTITY}", f"/compliance/cases/{PERSON}", *works.values()):
        page.goto(f"{office.site.url}{path}")
        yield str(path).strip("/").replace("/", "-").replace(":", "")


def test_no_page_breaks_an_accessibility_rule_or_is_wider_than_a_phone(
    office: Office, browser: Browser, axe: str
) -> None:
    with at(office, browser) as page:
        for name in pages_of(page, office):
            for scheme, _ in looks(page, BOTH_SCHEMES):
                keep(page, f"{name}-{scheme}")
                axe_is_content(page, axe)
            for _, width in looks(page, [("light", PHONE)]):
                keep(page, f"{name}-{width}")
                fits(page)
        page.get_by_role("button", name="Sign out").click()
        for scheme, _ in looks(page, BOTH_SCHEMES):
            keep(page, f"sign-in-{scheme}")
            axe_is_content(page, axe)


def test_the_officers_day(office: Office, browser: Browser) -> None:
    """A hit of high risk from the queue to its decision by two officers, and the case that follows it."""
    with at(office, browser) as ana, at(office, browser, "officer.ben") as ben:
        expect(ana.locator("#now [role=status]")).to_have_text("11 waiting, none overdue.")
        ana.get_by_role("button", name="Take screening hit").first.click()
        expect(ana.get_by_role("heading", level=1)).to_have_text("Screening hit: ofac:7487")
        expect(ana.get_by_text("V••• S•••")).to_be_visible()
        ana.get_by_label("Purpose").fill("to compare both sides")
        ana.get_by_role("button", name="Show names").click()
        expect(ana.get_by_text("Viktor Sokolov", exact=True)).to_be_visible()
        keep(ana, "hit-shown")
        decide(ana, "No match", "born in 1984, the entry in 1961")
        expect(ana.locator("[role=status]")).to_contain_text("waiting for another officer")
        keep(ana, "hit-proposed")
        decide(ana, "Agree", "I am sure")
        expect(ana.get_by_role("alert")).to_contain_text("Refused: weighty hit needs two people")
        keep(ana, "hit-same-person")
        office.site.world.publish()
        expect(ben.locator("tr", has_text="waiting for a second officer")).to_be_visible(timeout=5000)
        expect(ben.locator("tr", has_text="through own_viktor")).to_contain_text("officer.ana")
        open_hit(ben, office, "own_viktor")
        decide(ben, "Agree", "the passport shows it")
        expect(ben.locator("[role=status]")).to_contain_text("Not the listed one, decided by officer.ben")
        ben.goto(f"{office.site.url}/compliance/cases/{ENTITY}")
        expect(ben.locator("#clearance")).not_to_contain_text("missing: sanctions are clear")
        expect(ben.locator(".events")).to_contain_text("hit view, viewed")
        expect(ana.get_by_role("alert")).to_be_visible()


def test_a_decision_on_a_stale_version_loses_nothing(office: Office, browser: Browser) -> None:
    with at(office, browser) as ana, at(office, browser, "officer.ben") as ben:
        for page in (ana, ben):
            open_hit(page, office, PERSON)
        decide(ben, "Escalated", "the name is common; legal should look")
        ana.get_by_label("No match", exact=True).check()
        ana.get_by_label("Reason").fill("another birth date")
        with ana.expect_response(lambda answer: answer.request.method == "POST") as answered:
            ana.get_by_role("button", name="Record the decision").click()
        assert answered.value.status == 412
        alert = ana.get_by_role("alert")
        expect(alert).to_contain_text("Refused: decision is on the version seen")
        expect(alert).to_contain_text("officer.ben")
        expect(alert).to_contain_text("the name is common; legal should look")
        keep(ana, "hit-stale")
        expect(ana.get_by_label("Reason")).to_have_value("another birth date")
        expect(ana.get_by_label("No match", exact=True)).to_be_checked()
        ana.get_by_role("button", name="Record the decision").click()
        expect(ana.locator("[role=status]")).to_contain_text("decided by officer.ana")


def test_evidence_of_a_decision_on_a_stale_version_is_not_kept(office: Office, connect: Connect) -> None:
    officer = Officer(office.site.world.database, "officer.ana")
    in_force = compliance.keeper(office.site.world.database).programme_in_force()
    for seen, programme in (99, in_force), (1, "prg_other"):
        said = Decision(seen, programme, "verified", "the passport was seen")
        with pytest.raises(VersionChanged):
            officer.decide("identity", PERSON, "", said)
    assert connect("owner").execute(b"select count(*) from compliance.sealed_file").fetchone() == (0,)


def test_a_decision_under_a_superseded_programme_is_refused(office: Office, browser: Browser) -> None:
    with at(office, browser) as page:
        open_hit(page, office, PERSON)
        office.work.supersede()
        page.get_by_label("No match", exact=True).check()
        page.get_by_label("Reason").fill("another birth date")
        with page.expect_response(lambda answer: answer.request.method == "POST") as answered:
            page.get_by_role("button", name="Record the decision").click()
        assert answered.value.status == 412
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text("Refused: decision is under the programme in force")
        expect(page.get_by_label("Reason")).to_have_value("another birth date")
        page.get_by_role("button", name="Record the decision").click()
        expect(page.locator("[role=status]")).to_contain_text("decided by officer.ana")


def test_the_keyboard_alone_decides(office: Office, browser: Browser) -> None:
    with at(office, browser) as page:
        page.goto(f"{office.site.url}/compliance?kind=discrepancy")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        _tab_to(page, "Identity discrepancy")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Identity discrepancy")
        _tab_to(page, "")
        page.keyboard.press("Space")
        page.keyboard.press("Tab")
        page.keyboard.type("the old street, moved in May")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.locator("[role=status]")).to_contain_text("resolved Recorded")


def _tab_to(page: Page, text: str) -> None:
    """Press Tab until a link of the content with this text, or the first radio button, has the focus."""
    for _ in range(40):
        page.keyboard.press("Tab")
        here = page.evaluate(
            "() => [document.activeElement.innerText || '', document.activeElement.type || '',"
            " !!document.activeElement.closest('table, form.form')]"
        )
        if here[2] and ((text and here[0] == text) or (not text and here[1] == "radio")):
            return
    raise AssertionError(f"the focus never came to {text or 'the choices'}")


def test_a_confirmed_match_is_reported_and_its_block_ends_by_two(office: Office, browser: Browser) -> None:
    licence = {"name": "licence.pdf", "mimeType": "application/pdf", "buffer": blank_paper()}
    with at(office, browser) as ana, at(office, browser, "officer.ben") as ben:
        open_hit(ana, office, PERSON)
        decide(ana, "Confirmed", "the passport number is the same")
        ben.goto(ana.url.partition("?")[0])
        decide(ben, "Agree", "I compared it too")
        expect(ben.locator("[role=status]")).to_contain_text("everything of the subject is stopped")
        ben.goto(f"{office.site.url}/compliance?kind=report")
        ben.get_by_role("link", name="Sanctions report").last.click()
        ben.get_by_role("button", name="Record the decision").click()
        expect(ben.get_by_role("alert")).to_contain_text("choose the file that proves the filing")
        keep(ben, "report-refused")
        ben.get_by_label("Proof of filing").set_input_files([licence])
        ben.get_by_role("button", name="Record the decision").click()
        expect(ben.locator("[role=status]")).to_contain_text("filed Recorded")
        open_decided(ana, office)
        decide(ana, "Propose to end the block", "a licence came")
        expect(ana.get_by_role("alert")).to_contain_text("Refused: release of a block has its paper")
        ana.get_by_label("Licence or delisting").set_input_files([licence])
        ana.get_by_role("button", name="Record the decision").click()
        expect(ana.locator("[role=status]")).to_contain_text("officer.ana proposes to end the block")
        keep(ana, "release-proposed")
        open_decided(ben, office)
        decide(ben, "Agree", "the licence covers it")
        expect(ben.locator("[role=status]")).to_contain_text("The block has ended")


def open_decided(page: Page, office: Office) -> None:
    page.goto(f"{office.site.url}/compliance/cases/{PERSON}")
    page.locator("#screening").get_by_role("link", name="ofac:7487").click()


def test_each_kind_of_work_is_decided(office: Office, browser: Browser) -> None:
    """Accreditation, change request and diligence, each with its second look where it has one."""
    with at(office, browser) as ana, at(office, browser, "officer.ben") as ben:
        _accreditation(ana, office)
        _change(ana, office)
        _diligence(ana, ben, office)
        _owner(ana, office)
        ana.goto(f"{office.site.url}/compliance?kind=identity")
        ana.get_by_role("link", name="Identity in review").last.click()
        decide_identity(ana)
        ana.goto(f"{office.site.url}/compliance/cases/ivr_0002")
        expect(ana.locator("#identity")).to_contain_text("locked as verified on")
        expect(ana.locator("#identity")).to_contain_text("(version 2)")
        ana.locator("#identity summary").click()
        ana.locator("#identity details").get_by_label("Purpose").fill("to compare the names")
        ana.get_by_role("button", name="Show version 1").click()
        expect(ana.locator("#identity")).to_contain_text("Investor 0002")
        keep(ana, "case-shown")


def _accreditation(page: Page, office: Office) -> None:
    page.goto(f"{office.site.url}/compliance/cases/{PERSON}")
    page.get_by_role("link", name="Review the accreditation").click()
    page.get_by_label("Method").select_option("income")
    decide(page, "Approved", "the tax forms")
    expect(page.get_by_role("alert")).to_contain_text("Refused: accreditation evidence is complete")
    expect(page.get_by_role("alert")).to_contain_text("tax_form_last_year")
    keep(page, "accreditation-refused")
    page.get_by_label("Evidence", exact=True).select_option("licence")
    file = {"name": "licence.pdf", "mimeType": "application/pdf", "buffer": blank_paper()}
    page.get_by_label("File", exact=True).set_input_files([file])
    page.get_by_role("button", name="Add to the evidence").click()
    expect(page.get_by_role("row", name="professional complete")).to_be_visible()
    keep(page, "accreditation-evidence")
    page.get_by_label("Approved", exact=True).check()
    page.get_by_label("Reason").fill("the tax forms")
    page.get_by_label("Method").select_option("third_party_letter")
    page.get_by_label("Valid until").fill("2999-01-01")
    page.get_by_role("button", name="Record the decision").click()
    expect(page.locator("[role=status]")).to_contain_text("approved Recorded")
    page.goto(f"{office.site.url}/compliance/cases/{PERSON}")
    expect(page.locator("#accreditation")).to_contain_text("the tax forms")
    expect(page.locator("#accreditation")).not_to_contain_text("2999")


def _change(page: Page, office: Office) -> None:
    page.goto(f"{office.site.url}/compliance?kind=change")
    page.get_by_role("link", name="Change request").last.click()
    page.get_by_label("Purpose").fill("to compare with the certificate")
    page.get_by_role("button", name="Show the values").click()
    expect(page.locator("ins")).to_have_text("Investor 0002-Hale")
    keep(page, "change-shown")
    decide(page, "Approved", "the certificate of marriage")
    expect(page.locator("[role=status]")).to_contain_text("applied Recorded")
    Process(Desk(office.work.database)).drain()


def _diligence(ana: Page, ben: Page, office: Office) -> None:
    ana.goto(f"{office.site.url}/compliance?kind=diligence")
    ana.get_by_role("link", name="Enhanced due diligence").last.click()
    ana.get_by_label("Findings").fill("The source of funds is the sale of a house, deed on file.")
    ana.get_by_role("button", name="Record the decision").click()
    expect(ana.locator("[role=status]")).to_contain_text("waiting for a second officer")
    decide(ana, "Approved", "complete")
    expect(ana.get_by_role("alert")).to_contain_text("Refused: diligence needs two people")
    ben.goto(ana.url.partition("?")[0])
    ben.get_by_label("Purpose").fill("second look")
    ben.get_by_role("button", name="Show the findings").click()
    expect(ben.locator(".text")).to_contain_text("the sale of a house")
    keep(ben, "diligence-shown")
    decide(ben, "Approved", "the deed agrees")
    expect(ben.locator("[role=status]")).to_contain_text("approved Recorded")


def _owner(page: Page, office: Office) -> None:
    page.goto(f"{office.site.url}/compliance/cases/{ENTITY}")
    page.locator("tr", has_text="ent_holding").get_by_role("link", name="Verify").first.click()
    page.get_by_label("What was checked").fill("the register of companies")
    page.get_by_role("button", name="Record the decision").click()
    expect(page.locator("[role=status]")).to_contain_text("verified Recorded")


def decide_identity(page: Page) -> None:
    decide(page, "Verified", "compared with the certificate")
    expect(page.get_by_role("alert")).to_contain_text("Refused: every identity element is verified")
    keep(page, "identity-refused")
    for box in page.get_by_role("checkbox").all():
        box.check()
    page.get_by_label("Sources, one a line").fill("register of marriages")
    page.get_by_role("button", name="Record the decision").click()
    expect(page.locator("[role=status]")).to_contain_text("approved Recorded")


def test_the_queue_is_filtered_taken_and_live(office: Office, browser: Browser) -> None:
    with at(office, browser) as page:
        page.evaluate("window.kept = true")
        office.work.discrepancy("dsc_name")
        office.site.world.publish()
        expect(page.locator("#now [role=status]")).to_have_text("12 waiting, none overdue.", timeout=5000)
        assert page.evaluate("window.kept") is True
        page.get_by_role("button", name="Take accreditation review").click()
        page.goto(f"{office.site.url}/compliance")
        page.get_by_label("Assigned to").select_option("me")
        page.get_by_role("button", name="Filter").click()
        expect(page.locator("table.work tbody tr")).to_have_count(1)
        page.get_by_role("button", name="Give back").click()
        page.get_by_label("Kind", exact=True).select_option("hit")
        page.get_by_role("button", name="Filter").click()
        expect(page.locator("table.work tbody tr")).to_have_count(2)
        expect(page.locator("table.work tbody tr").first).to_contain_text("high")


def test_the_queue_goes_on_where_a_page_ends(office: Office, browser: Browser) -> None:
    for number in range(30):
        office.work.discrepancy(f"dsc_{number:02}")
    with at(office, browser) as page:
        seen = [row.get_attribute("id") for row in page.locator("table.work tbody tr").all()]
        page.get_by_role("link", name="Next").click()
        seen += [row.get_attribute("id") for row in page.locator("table.work tbody tr").all()]
        assert len(seen) == len(set(seen)) == 41
        keep(page, "queue-second")
