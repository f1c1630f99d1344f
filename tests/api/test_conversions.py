"""Conversions over the API: exact inputs, each confirmed, decided by another person on the version seen."""

from __future__ import annotations

from bookrunner.api import api
from bookrunner.db import Database, Endpoint
from tests.api.conftest import Api, problem, serving
from tests.attack.world import Connect, World

PATH = "/v1/offers/ofr_one/conversions"
TERMS = {
    "into": "ofr_two",
    "formula": "discounted_price",
    "fractions": "cash",
    "effective_at": "2026-01-01T12:00:00Z",
    "authority_sha256": "0a" * 32,
    "authority_reference": "resolution 7",
}
PAPER = {"source": "note agreement", "source_sha256": "0b" * 32}


def usd(amount: str) -> dict[str, str]:
    """Return money as a body says it."""
    return {"amount": amount, "currency": "USD"}


def test_a_conversion_is_proposed_confirmed_and_decided_by_two_people(
    connect: Connect, database: Database, endpoint: Endpoint
) -> None:
    World(connect, "two").build("published")
    world = World(connect).build("registered")
    with serving(api(database)) as url:
        calls = Api(url, endpoint, world)
        by = {"keeper": "registry"}
        assert problem(calls.post(PATH, TERMS))["code"] == "key_serves_this_keeper"
        for code, changed in {
            "conversion_goes_into_another_class": {"into": "ofr_one"},
            "offer_exists": {"into": "ofr_none"},
            "ratio_takes_no_interest": {"formula": "fixed_ratio", "bears_interest": True},
        }.items():
            assert problem(calls.post(PATH, TERMS | changed, **by))["code"] == code
        made = calls.post(PATH, TERMS, request="once", **by).json()
        assert made["missing"] == ["principal_minor", "round_price_minor", "discount_ppm"]
        assert calls.post(PATH, TERMS, request="once", **by).json() == made
        conversion = made["id"]
        inputs, decide = f"{PATH}/{conversion}/inputs", f"{PATH}/{conversion}/decisions"
        for said in (
            {"name": "discount_ppm", "amount": usd("0.20")},
            {"name": "principal_minor", "number": 5},
        ):
            refused = problem(calls.post(inputs, PAPER | said, **by))
            assert refused["code"] == "conversion_input_is_an_amount_or_a_day"
        of_another = PAPER | {"name": "price_minor", "amount": usd("1.00")}
        refused = problem(calls.post(inputs, of_another, **by))
        assert refused["code"] == "conversion_takes_the_inputs_of_its_formula"
        for said in (
            {"name": "principal_minor", "amount": usd("500.00")},
            {"name": "round_price_minor", "amount": usd("12.50")},
        ):
            acted = calls.post(inputs, PAPER | said, **by).json()
        assert (acted["missing"], acted["version"]) == (["discount_ppm"], "3")
        assert calls.get(f"{PATH}/{conversion}", "audit").json()["holders"] == []
        approved = {"decision": "approved"}
        lacking = problem(calls.post(decide, approved, seen='"3"', name="agent-two", **by))
        assert lacking["code"] == "conversion_has_its_inputs"
        assert "discount_ppm" in lacking["detail"]
        calls.post(inputs, PAPER | {"name": "discount_ppm", "number": 200_000}, **by)
        assert problem(calls.post(decide, approved, seen='"3"', name="agent-two", **by))["status"] == 412
        same = calls.post(decide, approved, seen='"4"', **by)
        assert problem(same)["code"] == "conversion_needs_two_people"
        agreed = calls.post(decide, approved, seen='"4"', name="agent-two", **by).json()
        assert agreed["status"] == "approved"
        (listed,) = calls.get(PATH, "audit").json()["conversions"]
        assert (listed["price"], listed["price_by"]) == ("1000000000/1000000", "discount")
        assert listed["waits_for"][:2] == ["conversion_follows_the_sale", "conversion_meets_no_open_closing"]
        working = calls.get(f"{PATH}/{conversion}", "audit").json()
        assert working["inputs"][0] | {"confirmed_at": ""} == {
            "name": "discount_ppm",
            "amount": None,
            "number": 200_000,
            "day": None,
            **PAPER,
            "confirmed_by": working["inputs"][1]["confirmed_by"],
            "confirmed_at": "",
        }
        holder = working["holders"][-1]
        assert (holder["units_before"], holder["units_after"]) == (3, 150)
        assert (holder["principal"], holder["cash_owed"]) == (usd("1500.00"), usd("0.00"))
        _give_up(calls, conversion)
    assert calls.events(conversion) == [
        "conversion.proposed",
        *["conversion.input_confirmed"] * 3,
        "conversion.approved",
        "conversion.abandoned",
    ]


def _give_up(calls: Api, conversion: str) -> None:
    decide, by = f"{PATH}/{conversion}/decisions", {"keeper": "registry"}
    silent = problem(calls.post(decide, {"decision": "abandoned"}, seen='"5"', **by))
    assert silent["status"] in {400, 422}
    end = {"decision": "abandoned", "because": "another round"}
    assert calls.post(decide, end, seen='"5"', **by).json()["status"] == "abandoned"
    none = calls.post(f"{PATH}/cnv_none/decisions", {"decision": "approved"}, seen='"1"', **by)
    assert problem(none)["code"] == "conversion_exists"
    assert problem(calls.get(f"{PATH}/cnv_none", "audit"))["code"] == "conversion_exists"
    assert problem(calls.get("/v1/offers/ofr_none/conversions", "audit"))["code"] == "offer_exists"
