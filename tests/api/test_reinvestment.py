"""Reinvestment over the API: plans of two people, elections of holders, what a run makes of them."""

from __future__ import annotations

from datetime import timedelta

from bookrunner.api import api
from bookrunner.core import clock
from bookrunner.db import Database, Endpoint
from tests.api.conftest import Api, problem, serving
from tests.attack.world import Connect
from tests.servicing.reinvesting import ONE, TWO, Reinvestor

PATH = "/v1/offers/ofr_one/reinvestment"
TERMS = {
    "price": {"amount": "30.00", "currency": "USD"},
    "cutoff_days": 2,
    "from_on": (clock.today() + timedelta(days=3)).isoformat(),
    "most_units": 1_000,
    "authority_sha256": "0a" * 32,
    "authority_reference": "resolution 9",
}


def test_a_plan_is_put_in_force_and_ended_by_two_people_and_holders_elect(
    connect: Connect, database: Database, endpoint: Endpoint
) -> None:
    world = Reinvestor(connect, database)
    with serving(api(database)) as url:
        calls, by = Api(url, endpoint, world), {"keeper": "registry"}
        plans, other = f"{PATH}/plans", {"keeper": "registry", "name": "agent-two"}
        assert problem(calls.post(plans, TERMS))["code"] == "key_serves_this_keeper"
        euros = {"price": {"amount": "30.00", "currency": "EUR"}}
        refused = calls.post(plans, TERMS | euros, **by)
        assert problem(refused)["code"] == "plan_price_is_in_the_currency_of_the_offer"
        made = calls.post(plans, TERMS, request="once", **by).json()["id"]
        assert calls.post(plans, TERMS, request="once", **by).json()["id"] == made
        decide, approved = f"{plans}/{made}/decisions", {"decision": "approved"}
        assert problem(calls.post(decide, approved, seen='"1"', **by))["code"] == "plan_needs_two_people"
        assert problem(calls.post(decide, approved, seen='"9"', **other))["status"] == 412
        for decision, rule in {
            "declined": "declined_plan_has_its_reason",
            "end_proposed": "plan_ends_for_a_reason",
        }.items():
            silent = calls.post(decide, {"decision": decision}, seen='"1"', **by)
            assert problem(silent)["code"] == rule
        assert calls.post(decide, approved, seen='"1"', **other).json()["status"] == "in_force"
        none = calls.post(f"{plans}/rpl_none/decisions", approved, seen='"1"', **by)
        assert problem(none)["code"] == "plan_exists"
        half = {"investor": ONE, "share_bp": 5_000}
        bare = calls.post(f"{PATH}/elections", half, **by)
        assert problem(bare)["code"] == "election_for_another_names_its_paper"
        half["paper_sha256"] = "0c" * 32
        given = calls.post(f"{PATH}/elections", half, request="elect", **by).json()
        assert calls.post(f"{PATH}/elections", half, request="elect", **by).json() == given
        assert (given["investor"], given["share_bp"]) == (ONE, 5_000)
        (listed,) = calls.get(f"{PATH}/elections", "audit").json()["elections"]
        assert (listed["id"], listed["counts_from"]) == (given["id"], TERMS["from_on"])
        ended = [("end_proposed", by), ("end_declined", other), ("end_proposed", by), ("end_approved", other)]
        states = [
            calls.post(
                decide, {"decision": word, "because": "too dear"}, seen=f'"{seen}"', **who
            ).json()["status"]
            for seen, (word, who) in enumerate(ended, start=2)
        ]  # fmt: skip
        assert states == ["ending", "in_force", "ending", "ended"]
        (plan,) = calls.get(plans, "audit").json()["plans"]
        assert (plan["status"], plan["version"], plan["promised_units"]) == ("ended", "6", 0)
        assert problem(calls.get("/v1/offers/ofr_none/reinvestment/plans", "audit"))["code"] == "offer_exists"
    assert calls.events(made)[-1] == "reinvestment_plan.ended"
    assert calls.events(given["id"]) == ["reinvestment_election.given"]


def test_a_run_says_who_gets_units_and_who_is_paid_in_cash(
    connect: Connect, database: Database, endpoint: Endpoint
) -> None:
    world = Reinvestor(connect, database)
    plan = world.planned()
    world.elect(ONE, 10_000)
    world.elect(TWO, 1)
    run = world.started(6_100_00)
    world.control("freeze_account", investor=ONE)
    with serving(api(database)) as url:
        calls = Api(url, endpoint, world)
        lines = calls.get(f"{PATH}/distributions/{run}", "audit").json()["lines"]
        told = [(one["investor"], one["units"], one["status"], one["because"]) for one in lines]
        assert told == [
            (ONE, 23, "open", "account_is_not_frozen"),
            (TWO, 0, "cash", "amount_is_less_than_a_unit"),
        ]
        assert (lines[0]["plan"], lines[0]["set_off"]["amount"], lines[0]["cash"]["amount"]) == (
            plan,
            "690.00",
            "10.00",
        )
        shown = calls.get(f"/v1/offers/ofr_one/distributions/{run}", "engine").json()
        assert (shown["reinvested"]["amount"], shown["distributed"]["amount"]) == ("690.00", "6100.00")
        paid = calls.get(f"/v1/offers/ofr_one/distributions/{run}/lines", "engine").json()["lines"]
        assert [one["reinvested"]["amount"] for one in paid if one["investor"] == ONE] == ["690.00"]
