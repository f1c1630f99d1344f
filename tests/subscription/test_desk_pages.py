"""The desk's console over packets: contradictions, institutional allocations, records on paper."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from bookrunner.sandbox.story import Story
from tests.browsing import axe_is_content
from tests.pages.test_access import visitor
from tests.pages.test_browser import keep
from tests.pages.test_desk_work import at_desk
from tests.subscription.conftest import Tell, agreement
from tests.subscription.test_application_pages import Door, door
from tests.subscription.test_packets import papers, state
from tests.subscription.test_representations import REFUSED, found, learn

__all__ = ["door"]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


def test_a_contradiction_is_accepted_for_a_reason_and_taken_back(
    door: Door, browser: Browser, tell: Tell, axe: str
) -> None:
    story = tell("signed")
    learn(door.world, story)
    path = f"/desk/{story.offering}/contradictions"
    with at_desk(browser, door.url, door.key("desk-rosa", "subscription"), path) as page:
        expect(page.get_by_role("main")).to_contain_text("waiting for compliance")
        expect(page.get_by_role("button", name="Accept")).to_have_count(0)
        answer = page.request.post(door.url + path, form={"reason": "x"}, headers={"Origin": door.url})
        assert answer.status == 403
    with at_desk(browser, door.url, door.key("officer-ana", "compliance"), path) as page:
        expect(page.get_by_role("heading", level=2).first).to_contain_text("accredited investor")
        axe_is_content(page, axe)
        keep(page, "desk-contradictions")
        page.get_by_label("Why the statement may stand").fill("The judgment was set aside.")
        page.get_by_role("button", name="Accept").click()
        expect(page.get_by_role("status")).to_contain_text("0 statements")
        expect(page.get_by_role("main")).to_contain_text("The judgment was set aside.")
        assert found(story) == []
        page.set_viewport_size({"width": 390, "height": 900})
        keep(page, "desk-contradictions-390")
        page.get_by_label("Reason").fill("The letter was forged.")
        page.get_by_role("button", name="Take it back").click()
        expect(page.get_by_role("status")).to_contain_text("1 statement that")
    assert found(story) == [REFUSED]


def largest(story: Story) -> tuple[str, int]:
    """Return investor and amount in dollars of the entity with the largest order."""
    person = max((each for each in story.people if each.kind == "entity"), key=lambda each: each.units)
    price = story.desk.offer(story.offering)["unit_price_minor"]
    return person.investor, person.units * price // 100


def test_a_desk_enters_a_request_of_an_institution(
    door: Door, browser: Browser, tell: Tell, axe: str
) -> None:
    story = tell("cleared", 8, 100_000)
    entity, amount = largest(story)
    path = f"/desk/{story.offering}/institutions"
    with at_desk(browser, door.url, door.key("institution-ivy", "engine"), path) as page:
        for asked, said in ((f"{amount:,}", ""), ("99,999.99", "allocation is at least 100 000")):
            page.get_by_label("Institution", exact=True).fill(entity)
            page.get_by_label("Tranche").fill("senior" if not said else "junior")
            page.get_by_label("Amount in US dollars").fill(asked)
            page.get_by_role("button", name="Request", exact=True).click()
            if said:
                expect(page.get_by_role("alert")).to_contain_text(said)
            else:
                expect(page.get_by_role("status")).to_contain_text("1 on its way, 0 overdue")
        axe_is_content(page, axe)
        page.get_by_role("link", name="of senior").click()
        page.get_by_role("button", name="Take it up for review").click()
        expect(page.get_by_role("alert")).to_contain_text("requester does not review")
    with at_desk(browser, door.url, door.key("reviewer-ria", "engine"), path) as page:
        page.get_by_role("link", name="of senior").click()
        page.get_by_role("button", name="Take it up for review").click()
        main = page.get_by_role("main")
        expect(main).to_contain_text("waits for a confirmed investment of the entity with this amount")
        page.get_by_label("Reason").fill("It withdrew.")
        page.get_by_role("button", name="Cancel it").click()
        expect(main).to_contain_text("It withdrew.")


def test_records_go_on_paper_after_a_withdrawal(door: Door, browser: Browser, tell: Tell, axe: str) -> None:
    story = tell("signed")
    papers(story).withdraw_consent(story.people[0])
    path = f"/desk/{story.offering}/paper"
    with at_desk(browser, door.url, door.key("desk-sam", "subscription"), path, width=390) as page:
        expect(page.get_by_role("status")).to_have_text("1 record to send on paper")
        axe_is_content(page, axe)
        keep(page, "desk-paper-390")
        page.get_by_label("How it was sent").fill("Registered letter 7")
        page.get_by_role("button", name="Record as sent").click()
        expect(page.get_by_role("main")).to_contain_text("Registered letter 7")
        expect(page.get_by_role("status")).to_have_text("0 records to send on paper")


def authorise(story: Story, *names: str) -> None:
    """Record the authority of officers of the issuer."""
    paper = story.desk.subscription.archive(actor="x", content=b"Resolution", media_type="text/plain")
    said = {"name": "Ida Example", "capacity": "Manager", "authority": "Resolution of 2026-01-15"}
    for name in names:
        story.desk.packets.authorise_signatory(
            actor="counsel.carl",
            offering=story.offering,
            signatory=name,
            said=said,
            authority_sha256=paper,
        )


def test_a_reviewer_releases_and_another_person_countersigns(
    door: Door, browser: Browser, tell: Tell, axe: str
) -> None:
    story = tell("signed")
    authorise(story, "key:page-ida", "key:page-ray")
    path = f"/desk/{story.offering}/agreements"
    with (
        at_desk(browser, door.url, door.key("page-ray", "subscription"), path) as ray,
        at_desk(browser, door.url, door.key("page-ida", "subscription"), path) as ida,
    ):
        expect(ida.get_by_role("button", name="Countersign the ticked ones")).to_have_count(0)
        expect(ray.get_by_role("main")).to_contain_text("equal")
        file = ray.request.get(f"{door.url}{path}/{agreement(story)}")
        assert file.body().startswith(b"%PDF")
        axe_is_content(ray, axe)
        keep(ray, "desk-agreements")
        ray.get_by_role("button", name="In good order, release").click()
        # Who released it may not countersign it.
        expect(ray.get_by_role("main")).to_contain_text("reviewer does not countersign")
        expect(ray.get_by_role("button", name="Countersign the ticked ones")).to_have_count(0)
        ida.reload()
        tick = ida.get_by_role("checkbox")
        expect(tick).not_to_be_checked()
        ida.get_by_role("button", name="Countersign the ticked ones").click()
        expect(ida.get_by_role("alert")).to_contain_text("countersigned packets are ticked")
        ida.set_viewport_size({"width": 390, "height": 900})
        keep(ida, "desk-agreements-390")
        ida.get_by_role("checkbox").check()
        ida.get_by_role("button", name="Countersign the ticked ones").click()
        expect(ida.get_by_role("status")).to_contain_text("0 waiting for the issuer")
    assert state(story) == "countersigned"


def test_a_long_list_is_countersigned_and_what_is_kept_back_is_said(door: Door, tell: Tell) -> None:
    story = tell("released")
    authorise(story, "key:page-lea")
    path = f"/desk/{story.offering}/agreements"
    with visitor(door, door.key("page-lea", "subscription")) as client:
        ticked = {f"agr_{number}": "yes" for number in range(100)}
        kept = client.post(path, data={"choice": "countersign"} | ticked)
        assert kept.status_code == 409
        assert "Nothing was changed: 100 of 100 are not countersigned" in kept.text
        assert "agreement waits for the issuer" in kept.text
        del ticked["agr_0"]
        kept = client.post(path, data={"choice": "countersign", agreement(story): "yes"} | ticked)
        assert "The others are done: 99 of 100 are not countersigned" in kept.text
        assert state(story) == "countersigned"
        more = {f"agr_{number}": "yes" for number in range(500)}
        large = client.post(path, data={"choice": "countersign"} | more)
        assert (large.status_code, large.headers["content-type"]) == (400, "text/html; charset=utf-8")
        assert "nothing was changed" in large.text
        nowhere = client.get("/desks/of/nobody")
        assert (nowhere.status_code, "There is no such page" in nowhere.text) == (404, True)
        wrong = client.post("/desk")
        assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET")


def test_a_reviewer_returns_a_packet_with_what_the_investor_is_told(
    door: Door, browser: Browser, tell: Tell
) -> None:
    story = tell("signed")
    path = f"/desk/{story.offering}/agreements"
    with at_desk(browser, door.url, door.key("page-rob", "subscription"), path) as page:
        page.get_by_text("Return it with deficiencies").click()
        page.get_by_label("Page").first.fill("99")
        page.get_by_label("Field").first.fill("tax")
        page.get_by_label("Reason").first.select_option("inconsistent")
        page.get_by_label("What the investor is told").first.fill("The form names another person.")
        page.get_by_role("button", name="Return to the investor").click()
        expect(page.get_by_role("alert")).to_contain_text("deficiency names a page of the packet")
        page.get_by_text("Return it with deficiencies").click()
        page.get_by_label("Page").first.fill("4")
        page.get_by_label("Field").first.fill("tax")
        page.get_by_label("Reason").first.select_option("inconsistent")
        page.get_by_label("What the investor is told").first.fill("The form names another person.")
        page.get_by_role("button", name="Return to the investor").click()
        expect(page.get_by_role("status")).to_contain_text("0 waiting for the issuer")
    (said,) = story.desk.packets.open_deficiencies(
        offering=story.offering, investment=story.people[0].investment
    )
    assert (said["page"], said["words"]) == (4, "The form names another person.")
