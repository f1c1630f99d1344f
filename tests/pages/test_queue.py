"""What waits for an officer beside decisions: packet deficiencies, missing papers, reviews that are due."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import httpx
import psycopg
import pytest

from bookrunner.api import issue
from bookrunner.core import clock
from bookrunner.db import Endpoint
from tests.pages.conftest import Site
from tests.pages.officers import ENTITY, PERSON, Work
from tests.pages.test_access import visitor
from tests.pages.world import OFFERING, digest

Connect = Callable[[str], psycopg.Connection]
DEFICIENT = """
insert into subscription.deficiency (offering_id, deficiency_id, investment_id, status, field, reason, words)
values (%s, 'dfc_1', 'inv_0001', 'open', 'units', 'not_rendered', 'the units are not those of the offer')
"""
RIGHTS = (
    "usage on schema audit, engine",
    "all on all tables in schema audit, engine, subscription",
    "execute on all functions in schema audit, engine",
)
DUE_AT_ONCE = """
insert into compliance.rule (rule_id, rule_version, value, unit, jurisdiction, citation, certainty,
    effective_from, proposed_by, adopted_by, because)
values ('house.review.low', 2, 0, 'months', 'house', 'risk policy', 'house', current_date,
    'one', 'two', 'a trial')
"""


@pytest.fixture
def officer(site: Site, endpoint: Endpoint) -> Iterator[httpx.Client]:
    """Lend a signed-in officer, with an entity that lacks its papers."""
    Work(site.world.database).entity()
    with visitor(site, issue(endpoint, "officer.ana", "compliance", actor="usr_admin")) as client:
        yield client


def rows(page: str) -> list[list[str]]:
    """Return the text of each cell of each row of the queue."""
    found = re.findall(r'<tr id="row-.*?</tr>', page, re.DOTALL)
    return [
        [
            " ".join(re.sub(r"<[^>]*>", " ", cell).split())
            for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL)
        ]
        for row in found
    ]


def test_missing_papers_stand_in_the_queue_with_age_and_priority(officer: httpx.Client) -> None:
    found = rows(officer.get("/compliance?kind=paper").text)
    assert sorted(row[0] for row in found) == [
        "Missing paper holder statement",
        "Missing paper representative",
    ]
    for row in found:
        assert row[1].startswith(ENTITY)
        assert row[2:4] == ["high", "waiting for the investor"]
        assert row[4].startswith("in ")
        assert row[5]
    assert f'href="/compliance/cases/{ENTITY}#papers"' in officer.get("/compliance?kind=paper").text


def test_a_deficiency_of_a_packet_stands_in_the_queue(officer: httpx.Client, connect: Connect) -> None:
    admin = connect("admin")
    for right in RIGHTS:
        admin.execute(f"grant {right} to subscription".encode())
    desk = connect("subscription")
    with desk.transaction():
        desk.execute(
            "select set_config('bookrunner.actor', 'desk.sam', true),"
            " set_config('bookrunner.request', 'req_d', true)"
        )
        desk.execute(DEFICIENT.encode(), [OFFERING])
    ((what, who, _, state, due, age, _),) = rows(officer.get("/compliance?kind=deficiency").text)
    assert (what, state) == ("Packet deficiency not rendered", "waiting for the investor")
    assert who.startswith("ivr_0001")
    assert due.startswith("in ")
    assert age
    assert "dfc_1" in officer.get("/compliance/cases/ivr_0001").text
    assert officer.get("/compliance/cases/ivr_0001/deficiency/dfc_1").status_code == 404


def test_a_review_that_is_due_is_completed_on_the_version_seen(
    officer: httpx.Client, connect: Connect
) -> None:
    assert rows(officer.get("/compliance?kind=review").text) == []
    owner = connect("owner")
    owner.execute(DUE_AT_ONCE.encode())
    found = rows(officer.get("/compliance?kind=review").text)
    assert f"rsk_{PERSON}" not in {row[0] for row in found}
    assert PERSON in {row[1].split()[0] for row in found}
    path = f"/compliance/cases/{PERSON}/review/rsk_{PERSON}"
    page = officer.get(path).text
    form = {name: re.findall(rf'name="{name}" value="([^"]*)"', page)[0] for name in ("seen", "programme")}
    done = {**form, "choice": "completed", "reason": "nothing has changed"}
    assert officer.post(path, data=done | {"seen": "99"}).status_code == 412
    assert officer.post(path, data=done).status_code == 303
    ((reviewed,),) = owner.execute(
        "select reviewed_at > rated_at from compliance.risk_rating where investor_id = %s", [PERSON]
    ).fetchall()
    assert reviewed


def test_a_lapse_is_noticed_before_and_the_investor_is_told(
    officer: httpx.Client, site: Site, connect: Connect
) -> None:
    desk = site.world.compliance
    desk.record_accreditation(
        actor="officer",
        investor=PERSON,
        accreditation="acr_soon",
        method="third_party_letter",
        evidence_sha256=digest("letter"),
        valid_until=clock.now() + timedelta(days=20),
    )
    desk.expire_due(actor="process")
    ((what, who, _, _, due, _, _),) = rows(officer.get("/compliance?kind=notice").text)
    assert (what, who.split()[0]) == ("Notice of a lapse accreditation", PERSON)
    assert due.startswith("in ")
    path = f"/compliance/cases/{PERSON}/notice/accreditation:acr_soon:first"
    assert officer.post(path, data={"choice": "sent", "seen": "0"}).status_code == 303
    assert rows(officer.get("/compliance?kind=notice").text) == []
    again = officer.post(path, data={"choice": "sent", "seen": "0"})
    assert again.status_code == 404
    told = connect("owner").execute("select sent_at is not null from compliance.notice where stage = 'first'")
    assert told.fetchall() == [(True,)]


def test_work_is_taken_and_only_its_taker_gives_it_back(
    officer: httpx.Client, site: Site, endpoint: Endpoint
) -> None:
    item = {"scope": ENTITY, "item": "kyc_fund:representative", "kind": "paper"}
    taken = officer.post("/compliance/work", data=item)
    assert taken.headers["location"] == f"/compliance/cases/{ENTITY}#papers"
    ((*_, mine),) = rows(officer.get("/compliance?assigned=me").text)
    assert mine == "you Give back"
    with visitor(site, issue(endpoint, "officer.ben", "compliance", actor="usr_admin")) as other:
        assert other.post("/compliance/work", data=item | {"back": "true"}).status_code == 404
        assert len(rows(officer.get("/compliance?assigned=me").text)) == 1
    officer.post("/compliance/work", data=item | {"back": "true"})
    assert rows(officer.get("/compliance?assigned=me").text) == []
