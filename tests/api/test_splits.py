"""Splits over the API: proposed with exact terms, decided by another person on the version that it saw."""

from __future__ import annotations

from bookrunner.api import api
from bookrunner.db import Database, Endpoint
from tests.api.conftest import Api, problem, serving
from tests.attack.world import Connect, World

PATH = "/v1/offers/ofr_one/splits"
TERMS = {
    "new_units": 3,
    "for_units": 2,
    "fractions": "cash",
    "price": {"amount": "333.33", "currency": "USD"},
    "effective_at": "2026-01-01T12:00:00Z",
    "authority_sha256": "0a" * 32,
    "authority_reference": "resolution 7",
}


def test_a_split_is_proposed_and_decided_by_two_people(
    connect: Connect, database: Database, endpoint: Endpoint
) -> None:
    world = World(connect).build("registered")
    with serving(api(database)) as url:
        calls = Api(url, endpoint, world)
        by = {"keeper": "registry"}
        assert problem(calls.post(PATH, TERMS))["code"] == "key_serves_this_keeper"
        for code, changed in {
            "split_price_is_in_the_currency_of_the_offer": {"price": {"amount": "1.00", "currency": "EUR"}},
            "cash_in_lieu_has_its_price": {"price": None},
            "split_changes_the_units": {"new_units": 2},
        }.items():
            assert problem(calls.post(PATH, TERMS | changed, **by))["code"] == code
        no_rule = {name: term for name, term in TERMS.items() if name != "fractions"}
        assert problem(calls.post(PATH, no_rule, **by))["status"] == 422
        split = calls.post(PATH, TERMS, request="once", **by).json()["id"]
        assert calls.post(PATH, TERMS, request="once", **by).json()["id"] == split
        decide, approved = f"{PATH}/{split}/decisions", {"decision": "approved"}
        same = calls.post(decide, approved, seen='"1"', **by)
        assert problem(same)["code"] == "split_needs_two_people"
        assert problem(calls.post(decide, approved, seen='"9"', name="agent-two", **by))["status"] == 412
        assert calls.post(decide, approved, seen='"1"', name="agent-two", **by).json()["status"] == "approved"
        (listed,) = calls.get(PATH, "audit").json()["splits"]
        assert (listed["version"], listed["price"]) == ("2", {"amount": "333.33", "currency": "USD"})
        assert listed["waits_for"] == [
            "split_follows_the_sale",
            "split_meets_no_open_closing",
            "split_meets_a_paused_security",
        ]
        assert problem(calls.post(decide, {"decision": "abandoned"}, seen='"2"', **by))["status"] in {
            400,
            422,
        }
        end = {"decision": "abandoned", "because": "another ratio"}
        assert calls.post(decide, end, seen='"2"', **by).json()["status"] == "abandoned"
        none = calls.post(f"{PATH}/spl_none/decisions", approved, seen='"1"', **by)
        assert problem(none)["code"] == "split_exists"
        assert problem(calls.get("/v1/offers/ofr_none/splits", "audit"))["code"] == "offer_exists"
    assert calls.events(split) == ["split.proposed", "split.approved", "split.abandoned"]
