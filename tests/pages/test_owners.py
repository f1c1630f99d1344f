"""The officer reads what a signer certified and takes it into the record."""

from __future__ import annotations

import json
from collections.abc import Callable

import psycopg
import pytest
from playwright.sync_api import Browser, expect

from bookrunner.api import issue
from bookrunner.db import Endpoint
from tests.browsing import axe_is_content, fits, looks
from tests.pages.conftest import Site
from tests.pages.officers import ENTITY, Work
from tests.pages.test_access import visitor
from tests.pages.test_browser import keep
from tests.pages.test_officer import Office, at, office

__all__ = ["office"]

Connect = Callable[[str], psycopg.Connection]
PAGE = f"/compliance/ownership/{ENTITY}"
PEOPLE = [
    {"id": "holding", "name": "Wexford Holding Ltd", "kind": "entity"},
    {"id": "cleo", "name": "Cleo Wexford", "kind": "person", "controls": True},
]
SHARES = [
    {"owned": ENTITY, "owner": "holding", "share_bp": 6000},
    {"owned": "holding", "owner": "cleo", "share_bp": 5050},
]
MANDATE = """{"account": "acc_signer", "scope": ["certify"], "document_sha256": "00"}"""
NAMED = b"select compliance.record_party('officer.ana', 'req_p', %s, 'pty_s', 'representative', %s)"
VERIFIED = b"""
select compliance.decide_under('officer.ana', 'req_v', compliance.programme_in_force()),
    compliance.verify_party('officer.ana', 'req_v', %s, 'pty_s', sha256('mandate'), 1)
"""
CERTIFIED = b"select portal.certify_ownership('acc_signer', 'req_c', %s, 'ows_1', 'acc_signer', %s, %s, true)"
ENDED = b"""
select compliance.decide_under('officer.ana', 'req_e', compliance.programme_in_force()),
    compliance.end_owner('officer.ana', 'req_e', %s, o.owner_id, o.version, 'stated anew')
from compliance.beneficial_owner o where o.investor_id = %s and o.status <> 'former'
"""


def certified(site: Site) -> None:
    """Let the signer of the entity, with a verified mandate, certify its owners."""
    database = site.world.database
    with database.transaction("compliance") as transaction:
        transaction.execute(NAMED, [ENTITY, MANDATE])
        transaction.execute(VERIFIED, [ENTITY])
    with database.transaction("portal") as transaction:
        transaction.execute(CERTIFIED, [ENTITY, json.dumps(PEOPLE), json.dumps(SHARES)])


def test_a_statement_is_taken_once_and_its_people_wait_for_their_screening(
    site: Site, endpoint: Endpoint, connect: Connect
) -> None:
    Work(site.world.database).entity()
    with visitor(site, issue(endpoint, "officer.ana", "compliance", actor="usr_admin")) as ana:
        assert ana.get(PAGE).status_code == 404
        certified(site)
        assert f'href="{PAGE}"' in ana.get(f"/compliance/cases/{ENTITY}").text
        assert "Wexford" not in ana.get(PAGE).text
        assert ana.post(f"{PAGE}/show", data={"purpose": " "}).status_code == 409
        shown = ana.post(f"{PAGE}/show", data={"purpose": "review"}).text
        assert "Cleo Wexford" in shown
        assert "50.50 % of Wexford Holding Ltd" in shown
        take = {"statement": "ows_1", "because": "compared with the register"}
        stale = ana.post(f"{PAGE}/take", data=take | {"statement": "ows_0"})
        assert (stale.status_code, "has certified another statement since" in stale.text) == (412, True)
        early = ana.post(f"{PAGE}/take", data=take)
        assert early.status_code == 409
        assert "owners stated before are ended" in early.text
        with site.world.database.transaction("compliance") as transaction:
            transaction.execute(ENDED, [ENTITY, ENTITY])
        assert ana.post(f"{PAGE}/take", data=take).status_code == 303
        assert "Taken by officer.ana" in ana.get(PAGE).text
        again = ana.post(f"{PAGE}/take", data=take)
        assert "this statement is in the record already" in again.text
    owner = connect("owner")
    rows = owner.execute(
        b"select o.kind, o.share_bp, o.controls, o.status, compliance.is_known(o.owner_id)"
        b" from compliance.beneficial_owner o where o.status <> 'former' order by 1"
    ).fetchall()
    assert rows == [("entity", 6000, False, "unidentified", True), ("person", 0, True, "unidentified", True)]
    told = owner.execute(b"select count(*) from audit.event where canonical like '%Wexford%'").fetchone()
    assert told == (0,)
    with visitor(site, issue(endpoint, "fund.flo", "treasury", actor="usr_admin")) as other:
        assert other.get(PAGE).status_code == 403


@pytest.mark.browser
@pytest.mark.timeout(240)
def test_the_owners_are_read_by_everybody_and_on_a_phone(office: Office, browser: Browser, axe: str) -> None:
    certified(office.site)
    with at(office, browser) as page:
        page.goto(f"{office.site.url}{PAGE}")
        page.get_by_label("Purpose").fill("review")
        page.get_by_role("button", name="Show the owners").click()
        for _, width in looks(page):
            expect(page.get_by_text("Cleo Wexford")).to_be_visible()
            keep(page, f"owners-{width}")
            axe_is_content(page, axe)
            fits(page)
