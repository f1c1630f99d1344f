"""Policies, waitlists, allotments and amendments over the API."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bookrunner.api import api
from bookrunner.db import Database, Endpoint
from bookrunner.engine import Desk, Process
from tests.allocation.book import Book, digest
from tests.api.conftest import Api, problem
from tests.attack.world import Connect
from tests.serving import serving

DECISION = {"capacity": "placement_agent", "because": "as announced"}
ALLOTMENTS = "/v1/offers/ofr_one/allotments"


@pytest.fixture
def short(endpoint: Endpoint, database: Database, connect: Connect) -> Iterator[Api]:
    """Serve the API over an offer with orders of six units for four."""
    book = Book(connect, cap=4, policy="pro_rata", most_units=6).ordered()
    with serving(api(database)) as url:
        yield Api(url, endpoint, book)


def test_a_list_is_seen_and_then_decided(short: Api) -> None:
    dry = short.post(f"{ALLOTMENTS}/dry_run", {})
    assert [(line["units"], line["because"]) for line in dry.json()["lines"]] == [
        ("0", "share_is_below_the_minimum"),
        ("2", "in_full"),
        ("2", "pro_rata"),
    ]
    assert short.post(ALLOTMENTS, DECISION).status_code == 428
    short.post("/v1/investments/inv_one1/cancellation_requests")
    late = short.post(ALLOTMENTS, DECISION, seen=dry.headers["etag"])
    assert (late.status_code, problem(late)["code"]) == (412, "book_is_the_one_that_was_seen")
    seen = short.post(f"{ALLOTMENTS}/dry_run").headers["etag"]
    decided = short.post(ALLOTMENTS, DECISION, seen=seen, request="decide")
    assert decided.status_code == 201
    assert decided.json() | {"id": ""} == {
        "id": "", "offer": "ofr_one", "ordinal": 1, "policy": "pro_rata", "available": "3", "ordered": "5",
        "allotted": "3", "decided_by": "key:engine-one", "capacity": "placement_agent", "version": "1",
    }  # fmt: skip
    again = short.post(ALLOTMENTS, DECISION, seen=seen, request="decide")
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json() == decided.json()
    lines = short.get(ALLOTMENTS, keeper="subscription").json()["lines"]
    assert [(line["investment"], line["ordered"], line["units"]) for line in lines] == [
        ("inv_one2", "2", "1"),
        ("inv_one3", "3", "2"),
    ]
    assert short.get("/v1/offers/ofr_one/units", keeper="portal").json() == {
        "offer": "ofr_one", "policy": "pro_rata", "hold_minutes": None, "total": "4", "reserved": "4",
        "allocated": "0", "free": "0", "oversubscribed": "0", "waiting": "0",
    }  # fmt: skip


def test_a_cut_is_made_on_the_version_seen(calls: Api) -> None:
    calls.world.call("engine.confirm", "ofr_one", "inv_one3")
    seen = calls.get("/v1/investments/inv_one3").headers["etag"]
    body = DECISION | {"units": "1"}
    assert calls.post("/v1/investments/inv_one3/cuts", body).status_code == 428
    old = calls.post("/v1/investments/inv_one3/cuts", body, seen='"1.1"')
    assert problem(old)["code"] == "version_is_the_one_that_was_seen"
    cut = calls.post("/v1/investments/inv_one3/cuts", body, seen=seen)
    assert (cut.status_code, cut.json()["units"]) == (201, "1")
    now = calls.get("/v1/investments/inv_one3")
    assert (now.json()["units"], now.headers["etag"]) == ("1", cut.headers["etag"])


def test_an_investor_waits_and_leaves(short: Api) -> None:
    waiting = short.post("/v1/offers/ofr_one/waitlist", {"investor": "ivr_w", "units": "2"})
    assert (waiting.status_code, waiting.json()["place"], waiting.json()["status"]) == (201, 1, "waiting")
    entry = waiting.json()["id"]
    left = short.post(f"/v1/offers/ofr_one/waitlist/{entry}/withdraw")
    assert left.json()["status"] == "withdrawn"
    unknown = short.post("/v1/offers/ofr_one/waitlist/wle_none/withdraw")
    assert (unknown.status_code, problem(unknown)["code"]) == (404, "waitlist_entry_exists")
    (row,) = short.get("/v1/offers/ofr_one/waitlist").json()["waitlist"]
    assert (row["id"], row["investor"], row["units"], row["status"]) == (entry, "ivr_w", "2", "withdrawn")


def test_a_policy_is_named_before_the_first_order(short: Api, connect: Connect) -> None:
    Book(connect, "two", cap=4).build("published")
    body = {"policy": "discretionary", "most_units": "9", "hold_minutes": 60}
    named = short.post("/v1/offers/ofr_two/allocation_policy", body)
    assert named.json() == body | {"offer": "ofr_two", "version": "1"}
    late = short.post("/v1/offers/ofr_one/allocation_policy", body)
    assert (late.status_code, problem(late)["code"]) == (409, "policy_is_named_before_the_first_order")
    assert short.post("/v1/offers/ofr_two/allocation_policy", {"policy": "by_lot"}).status_code == 422


def test_a_material_change_is_proposed_announced_and_answered(calls: Api, database: Database) -> None:
    change = {"sentence": "The date moves.", "is_material": True, "document_sha256": digest("d").hex()}
    path = "/v1/offers/ofr_one/amendments"
    proposed = calls.post(path, change)
    assert (proposed.status_code, proposed.json()["status"], proposed.json()["due_at"]) == (
        201,
        "proposed",
        None,
    )
    decision = {"accepted": True, "because": "agreed"}
    decide = f"{path}/{proposed.json()['id']}/decisions"
    assert calls.post(decide, decision).status_code == 428
    assert problem(calls.post(decide, decision, seen='"1"'))["code"] == "amendment_needs_two_people"
    assert calls.post(decide, decision, seen='"7"', name="engine-two").status_code == 412
    assert calls.post(decide, decision, seen='"1.1"', name="engine-two").status_code == 422
    announced = calls.post(decide, decision, seen='"1"', name="engine-two")
    assert announced.json()["status"] == "announced"
    Process(Desk(database)).drain()
    (listed,) = calls.get(path).json()["amendments"]
    assert listed["answers"] == {"asked": 3, "reconfirmed": 0, "declined": 0, "lapsed": 0}
    assert (listed["rule"], listed["due_at"]) == (
        "house.reconfirm_within",
        announced.json()["due_at"].replace(".000000", ""),
    )
    for n, says, becomes in ((1, True, "reconfirmed"), (2, False, "declined")):
        asked = f"/v1/investments/inv_one{n}/reconfirmations"
        (question,) = calls.get(asked, keeper="subscription").json()["reconfirmations"]
        told = calls.post(f"{asked}/{question['id']}/answer", {"reconfirmed": says}, keeper="subscription")
        assert told.json()["status"] == becomes
        other = f"/v1/investments/inv_one3/reconfirmations/{question['id']}/answer"
        stray = calls.post(other, {"reconfirmed": True}, keeper="subscription")
        assert problem(stray)["code"] == "reconfirmation_exists"
    assert calls.post(other, {"reconfirmed": True}).status_code == 403
