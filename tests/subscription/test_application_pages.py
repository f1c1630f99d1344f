"""An investor's application in a real browser, from the amount to the signed file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

from bookrunner.api import issue
from bookrunner.pages import web
from bookrunner.pages.application.acts import INTENT
from bookrunner.sandbox.entering.papers import ITEMS
from bookrunner.sandbox.story import MINIMUM_UNITS, Story
from bookrunner.sandbox.world import World
from tests.browsing import violations
from tests.pages.test_access import visitor
from tests.pages.test_browser import keep
from tests.serving import serving
from tests.subscription.conftest import Tell, agreement, withdraw
from tests.subscription.test_api import printed_code
from tests.subscription.test_packets import papers, revoke, state

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


@dataclass(frozen=True)
class Door:
    """Where the pages are served, and the keys of investors."""

    url: str
    world: World

    def key(self, name: str, keeper: str = "portal") -> str:
        return issue(self.world.endpoint, name, keeper, actor="usr_admin")


@pytest.fixture(scope="module")
def door(world: World) -> Iterator[Door]:
    with serving(web(world.application)) as url:
        yield Door(url, world)


@contextmanager
def at(browser: Browser, door: Door, path: str, key: str, *, width: int = 1200) -> Iterator[Page]:
    """Lend a page of a person who was asked to sign in on the way to ``path``."""
    context = browser.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    faults: list[str] = []
    page.on("console", lambda said: faults.append(said.text) if said.type in {"error", "warning"} else None)
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    page.goto(door.url + path)
    page.get_by_label("Your key").fill(key)
    page.get_by_role("button", name="Sign in").click()
    yield page
    context.close()
    assert [fault for fault in faults if not any(code in fault for code in ("403", "409"))] == []


def home(story: Story) -> str:
    return f"/investments/{story.people[0].investment}/apply"


def code_in(page: Page, door: Door, story: Story) -> str:
    """Open the sample as the browser of the page does, and read the code in the file."""
    answer = page.request.get(f"{door.url}{home(story)}/sample.pdf")
    assert answer.headers["content-type"] == "application/pdf"
    return printed_code(answer.body())


def consent(page: Page, door: Door, story: Story) -> None:
    page.get_by_role("link", name="Go on with this amount").click()
    page.get_by_role("button", name="This is right, go on").click()
    code = code_in(page, door, story)
    tick = page.get_by_label("I consent to receive")
    expect(tick).not_to_be_checked()
    page.get_by_label("Code in the sample").fill(code[::-1])
    tick.check()
    page.get_by_role("button", name="Consent", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("code is the printed one")
    expect(page.get_by_role("alert")).to_contain_text("4 tries left")
    keep(page, "apply-consent-refused")
    expect(page.get_by_label("I consent to receive")).not_to_be_checked()
    page.get_by_label("Code in the sample").fill(code)
    page.get_by_label("I consent to receive").check()
    page.get_by_role("button", name="Consent", exact=True).click()


def confirm(page: Page, door: Door) -> None:
    """Open the document of the item that is asked for and confirm it."""
    tick = page.get_by_role("checkbox")
    expect(tick).not_to_be_checked()
    link = page.get_by_role("link", name="Open the document (in a new tab)").get_attribute("href")
    assert page.request.get(f"{door.url}{link}").ok
    tick.check()
    page.get_by_role("button", name="Confirm and go on").click()


def state_all(page: Page, door: Door, story: Story) -> None:
    """State tax form, signers and owners, each on a page of its own, and come back to the first open one."""
    url = f"{door.url}{home(story)}"
    expect(page).to_have_url(f"{url}/tax_form")
    person = story.people[0]
    signer = person.detail.get("representative", person.detail["legal_name"])
    page.get_by_label("W-9", exact=True).check()
    page.get_by_role("button", name="Go on").click()
    keep(page, "apply-tax-form-390")
    page.get_by_label("Federal tax classification").fill("Partnership")
    page.get_by_label("Kind of number").select_option("EIN")
    page.get_by_label("Its last four digits").fill(person.detail["tax_id"][-4:])
    page.get_by_role("button", name="State the tax form").click()
    expect(page.get_by_role("alert")).to_contain_text("backup withholding is answered")
    page.get_by_label("Its last four digits").fill(person.detail["tax_id"][-4:])
    page.get_by_role("group", name="Subject to backup withholding").get_by_label("no").check()
    page.get_by_role("button", name="State the tax form").click()
    expect(page).to_have_url(f"{url}/authority")
    page.get_by_label("Signers").fill(f"{signer} Manager")
    page.get_by_label("How many of them").fill("1")
    page.get_by_role("button", name="State the signers").click()
    expect(page.get_by_role("alert")).to_contain_text("lines name their parts")
    page.get_by_label("Signers").fill(f"{signer}; Manager; Resolution of 2026-01-10")
    page.get_by_role("button", name="State the signers").click()
    expect(page).to_have_url(f"{url}/ownership")
    page.get_by_label("Owners and control persons").fill(f"{signer}; control person; 0")
    page.get_by_role("button", name="State the owners").click()
    expect(page.get_by_role("heading", name="Check your answers")).to_be_visible()
    page.get_by_role("link", name="Change: Owners").click()
    expect(page).to_have_url(f"{url}/ownership")
    page.get_by_role("link", name="Back").click()
    expect(page).to_have_url(f"{url}/authority")
    page.goto(url)
    expect(page).to_have_url(f"{url}/review")


def test_an_investor_applies_from_the_amount_to_the_signed_file(
    door: Door, browser: Browser, tell: Tell
) -> None:
    story, app = tell("cleared"), door.world.application
    key = door.key(story.people[0].investor)
    with at(browser, door, f"{home(story)}/sign", key) as page:
        # A jump ahead ends at the first open step.
        expect(page).to_have_url(f"{door.url}{home(story)}/amount")
        keep(page, "apply-amount")
        consent(page, door, story)
        expect(page).to_have_url(f"{door.url}{home(story)}/documents")
        page.get_by_role("checkbox").check()
        page.get_by_role("button", name="Confirm and go on").click()
        expect(page.get_by_role("alert")).to_contain_text("material is opened before it is received")
        for _ in range(3):
            confirm(page, door)
        keep(page, "apply-documents")
        page.goto(f"{door.url}{home(story)}/review")
        expect(page).to_have_url(f"{door.url}{home(story)}/documents")
    with at(browser, door, home(story), key, width=390) as page:
        expect(page.get_by_role("status")).to_have_text(f"3 of {len(ITEMS)} done")
        keep(page, "apply-documents-390")
        for _ in ITEMS[3:]:
            confirm(page, door)
        keep(page, "apply-statements-390")
        state_all(page, door, story)
        keep(page, "apply-review-390")
        page.get_by_role("button", name="Ask for my agreement").click()
        expect(page.get_by_role("heading", name="Your agreement is being made")).to_be_visible()
        app.process.drain()
        page.get_by_role("link", name="Look again").click()
        tick = page.get_by_label(INTENT)
        expect(tick).not_to_be_checked()
        keep(page, "apply-sign-390")
        tick.check()
        page.get_by_role("button", name="Sign", exact=True).click()
        expect(page.get_by_role("main")).to_contain_text("waiting for the issuer")
        keep(page, "apply-file-390")
        file = page.request.get(f"{door.url}{home(story)}/files/signed")
        assert file.body().startswith(b"%PDF")
    assert state(story) == "investor_signed"
    (signer,) = app.desk.packets.signers_of(offering=story.offering, agreement=agreement(story))
    assert signer["intent"] == INTENT
    assert signer["method"] == "session of the investor's own key"
    assert signer["authenticated_at"] is not None


def test_signing_waits_for_compliance(door: Door, browser: Browser, tell: Tell) -> None:
    story = tell("sent")
    revoke(door.world, story)
    with at(browser, door, home(story), door.key(story.people[0].investor)) as page:
        expect(page.get_by_role("heading", name="Signing is not open yet")).to_be_visible()
        expect(page.get_by_role("button", name="Sign", exact=True)).to_have_count(0)
        keep(page, "apply-waits")
        answer = page.request.post(
            f"{door.url}{home(story)}/sign", form={"agree": "yes"}, headers={"Origin": door.url}
        )
        assert answer.status == 409
        assert "gate is closed" in answer.text()
    assert state(story) == "sent"


def test_one_session_signs_for_one_signer(door: Door, browser: Browser, tell: Tell) -> None:
    story = tell("sent to two")
    with at(browser, door, home(story), door.key(story.people[0].investor)) as page:
        page.get_by_role("radio").first.check()
        page.get_by_label(INTENT).check()
        page.get_by_role("button", name="Sign", exact=True).click()
        expect(page.get_by_role("heading", name="The other signers sign next")).to_be_visible()
        expect(page.get_by_role("main")).to_contain_text("1 of 2 have signed. Second Signer 2")
        keep(page, "apply-sign-waits")
        answer = page.request.post(
            f"{door.url}{home(story)}/sign",
            form={"agree": "yes", "party": "investor_2"},
            headers={"Origin": door.url},
        )
        assert answer.status == 409
        assert "each signer is known by itself" in answer.text()
    made = story.desk.packets.signers_of(offering=story.offering, agreement=agreement(story))
    assert [signer["party"] for signer in made] == ["investor"]


def test_a_returned_packet_and_a_withdrawal_are_shown_where_they_are_answered(
    door: Door, browser: Browser, tell: Tell
) -> None:
    story = tell("signed")
    papers(story).give_back(agreement(story), page=4, field="tax", words="Another person.")
    with at(browser, door, home(story), door.key(story.people[0].investor)) as page:
        expect(page.get_by_role("heading", name="Correct: tax")).to_be_visible()
        expect(page.get_by_role("main")).to_contain_text("Page 4.")
        keep(page, "apply-correct")
        page.get_by_label("Your answer").fill("It was stated anew.")
        page.get_by_role("button", name="Answer", exact=True).click()
        expect(page.get_by_role("button", name="Ask for my agreement")).to_be_visible()
        page.goto(f"{door.url}{home(story)}/consent")
        page.get_by_role("button", name="Withdraw my consent").click()
        expect(page.get_by_role("heading", name="Your records come on paper")).to_be_visible()
        expect(page.get_by_role("main")).to_contain_text("records@harbor.example")
        keep(page, "apply-withdrawn")


def test_nobody_else_applies(door: Door, browser: Browser, tell: Tell) -> None:
    story = tell("cleared")
    own, other = story.people[:2]
    for name, keeper in ((other.investor, "portal"), (f"engine-{own.investor}", "engine")):
        with at(browser, door, home(story), door.key(name, keeper)) as page:
            expect(page.get_by_role("main")).not_to_contain_text("What you subscribe for")
            sent = page.request.post(f"{door.url}{home(story)}/profile", headers={"Origin": door.url})
            assert sent.status == 403
    with psycopg.connect(door.world.endpoint.dsn("subscription")) as connection:
        rows = connection.execute(
            "select 1 from subscription.consent_sample where investment_id = %s", [own.investment]
        ).fetchall()
    assert rows == []


def test_each_step_is_accessible(door: Door, browser: Browser, tell: Tell, axe: str) -> None:
    story = tell("sent")
    investor = story.people[0].investor
    with at(browser, door, home(story), door.key(investor)) as page:
        for step in (
            "amount",
            "profile",
            "consent",
            "documents",
            "tax_form",
            "authority",
            "ownership",
            "review",
            "sign",
        ):
            page.goto(f"{door.url}{home(story)}/{step}")
            expect(page).to_have_url(f"{door.url}{home(story)}/{step}")
            found = violations(page, axe)
            broken = [(v["id"], [n["html"] for n in v["nodes"][:2]]) for v in found]
            assert broken == [], step


def test_an_order_is_opened_when_units_are_free(door: Door, browser: Browser, tell: Tell) -> None:
    story = tell("cleared")
    person, path = story.people[-1], f"/offers/{story.offering}/apply"
    with at(browser, door, path, door.key(person.investor), width=390) as page:
        expect(page.get_by_role("main")).to_contain_text("fully reserved")
        withdraw(door.world, story, person)
        page.reload()
        page.get_by_label("Units").fill("many")
        page.get_by_role("button", name="Reserve the units").click()
        expect(page.get_by_role("alert")).to_contain_text("units are a whole number")
        page.get_by_label("Units").fill(f"{person.units + 1:,}")
        page.get_by_role("button", name="Reserve the units").click()
        expect(page.get_by_role("alert")).to_contain_text("units are left")
        keep(page, "apply-order-390")
        page.get_by_label("Units").fill(f"{person.units:,}")
        page.get_by_role("button", name="Wait for units").click()
        expect(page.get_by_role("alert")).to_contain_text("waitlist opens when units run out")
        page.get_by_role("button", name="Reserve the units").click()
        expect(page.get_by_role("heading", name="Amount", exact=True)).to_be_visible()
        assert person.investment not in page.url


def test_who_comes_too_late_waits_in_line(door: Door, browser: Browser, tell: Tell) -> None:
    story = tell("cleared")
    person, path = story.people[-1], f"/offers/{story.offering}/apply"
    with at(browser, door, path, door.key(person.investor)) as page:
        page.get_by_label("Units").fill(str(person.units))
        page.get_by_role("button", name="Wait for units").click()
        expect(page.get_by_role("status")).to_contain_text("You are number 1 in the line")
        page.reload()
        expect(page.get_by_role("status")).to_contain_text(f"in the line for {person.units:,} units")
        expect(page.get_by_role("alert")).to_have_count(0)
        keep(page, "apply-waitlist")


def test_an_order_that_is_sent_twice_reserves_once(door: Door, tell: Tell) -> None:
    story = tell("cleared")
    person, path = story.people[-1], f"/offers/{story.offering}/apply"
    withdraw(door.world, story, person)
    least = MINIMUM_UNITS
    with visitor(door, door.key(person.investor)) as client:
        (order,) = re.findall(r'name="order" value="(\w+)"', client.get(path).text)
        said = {"order": order, "units": str(least), "choice": "order"}
        first, again = (client.post(path, data=said) for _ in range(2))
        assert (first.status_code, again.status_code) == (303, 303)
        assert first.headers["location"] == again.headers["location"]
        unmarked = client.post(path, data={"units": str(least), "choice": "order"})
        assert "order names its page" in unmarked.text
        endless = client.post(path, data=said | {"units": "9" * 5_000})
        assert (endless.status_code, "units are a whole number" in endless.text) == (409, True)
    with psycopg.connect(door.world.endpoint.dsn("engine")) as connection:
        rows = connection.execute(
            "select units from engine.investment where offering_id = %s and investor_id = %s and status = %s",
            [story.offering, person.investor, "new"],
        ).fetchall()
    assert rows == [(least,)]
