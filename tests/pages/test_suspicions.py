"""The suspicious-activity desk as officers use it, and as everybody else does not find it."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx
import psycopg
import pytest
from playwright.sync_api import Browser, expect

from bookrunner.api import issue
from bookrunner.db import Endpoint
from bookrunner.pages.officer.programme import PARTS
from bookrunner.pages.officer.suitability import SAYS
from bookrunner.pages.officer.suspicions import KINDS
from tests.browsing import axe_is_content
from tests.pages.conftest import Site
from tests.pages.officers import PERSON
from tests.pages.test_access import visitor
from tests.pages.test_browser import keep
from tests.pages.test_officer import Office, at, office
from tests.patience import PATIENT

__all__ = ["office"]

Connect = Callable[[str], psycopg.Connection]
CHECK = "select pg_get_constraintdef(oid) from pg_constraint where conname = %s"
ANSWERED = "select prosrc from pg_proc where oid = 'compliance.appropriateness'::regproc"
DESK, SHOWN = "/compliance/desk", "ivr_0003"
RAISED = {
    "about_kind": "investor",
    "about_id": PERSON,
    "noticed": "deposits just under a threshold",
    "detected_on": "2026-01-05",
    "suspect_is_known": "true",
}


def opened(client: httpx.Client, investor: str = PERSON) -> str:
    """Open a case about an investor and return its address."""
    answer = client.post(DESK, data=RAISED | {"about_id": investor})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def decided(client: httpx.Client, case: str, choice: str) -> httpx.Response:
    """Decide on the version that the page shows."""
    seen = re.findall(r'name="seen" value="(\d+)"', client.get(case).text)[0]
    return client.post(case, data={"seen": seen, "choice": choice, "reason": "structured deposits"})


def test_a_case_from_its_opening_to_its_filing(site: Site, endpoint: Endpoint) -> None:
    keys = [issue(endpoint, name, "compliance", actor="usr_admin") for name in ("officer.ana", "officer.ben")]
    with visitor(site, keys[0]) as ana, visitor(site, keys[1]) as ben:
        case = opened(ana)
        assert "1 overdue" in ana.get(DESK).text
        assert decided(ana, case, "nothing").status_code == 409
        assert decided(ana, case, "report").status_code == 303
        own = decided(ana, case, "agreed")
        assert own.status_code == 409
        assert "another officer decides" in own.text
        assert "structured deposits" in own.text
        assert decided(ben, case, "agreed").status_code == 303
        stale = ben.post(f"{case}/filing", data={"seen": 1, "reference": "3", "filed_on": "2026-01-20"})
        assert stale.status_code == 412
        filed = {"seen": 3, "reference": "31000000000001", "filed_on": "2026-01-20"}
        assert ben.post(f"{case}/filing", data=filed).status_code == 303
        assert ben.post(f"{case}/notes", data={"note": "the acknowledgement came"}).status_code == 303
        page = ben.get(case).text
        assert "Reported on 2026-01-20 as 31000000000001" in page
        assert "the acknowledgement came" in page
        assert "none overdue" in ben.get(DESK).text


@pytest.mark.parametrize("keeper", ["portal", "subscription", "treasury", "registry", "engine"])
def test_other_keepers_find_no_such_page(site: Site, endpoint: Endpoint, keeper: str) -> None:
    """A case that is there answers as one that is not, and no page of theirs tells of it."""
    with visitor(site, issue(endpoint, "officer.ana", "compliance", actor="usr_admin")) as ana:
        case = opened(ana)
    with visitor(site, issue(endpoint, "some.body", keeper, actor="usr_admin")) as other:
        answers = [other.get(path) for path in (DESK, case, f"{DESK}/sus_unknown")]
        answers += [other.post(DESK, data=RAISED), other.post(f"{case}/notes", data={"note": "x"})]
        assert {answer.status_code for answer in answers} == {404}
        # The form of the language leads back to the address that was asked for, whatever it is.
        told = [re.sub(r'<time.*?</time>|nonce=\S+|name="next" value="\S+"', "", one.text) for one in answers]
        assert len(set(told)) == 1
    with httpx.Client(base_url=site.url, headers={"Origin": site.url}, timeout=PATIENT) as nobody:
        assert nobody.get(case).status_code == 303


def test_nothing_of_it_stands_on_pages_of_investors_and_issuers(site: Site, endpoint: Endpoint) -> None:
    with visitor(site, issue(endpoint, "officer.ana", "compliance", actor="usr_admin")) as ana:
        case = opened(ana, SHOWN).rpartition("/")[2]
        offer = ana.get("/").text
        paths = re.findall(r'href="(/(?:offers|investments)/[^"#]+)"', offer)
        paths += re.findall(r'href="(/investments/[^"#]+)"', ana.get(paths[0]).text)
    assert [path for path in paths if path.endswith(SHOWN.removeprefix("ivr_"))], paths
    for path in {"/", *paths}:
        answer = httpx.get(f"{site.url}{path}", timeout=30)
        assert answer.status_code == 200, path
        page = answer.text.lower()
        assert [word for word in (case, "suspicio", "under a threshold") if word in page] == [], path


def test_what_is_typed_of_a_record_is_taken_as_typed(site: Site, endpoint: Endpoint) -> None:
    with visitor(site, issue(endpoint, "officer.ana", "compliance", actor="usr_admin")) as ana:
        for rule, changed in (
            ("suspicion is about a known kind", {"about_kind": "rumour"}),
            ("suspicion names a known investor", {"about_id": "ivr_typo"}),
            ("suspicion says whom it concerns", {"about_kind": "payment"}),
        ):
            refused = ana.post(DESK, data=RAISED | changed)
            assert (refused.status_code, rule in refused.text) == (409, True), rule
        assert ana.post(DESK, data=RAISED | {"about_kind": "payment", "of_nobody": "true"}).is_redirect
        assert ana.post(DESK, data=RAISED | {"about_kind": "payment", "investor": PERSON}).is_redirect


def test_lists_of_the_pages_are_those_of_the_book(connect: Connect) -> None:
    owner = connect("owner")
    for name, known in (("suspicion_is_about_a_known_kind", KINDS), ("programme_item_kind_is_known", PARTS)):
        row = owner.execute(CHECK.encode(), [name]).fetchone()
        assert row is not None
        assert set(re.findall(r"'(\w+)'", row[0])) == set(known)
    row = owner.execute(ANSWERED.encode()).fetchone()
    assert row is not None
    assert set(re.findall(r"(?:return|then|else) '(\w+)'", row[0])) == set(SAYS)


@pytest.mark.browser
@pytest.mark.timeout(240)
def test_the_desk_is_read_by_everybody_and_on_a_phone(office: Office, browser: Browser, axe: str) -> None:
    with at(office, browser) as page:
        page.goto(f"{office.site.url}/compliance/cases/{PERSON}")
        page.get_by_role("button", name="Take to the suspicious-activity desk").click()
        expect(page.get_by_label("Its id")).to_have_value(PERSON)
        page.get_by_label("What was noticed").fill(RAISED["noticed"])
        page.get_by_label("Detected on").fill(RAISED["detected_on"])
        page.get_by_label("is known", exact=True).check()
        page.get_by_role("button", name="Open the case").click()
        expect(page.get_by_role("heading", level=1)).to_have_text(f"Suspicion: investor {PERSON}")
        keep(page, "suspicion")
        axe_is_content(page, axe)
        case = page.url
        page.goto(f"{office.site.url}{DESK}")
        keep(page, "desk")
        axe_is_content(page, axe)
    with at(office, browser, "officer.ben", width=390) as page:
        for name, address in (("desk", f"{office.site.url}{DESK}"), ("suspicion", case)):
            page.goto(address)
            keep(page, f"{name}-390")
            assert page.evaluate("document.documentElement.scrollWidth") <= 390, name
