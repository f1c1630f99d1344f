"""Buy-backs over the API: proposed, opened by another person, answered by holders, accepted."""

from __future__ import annotations

from datetime import timedelta

from bookrunner.api import api
from bookrunner.core import clock
from bookrunner.db import Database, Endpoint
from tests.api.conftest import Api, problem, serving
from tests.attack.world import Connect, World

PATH = "/v1/offers/ofr_one/buybacks"
LATER = (clock.now() + timedelta(days=20)).strftime("%Y-%m-%dT%H:%M:%SZ")
TERMS = {
    "kind": "tender",
    "price": {"amount": "450.00", "currency": "USD"},
    "most_units": 2,
    "opens_at": "2026-01-01T12:00:00Z",
    "closes_at": LATER,
    "authority_sha256": "0a" * 32,
    "authority_reference": "resolution 8",
}


def test_a_buy_back_is_opened_by_two_people_and_answered_by_holders(
    connect: Connect, database: Database, endpoint: Endpoint
) -> None:
    world = World(connect).build("registered")
    with serving(api(database)) as url:
        calls = Api(url, endpoint, world)
        by = {"keeper": "registry"}
        assert problem(calls.post(PATH, TERMS))["code"] == "key_serves_this_keeper"
        for code, changed in {
            "buyback_price_is_in_the_currency_of_the_offer": {"price": {"amount": "1.00", "currency": "EUR"}},
            "buyback_states_its_limit": {"most_units": None},
            "bought_money_pays_a_unit": {"most_money": {"amount": "449.99", "currency": "USD"}},
        }.items():
            assert problem(calls.post(PATH, TERMS | changed, **by))["code"] == code
        made = calls.post(PATH, TERMS, request="once", **by).json()["id"]
        assert calls.post(PATH, TERMS, request="once", **by).json()["id"] == made
        decide, approved = f"{PATH}/{made}/decisions", {"decision": "approved"}
        same = calls.post(decide, approved, seen='"1"', **by)
        assert problem(same)["code"] == "buyback_needs_two_people"
        assert problem(calls.post(decide, approved, seen='"9"', name="agent-two", **by))["status"] == 412
        opened = calls.post(decide, approved, seen='"1"', name="agent-two", **by)
        assert opened.json()["status"] == "open"
        offers, three = (
            f"{PATH}/{made}/tenders",
            {"investor": "ivr_one3", "units": 3, "paper_sha256": "0c" * 32},
        )
        assert calls.post(offers, three, **by).json()["status"] == "tendered"
        more = {"investor": "ivr_one2", "units": 3}
        assert problem(calls.post(offers, more, **by))["code"] == "tender_for_another_names_its_paper"
        more["paper_sha256"] = "0c" * 32
        assert problem(calls.post(offers, more, **by))["code"] == "tender_is_within_the_free_balance"
        back = calls.post(offers, three | {"units": 0}, **by).json()
        assert (back["status"], back["units"]) == ("withdrawn", 3)
        (listed,) = calls.get(PATH, "audit").json()["buybacks"]
        assert (listed["version"], listed["costs"]["amount"], listed["tendered_units"]) == ("2", "0.00", 0)
        accept = calls.post(decide, {"decision": "accepted"}, seen='"2"', **by)
        assert problem(accept)["code"] == "window_is_over_before_acceptance"
        assert problem(calls.post(decide, {"decision": "abandoned"}, seen='"2"', **by))["status"] in {
            400,
            422,
        }
        end = {"decision": "abandoned", "because": "another price"}
        assert calls.post(decide, end, seen='"2"', **by).json()["status"] == "abandoned"
        none = calls.post(f"{PATH}/bbk_none/decisions", approved, seen='"1"', **by)
        assert problem(none)["code"] == "buyback_exists"
        assert problem(calls.get("/v1/offers/ofr_none/buybacks", "audit"))["code"] == "offer_exists"
    assert calls.events(made) == ["buyback.proposed", "buyback.opened", "buyback.abandoned"]
