"""Buy-backs over the API: proposed, opened by another person, answered by holders, accepted."""

from __future__ import annotations

from datetime import timedelta

from bookrunner.api import api
from bookrunner.core import clock
from bookrunner.db import Database, Endpoint
from tests.api.conftest import Api, problem, serving
from tests.attack.world import Connect, World
from tests.servicing.buying import Buyer
from tests.servicing.test_line_releases import TWO, started

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


def test_a_line_that_nobody_can_cancel_is_let_go_by_two_people(
    connect: Connect, database: Database, endpoint: Endpoint
) -> None:
    issuer = Buyer(connect, database)
    made, _ = started(issuer)
    with serving(api(database)) as url:
        calls = Api(url, endpoint, issuer)
        tess, theo = ({"keeper": "registry", "name": name} for name in ("agent.tess", "agent.theo"))
        (seen,) = (one["version"] for one in calls.get(PATH, "audit").json()["buybacks"])
        path, asked = f"{PATH}/{made}/line_releases", {"investor": TWO, "because": "frozen by a court"}
        early = calls.post(path, asked, seen=f'"{seen}"', **tess)
        assert problem(early)["code"] == "released_line_cannot_be_cancelled"
        issuer.control("freeze_account", investor=TWO)
        assert problem(calls.post(path, asked, seen='"99"', **tess))["status"] == 412
        stranger = calls.post(path, asked | {"investor": "ivr_stranger"}, seen=f'"{seen}"', **tess)
        assert problem(stranger)["code"] == "released_line_exists"
        proposed = calls.post(path, asked, seen=f'"{seen}"', request="once", **tess)
        assert proposed.status_code == 201
        again = calls.post(path, asked, seen=f'"{seen}"', request="once", **tess)
        assert again.json() == proposed.json()
        decide = f"{path}/{proposed.json()['id']}/decisions"
        yes = {"decision": "released", "because": "read the order"}
        assert problem(calls.post(decide, yes, seen='"1"', **tess))["code"] == "line_release_needs_two_people"
        assert problem(calls.post(decide, yes, seen='"5"', **theo))["status"] == 412
        assert problem(calls.post(f"{path}/lnr_none/decisions", yes, seen='"1"', **theo))["status"] == 404
        assert calls.post(decide, yes, seen='"1"', **theo).json()["status"] == "released"
        (listed,) = calls.get(path, "audit").json()["line_releases"]
        assert (listed["investor"], listed["price"]["amount"]) == (TWO, "4500.00")
        assert listed["hindered_by"] == "seller_account_is_not_frozen"
