"""The officer reads how an investor answered; the look is recorded, other keepers do not come in."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest
from playwright.sync_api import Browser, expect

from bookrunner.api import issue
from bookrunner.db import Endpoint
from tests.browsing import axe_is_content, fits, looks
from tests.pages.conftest import Site
from tests.pages.officers import PERSON
from tests.pages.test_access import visitor
from tests.pages.test_browser import keep
from tests.pages.test_officer import Office, at, office
from tests.pages.world import OFFERING

__all__ = ["office"]

Connect = Callable[[str], psycopg.Connection]
PAGE = f"/compliance/suitability/{OFFERING}/{PERSON}"
CONTENT = """{"knowledge_from": 1, "questions": [
    {"id": "before", "sentence": "Bought before?", "choices": ["yes", "no"], "knowing": ["yes"]},
    {"id": "how_often", "sentence": "How often?", "if_question": "before", "if_answers": ["yes"]},
    {"id": "may_lose", "sentence": "How much may you lose?", "choices": ["none", "all"]}]}"""
PUBLISH = b"select compliance.publish_questionnaire('officer.ana', 'req_q', %s, cast(%s as jsonb), 'retail')"
ACCOUNT = b"select account_id from portal.profile where investor_id = %s"
ANSWER = b"select portal.answer_suitability(%s, 'req_a', %s, 'sui_1', %s, %s, %s, cast(%s as jsonb), false)"


def asked(site: Site, answers: str = "", version: int = 1) -> None:
    """Publish questions for the offer of the world, and answer them if there are answers."""
    with site.world.database.transaction("compliance") as transaction:
        transaction.execute(PUBLISH, [OFFERING, CONTENT])
    if answers:
        with site.world.database.transaction("portal") as transaction:
            row = transaction.execute(ACCOUNT, [PERSON]).fetchone()
            assert row is not None
            (account,) = row
            transaction.execute(ANSWER, [PERSON, OFFERING, PERSON, account, version, answers])


def test_answers_are_masked_until_the_look_is_recorded(
    site: Site, endpoint: Endpoint, connect: Connect
) -> None:
    with visitor(site, issue(endpoint, "officer.ana", "compliance", actor="usr_admin")) as ana:
        assert ana.get(PAGE).status_code == 404
        asked(site)
        assert "not answered" in ana.get(PAGE).text
        asked(site, '{"before": "yes", "how_often": "every Michaelmas", "may_lose": "all"}', 2)
        assert f'href="{PAGE}"' in ana.get(f"/compliance/cases/{PERSON}").text
        assert "Michaelmas" not in ana.get(PAGE).text
        refused = ana.post(PAGE, data={"purpose": " "})
        assert refused.status_code == 409
        assert "Michaelmas" not in refused.text
        shown = ana.post(PAGE, data={"purpose": "review"}).text
        assert "every Michaelmas" in shown
        assert "appropriate for this client" in shown
        asked(site)
        assert "The questions have changed since" in ana.get(PAGE).text
        assert "appropriate for" not in ana.post(PAGE, data={"purpose": "review"}).text
    views = connect("owner").execute(b"select viewed_by, purpose from portal.personal_view").fetchall()
    assert views == [("key:officer.ana", "review")] * 2
    with visitor(site, issue(endpoint, "fund.flo", "treasury", actor="usr_admin")) as other:
        assert other.get(PAGE).status_code == 403


@pytest.mark.browser
@pytest.mark.timeout(240)
def test_the_answers_are_read_by_everybody_and_on_a_phone(office: Office, browser: Browser, axe: str) -> None:
    asked(office.site, '{"before": "no", "may_lose": "all"}')
    with at(office, browser) as page:
        page.goto(f"{office.site.url}{PAGE}")
        expect(page.get_by_text("How much may you lose?")).to_have_count(0)
        page.get_by_label("Purpose").fill("review")
        page.get_by_role("button", name="Show the answers").click()
        for _, width in looks(page):
            expect(page.get_by_text("How much may you lose?")).to_be_visible()
            expect(page.get_by_text("How often?")).to_have_count(0)
            expect(page.get_by_text("the client is to be warned")).to_be_visible()
            keep(page, f"suitability-{width}")
            axe_is_content(page, axe)
            fits(page)
