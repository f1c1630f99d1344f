"""The desk's console: those whom a closing left out, as the people who decide meet them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

from bookrunner.api import issue
from bookrunner.db import Endpoint
from tests.browsing import axe_is_content
from tests.pages.conftest import Site
from tests.pages.officers import blank_paper
from tests.pages.test_access import visitor
from tests.pages.test_browser import keep
from tests.pages.world import OFFERING

Connect = Callable[[str], psycopg.Connection]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


@contextmanager
def at_desk(browser: Browser, url: str, key: str, path: str, *, width: int = 1200) -> Iterator[Page]:
    """Lend a page of the desk to a person who was asked to sign in on the way."""
    context = browser.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    page.goto(url + path)
    page.get_by_label("Your key").fill(key)
    page.get_by_role("button", name="Sign in").click()
    yield page
    context.close()


def test_a_case_is_decided_by_counsel_and_then_included(
    site: Site, endpoint: Endpoint, browser: Browser, axe: str
) -> None:
    app = site.world.application
    app.close_offer(OFFERING, actor="op", ready=True)
    key = issue(endpoint, "issuer.iris", "engine", actor="usr_admin")
    with at_desk(browser, site.url, key, f"/desk/{OFFERING}/cases") as page:
        expect(page.get_by_role("status")).to_have_text("1 waiting for a decision")
        expect(page.get_by_role("main")).to_contain_text("left out of")
        for choice in ("Include in the next closing", "Refund", "Counsel has decided"):
            expect(page.get_by_label(choice, exact=True)).not_to_be_checked()
        axe_is_content(page, axe)
        keep(page, "desk-cases")
        page.get_by_label("Counsel has decided").check()
        page.get_by_label("Reason").fill("An opinion of 2026-03-01.")
        page.get_by_role("button", name="Record the decision").click()
        expect(page.get_by_role("alert")).to_contain_text("decision of counsel has its file")
        page.get_by_label("Counsel has decided").check()
        page.get_by_label("Reason").fill("An opinion of 2026-03-01.")
        file = {"name": "opinion.pdf", "mimeType": "application/pdf", "buffer": blank_paper(script=True)}
        page.get_by_label("Decision of counsel (PDF)").set_input_files(file)  # type: ignore[arg-type]
        page.get_by_role("button", name="Record the decision").click()
        expect(page.get_by_role("alert")).to_contain_text("upload")
        page.get_by_label("Counsel has decided").check()
        page.get_by_label("Reason").fill("An opinion of 2026-03-01.")
        file["buffer"] = blank_paper()
        page.get_by_label("Decision of counsel (PDF)").set_input_files(file)  # type: ignore[arg-type]
        page.get_by_role("button", name="Record the decision").click()
        expect(page.get_by_role("main")).to_contain_text("An opinion of 2026-03-01.")
        expect(page.get_by_label("Counsel has decided")).to_have_count(0)
    with at_desk(browser, site.url, key, f"/desk/{OFFERING}/cases", width=390) as page:
        page.get_by_label("Include in the next closing").check()
        page.get_by_label("Reason").fill("As counsel says.")
        keep(page, "desk-cases-390")
        page.get_by_role("button", name="Record the decision").click()
        expect(page.get_by_role("status")).to_have_text("0 waiting for a decision")
        expect(page.get_by_role("main")).to_contain_text("to be included")
    assert [row["status"] for row in app.desk.engine.closing_cases(offering=OFFERING)] == ["to_be_included"]


def test_a_file_is_kept_only_with_a_decision_that_can_stand(
    site: Site, endpoint: Endpoint, connect: Connect
) -> None:
    app = site.world.application
    app.close_offer(OFFERING, actor="op", ready=True)
    (case,) = app.desk.engine.closing_cases(offering=OFFERING)
    right = {"case": case["case_id"], "seen": "1", "choice": "decided_by_counsel", "reason": "An opinion."}
    kept = "select count(*) from subscription.retention where class = 'closing_decision'"
    with visitor(site, issue(endpoint, "issuer.iris", "engine", actor="usr_admin")) as client:
        for wrong in ({"case": "ccs_x"}, {"seen": "2"}, {"reason": " "}, {"choice": "to_be_included"}):
            paper = {"paper": ("opinion.pdf", blank_paper(), "application/pdf")}
            client.post(f"/desk/{OFFERING}/cases", data=right | wrong, files=paper)
        assert connect("owner").execute(kept.encode()).fetchall() == [(0,)]
        # The last of these decides it.
        assert app.desk.engine.closing_cases(offering=OFFERING)[0]["status"] == "to_be_included"


def test_a_case_is_not_shown_to_other_keepers(site: Site, endpoint: Endpoint, browser: Browser) -> None:
    site.world.application.close_offer(OFFERING, actor="op", ready=True)
    for keeper in ("treasury", "subscription"):
        key = issue(endpoint, f"some-{keeper}", keeper, actor="usr_admin")
        with at_desk(browser, site.url, key, f"/desk/{OFFERING}/cases") as page:
            expect(page.get_by_role("button", name="Record the decision")).to_have_count(0)
            said = {"case": "ccs_x", "seen": "1", "choice": "to_be_included", "reason": "x"}
            answer = page.request.post(page.url, form=said, headers={"Origin": site.url})
            assert answer.status in {403, 404}
