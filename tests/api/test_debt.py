"""Coupons, principal and paying wallets over the API: what the commands do, by the same two people."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bookrunner.adapters.chain import checksum
from bookrunner.api import api
from bookrunner.db import Database, Endpoint
from tests.api.conftest import Api, problem
from tests.attack.world import Connect, digest
from tests.servicing.paying import payer, yesterday
from tests.serving import serving

OFFER = "/v1/offers/ofr_one"
FLO, GUS = ({"keeper": "treasury", "name": name} for name in ("fund.flo", "fund.gus"))
DAN, DEE = ({"keeper": "engine", "name": name} for name in ("desk.dan", "desk.dee"))
YES, NO = {"decision": "approved"}, {"decision": "declined"}


def dollars(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "USD"}


def test_coupons_are_agreed_on_worked_out_and_drafted(
    connect: Connect, database: Database, endpoint: Endpoint
) -> None:
    world, _ = payer(connect, database)
    ends = yesterday()
    ((start,),) = world.ask("select (%s::date - interval '6 months')::date", ends)
    floating = {
        "kind": "floating",
        "rate_bp": 150,
        "index": "SOFR",
        "principal": dollars("1000.00"),
        "day_count": "actual/360",
        "months": 6,
        "starts_on": start.isoformat(),
        "ends_on": (ends + timedelta(days=400)).isoformat(),
    }
    with serving(api(database)) as url:
        calls = Api(url, endpoint, world)
        path = f"{OFFER}/coupon_schedules"
        for wrong, rule in (
            (
                {"principal": {"amount": "1000.00", "currency": "EUR"}},
                "terms_are_in_the_currency_of_the_offer",
            ),
            ({"index": None}, "coupon_names_its_index"),
            ({"base": "100"}, "indexed_coupon_has_its_base"),
            ({"ends_on": floating["starts_on"]}, "coupons_end_after_they_start"),
        ):
            assert problem(calls.post(path, floating | wrong, **DAN))["code"] == rule
        assert problem(calls.post("/v1/offers/ofr_none/coupon_schedules", floating, **DAN))["status"] == 404
        assert problem(calls.post(path, floating, **FLO))["status"] == 403
        made = calls.post(path, floating, request="once", **DAN)
        assert made.status_code == 201
        assert calls.post(path, floating, request="once", **DAN).json() == made.json()
        decide = f"{path}/{made.json()['id']}/decisions"
        assert problem(calls.post(decide, YES, seen='"1"', **DAN))["code"] == "schedule_needs_two_people"
        assert problem(calls.post(decide, YES, seen='"7"', **DEE))["status"] == 412
        assert problem(calls.post(f"{path}/csc_none/decisions", YES, seen='"1"', **DEE))["status"] == 404
        draft = f"{OFFER}/coupons/1/distributions"
        early = calls.post(draft, {"record_on": str(ends)}, **DAN)
        assert problem(early)["code"] == "coupon_schedule_is_in_force"
        assert calls.post(decide, YES, seen='"1"', **DEE).json()["status"] == "in_force"
        (listed,) = calls.get(path, "engine").json()["coupon_schedules"]
        assert (listed["status"], listed["principal"]["amount"]) == ("in_force", "1000.00")
        working = f"{OFFER}/coupons/1/working?record_on={ends}"
        assert problem(calls.get(working, "engine"))["code"] == "coupon_has_its_fixing"
        fixing = {"index": "SOFR", "on": str(start), "value": "4.30", "source": "the bank's page"}
        named = calls.post(f"{OFFER}/coupon_fixings", fixing, **DAN).json()["id"]
        decide = f"{OFFER}/coupon_fixings/{named}/decisions"
        assert problem(calls.post(decide, YES, seen='"1"', **DAN))["code"] == "fixing_needs_two_people"
        assert calls.post(decide, YES, seen='"1"', **DEE).json()["status"] == "in_force"
        (listed,) = calls.get(f"{OFFER}/coupon_fixings", "engine").json()["coupon_fixings"]
        assert (listed["value"], listed["decided_by"]) == ("4.30", "key:desk.dee")
        worked = calls.get(working, "engine").json()
        assert any("SOFR" in line for line in worked["working"])
        asked = {"record_on": str(ends)}
        drafted = calls.post(draft, asked, request="draft", **DAN)
        assert (drafted.status_code, drafted.json()["status"]) == (201, "draft")
        assert calls.post(draft, asked, request="draft", **DAN).json() == drafted.json()
        ((amount,),) = world.ask("select distributable_minor from engine.distribution")
        assert worked["amount"]["amount"] == f"{amount / 100:.2f}"
        assert world.ask("select count(*) > 0 from compliance.rescreening where done_at is null") == [(True,)]
        assert problem(calls.post(draft, asked, **DAN))["status"] == 409
        (first, *_) = calls.get(f"{OFFER}/coupons", "engine").json()["coupons"]
        assert first["distribution"] == drafted.json()["id"]
        assert problem(calls.post(f"{OFFER}/coupons/900/distributions", asked, **DAN))["status"] == 404


def test_principal_is_agreed_on_and_its_instalments_are_drafted(
    connect: Connect, database: Database, endpoint: Endpoint
) -> None:
    world, _ = payer(connect, database)
    day = yesterday()
    parts = [
        {"due_on": str(day), "part": dollars("200.01")},
        {"due_on": str(day + timedelta(days=182)), "part": dollars("799.99")},
    ]
    said = {"principal": dollars("1000.00"), "instalments": parts}
    with serving(api(database)) as url:
        calls = Api(url, endpoint, world)
        path = f"{OFFER}/principal_terms"
        short = calls.post(path, said | {"instalments": parts[:1]}, **DAN)
        assert problem(short)["code"] == "instalments_sum_to_the_principal"
        euro = [parts[0], {**parts[1], "part": {"amount": "799.99", "currency": "EUR"}}]
        mixed = calls.post(path, said | {"instalments": euro}, **DAN)
        assert problem(mixed)["code"] == "terms_are_in_the_currency_of_the_offer"
        twice = calls.post(path, said | {"instalments": [parts[0], {**parts[1], "due_on": str(day)}]}, **DAN)
        assert problem(twice)["code"] == "one_instalment_a_day"
        assert world.ask("select count(*) from engine.amortisation") == [(0,)]
        made = calls.post(path, said, **DAN).json()
        decide = f"{path}/{made['id']}/decisions"
        assert problem(calls.post(decide, YES, seen='"1"', **DAN))["code"] == "amortisation_needs_two_people"
        draft, asked = f"{OFFER}/instalments/1/distributions", {"record_on": str(day), "pay_on": str(day)}
        assert problem(calls.post(draft, asked, **DAN))["code"] == "instalment_exists"
        assert calls.post(decide, YES, seen='"1"', **DEE).json()["status"] == "in_force"
        told = calls.get(path, "engine").json()
        assert [each["left"]["amount"] for each in told["principal_terms"]] == ["1000.00"]
        assert [each["part"]["amount"] for each in told["instalments"]] == ["200.01", "799.99"]
        lots = calls.get(f"{OFFER}/principal_lots?limit=2", "engine").json()
        rest = calls.get(f"{OFFER}/principal_lots?cursor={lots['next']}", "engine").json()
        assert sorted(each["units"] for each in lots["lots"] + rest["lots"]) == [1, 2, 3]
        drafted = calls.post(draft, asked, request="draft", **DAN)
        assert (drafted.status_code, drafted.json()["status"]) == (201, "draft")
        assert calls.post(draft, asked, request="draft", **DAN).json() == drafted.json()
        assert problem(calls.post(draft, asked, **DAN))["status"] == 409
        (first, _) = calls.get(path, "engine").json()["instalments"]
        assert (first["distribution"], first["status"]) == (drafted.json()["id"], "draft")
        other = calls.post(path, said, **DAN).json()
        refused = calls.post(f"{path}/{other['id']}/decisions", NO, seen='"1"', **DAN).json()
        assert refused["status"] == "declined"
        assert problem(calls.get(path, "treasury"))["code"] == "key_serves_this_keeper"


@pytest.mark.parametrize("coin", [None, "cin_1"])
def test_paying_wallets_are_proposed_by_their_key_and_replaced(
    connect: Connect, database: Database, endpoint: Endpoint, coin: str | None
) -> None:
    world, _ = payer(connect, database)
    world.open_coins()
    app, body = api(database), {} if coin is None else {"coin": coin}
    with serving(app) as url:
        calls = Api(url, endpoint, world)
        path = f"{OFFER}/paying_wallets"
        assert problem(calls.post(path, body, **FLO))["code"] == "paying_wallets_have_their_keys"
        app.state.paying_address = lambda offer: digest(f"key of {offer}")[:20]
        assert problem(calls.post(path, {"coin": "cin_none"}, **FLO))["status"] == 409
        assert problem(calls.post("/v1/offers/ofr_none/paying_wallets", body, **FLO))["status"] == 404
        made = calls.post(path, body, **FLO)
        assert made.status_code == 201
        assert problem(calls.post(path, body, **GUS))["code"] == "one_paying_wallet_is_proposed"
        decide = f"{path}/{made.json()['id']}/decisions"
        assert problem(calls.post(decide, YES, seen='"1"', **FLO))["code"] == "paying_wallet_needs_two_people"
        assert problem(calls.post(decide, YES, seen='"2"', **GUS))["status"] == 412
        assert problem(calls.post(f"{path}/pwl_none/decisions", YES, seen='"1"', **GUS))["status"] == 404
        assert calls.post(decide, YES, seen='"1"', **GUS).json()["status"] == "in_force"
        now, before = calls.get(path, "treasury").json()["paying_wallets"]
        assert (now["address"], now["coin"]) == (checksum(digest("key of ofr_one")[:20]), "cin_1")
        assert (before["id"], before["status"]) == ("pwl_1", "superseded")
        assert problem(calls.get(path, "engine"))["code"] == "key_serves_this_keeper"
