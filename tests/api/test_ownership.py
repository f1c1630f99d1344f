"""The signer of an entity certifies its owners; an account without an authority does nothing for it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest

from bookrunner.api import api
from bookrunner.audit import verify_history
from bookrunner.books import compliance, portal
from bookrunner.core.errors import Refused, VersionChanged
from bookrunner.db import Database, Endpoint
from tests.api.conftest import Api, problem
from tests.attack.world import DETAIL, Connect, World, digest
from tests.serving import serving

FUND, PERSON, OPENER, SIGNER = "ivr_fund", "ivr_person", "acc_opener", "acc_signer"
PEOPLE = [
    {"id": "holding", "name": "Quillfeather Holding Ltd", "kind": "entity"},
    {"id": "ana", "name": "Ana Quillfeather", "controls": True},
    {"id": "ben", "name": "Ben Quillfeather"},
]
SHARES = [
    {"owned": FUND, "owner": "holding", "share_bp": 6000},
    {"owned": FUND, "owner": "ana", "share_bp": 4000},
    {"owned": "holding", "owner": "ben", "share_bp": 5000},
]
OVER = {"owned": "holding", "owner": "ana", "share_bp": 5001}
LOOP = {"owned": "ben", "owner": "holding", "share_bp": 1}
INSERT = """
insert into portal.ownership_statement
    (investor_id, statement_id, status, account_id, people, shares, certified_by)
values ('ivr_fund', 'ows_x', 'certified', 'acc', '[]', '[]', 'x')
"""

TWICE = """
alter table portal.ownership_statement disable trigger all;
insert into portal.ownership_statement
    (investor_id, statement_id, status, account_id, people, shares, certified_by, version, chain_head)
select investor_id, 'ows_3', 'certified', account_id, people, shares, certified_by, version, chain_head
from portal.ownership_statement where status = 'certified'
"""


@pytest.fixture
def fund(endpoint: Endpoint, database: Database, connect: Connect) -> Iterator[Api]:
    """Serve the API over an entity that one account opened and a person of its own."""
    world = World(connect)
    world.published()
    detail = DETAIL | {"legal_name": "Harbor LLC", "address": "7 Pier", "tax_id": "900001234"}
    detail |= {"email": "desk@example.test", "representative": "Ana Quillfeather"}
    keeper = portal.keeper(database)
    for investor, kind in ((FUND, "entity"), (PERSON, "individual")):
        given = {"account": OPENER, "kind": kind, "detail": detail}
        keeper.open_profile(actor="usr_1", investor=investor, **given)
    world.call("compliance.open_case", FUND, "kyc_fund", "entity", "llc")
    with serving(api(database)) as url:
        yield Api(url, endpoint, world)


def authorise(calls: Api, name: str = "pty_1", *, scope: str = "certify", until: str | None = None) -> None:
    """Record that the signer may act for the fund in one scope, and verify the paper that says so."""
    authority = {"account": SIGNER, "scope": [scope], "document_sha256": "00", "valid_until": until}
    calls.world.call("compliance.record_party", FUND, name, "representative", json.dumps(authority))
    calls.world.call("compliance.verify_party", FUND, name, digest("mandate"), 1)


def certify(calls: Api, investor: str = FUND, **changed: object) -> httpx.Response:
    """Certify the owners as the signer, with what is changed."""
    body = {"account": SIGNER, "people": PEOPLE, "shares": SHARES, "certified": True, **changed}
    return calls.post(f"/v1/investors/{investor}/ownership", body, keeper="portal")


def rows(calls: Api, query: str) -> list[tuple[Any, ...]]:
    """Return the rows of a query of the test."""
    return calls.world.login("owner").execute(query.encode()).fetchall()


def test_nobody_certifies_without_an_authority_that_is_verified_and_in_force(fund: Api) -> None:
    refused = "account_may_act_for_the_investor"
    assert problem(certify(fund))["code"] == refused
    assert f"{OPENER} has no verified authority to certify" in str(
        problem(certify(fund, account=OPENER))["detail"]
    )
    fund.world.call(
        "compliance.record_party",
        FUND,
        "pty_0",
        "representative",
        json.dumps({"account": SIGNER, "scope": ["certify"], "document_sha256": "00"}),
    )
    assert problem(certify(fund))["code"] == refused
    authorise(fund, "pty_1", scope="answer")
    assert problem(certify(fund))["code"] == refused
    authorise(fund, "pty_2")
    assert certify(fund).status_code == 201
    fund.world.call("compliance.end_party", FUND, "pty_2", "left the company", 2)
    assert problem(certify(fund))["code"] == refused
    assert rows(fund, "select status from portal.ownership_statement") == [("certified",)]


@pytest.mark.parametrize(
    ("rule", "changed"),
    [
        ("ownership_is_certified", {"certified": False}),
        ("stated_owners_hold_at_most_the_whole", {"shares": [*SHARES, OVER]}),
        ("stated_owners_form_no_loop", {"shares": [*SHARES, LOOP]}),
        ("stated_owners_form_no_loop", {"shares": [{"owned": "ben", "owner": "ben", "share_bp": 1}]}),
        ("stated_shares_are_of_stated_owners", {"shares": [{**SHARES[0], "owner": "stranger"}]}),
        ("one_control_person_is_stated", {"people": PEOPLE[:1], "shares": SHARES[:1]}),
        ("one_control_person_is_stated", {"people": [{**PEOPLE[0], "controls": True}], "shares": SHARES[:1]}),
        ("stated_owners_are_named_once", {"people": [*PEOPLE, PEOPLE[2]]}),
        ("stated_owners_are_named_once", {"people": [*PEOPLE, {"id": "eve", "name": " "}]}),
        ("stated_owners_are_named_once", {"people": [*PEOPLE, {"id": FUND, "name": "Itself"}]}),
    ],
)  # fmt: skip
def test_what_cannot_be_so_is_refused(fund: Api, rule: str, changed: dict[str, object]) -> None:
    authorise(fund)
    assert problem(certify(fund, **changed))["code"] == rule
    assert rows(fund, "select from portal.ownership_statement") == []


def test_an_officer_takes_the_statement_and_each_owner_waits_to_be_verified(
    fund: Api, database: Database
) -> None:
    authorise(fund)
    first = certify(fund).json()["id"]
    second = certify(fund).json()["id"]
    office = compliance.office(database)
    taken = {"actor": "officer.ana", "investor": FUND, "because": "read with the register"}
    with pytest.raises(VersionChanged, match="ownership_statement_is_in_force"):
        office.take_ownership(**taken, statement=first)
    ids = office.take_ownership(**taken, statement=second)
    effective = rows(fund, "select owner_id, share_bp from compliance.effective_shares('ivr_fund')")
    assert dict(effective) == {ids["holding"]: 6000, ids["ana"]: 4000, ids["ben"]: 3000}
    lacking = rows(
        fund, "select owner_id from compliance.people_behind('ivr_fund') where status <> 'verified'"
    )
    assert {owner for (owner,) in lacking} >= {ids["ana"], ids["ben"]}
    third = certify(fund).json()["id"]
    with pytest.raises(Refused, match="owners_stated_before_are_ended"):
        office.take_ownership(**taken, statement=third)
    assert office.ownership_stated(investor=FUND)["taken_by"] is None
    assert verify_history(database).faults == ()


def test_names_of_owners_stay_out_of_events_and_go_with_the_key(fund: Api, database: Database) -> None:
    authorise(fund)
    assert certify(fund).status_code == 201
    told = rows(fund, "select canonical from audit.event where kind like 'ownership_statement.%'")
    assert told
    assert [word for word in ("Quillfeather", '"ana"', '"ben"', '"holding"') if word in str(told)] == []
    with pytest.raises(Refused), database.transaction("compliance") as transaction:
        transaction.execute(b"select people from portal.ownership_statement")
    keeper = portal.keeper(database)
    shown = keeper.view_ownership(actor="officer.ana", investor=FUND, view="pvw_1", purpose="review")
    assert [person["name"] for person in shown["people"]] == [person["name"] for person in PEOPLE]
    keeper.erase_personal(actor="officer.ana", investor=FUND, because="asked for")
    assert rows(fund, "select status, people, shares from portal.ownership_statement") == [("erased", [], [])]
    assert problem(certify(fund))["code"] == "personal_data_is_not_erased"
    assert rows(fund, "select status, people, shares from portal.ownership_statement") == [("erased", [], [])]


def test_a_person_has_no_owners(fund: Api) -> None:
    own = certify(fund, PERSON, account=OPENER)
    assert problem(own)["code"] == "owners_are_stated_of_an_entity"
    assert problem(certify(fund, PERSON))["code"] == "account_may_act_for_the_investor"
    assert problem(certify(fund, "ivr_nobody"))["code"] == "profile_exists"


def test_one_of_two_statements_at_once_is_in_force(fund: Api, connect: Connect) -> None:
    authorise(fund)
    first, second = connect("portal"), connect("portal")
    said = [FUND, SIGNER, json.dumps([PEOPLE[1] | {"kind": "person"}]), "[]"]
    stated = "select portal.certify_ownership('u', 'r', %s, '{}', %s, %s, %s, true)"
    later = threading.Thread(target=second.execute, args=(stated.format("ows_2").encode(), said))
    with first.transaction():
        first.execute(stated.format("ows_1").encode(), said)
        later.start()
        later.join(0.5)
        assert later.is_alive()
    later.join()
    found = rows(fund, "select statement_id, status from portal.ownership_statement order by 1")
    assert found == [("ows_1", "superseded"), ("ows_2", "certified")]
    with pytest.raises(psycopg.errors.UniqueViolation, match="one_ownership_statement_in_force"):
        fund.world.login("owner").execute(TWICE.encode())


def test_an_erasure_waits_for_a_statement_that_is_being_certified(fund: Api, connect: Connect) -> None:
    authorise(fund)
    first, second = connect("portal"), connect("portal")
    people = json.dumps([PEOPLE[1] | {"kind": "person"}])
    stated = b"select portal.certify_ownership('u', 'r', %s, 'ows_1', %s, %s, '[]', true)"
    erased = b"select portal.erase_personal('officer.ana', 'r', %s, 'asked for')"
    later = threading.Thread(target=second.execute, args=(erased, [FUND]))
    with first.transaction():
        first.execute(stated, [FUND, SIGNER, people])
        later.start()
        later.join(0.5)
        assert later.is_alive()
    later.join()
    assert rows(fund, "select status, people from portal.ownership_statement") == [("erased", [])]


def test_a_stated_owner_is_a_person_or_an_entity(fund: Api) -> None:
    authorise(fund)
    is_certified = True
    people = json.dumps([PEOPLE[1] | {"kind": "person"}, {"id": "eve", "name": "Eve"}])
    with pytest.raises(psycopg.Error, match="a name and an id") as caught:
        fund.world.call("portal.certify_ownership", FUND, "ows_1", SIGNER, people, "[]", is_certified)
    assert caught.value.diag.constraint_name == "stated_owners_are_named_once"


def test_no_other_login_states_owners(fund: Api) -> None:
    for login in ("compliance", "treasury", "engine"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            fund.world.login(login).execute(
                "select portal.certify_ownership('a', 'b', 'c', 'd', 'e', '[]', '[]', true)"
            )
    for login in ("portal", "compliance"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            fund.world.login(login).execute(INSERT.encode())
