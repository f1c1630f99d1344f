"""What follows a close over the API: remittances, accounts, tax years, coupons, mandates, rescissions."""

from __future__ import annotations

from bookrunner.api import api
from bookrunner.db import Database, Endpoint
from tests.api.conftest import Api, problem
from tests.attack.world import Connect, World
from tests.registry.transferring import Transferring
from tests.servicing.paying import DAY, payer
from tests.serving import serving

OFFER = "/v1/offers/ofr_one"
FLO, GUS = ({"keeper": "treasury", "name": name} for name in ("fund.flo", "fund.gus"))
ENGINE, SECOND = ({"keeper": "engine", "name": name} for name in ("desk.dan", "desk.dee"))
TESS, THEO = ({"keeper": "registry", "name": name} for name in ("agent.tess", "agent.theo"))
PAPER = "0b" * 32


def test_withheld_tax_and_accounts_are_decided_by_two_people(
    connect: Connect, database: Database, endpoint: Endpoint
) -> None:
    world, runs = payer(connect, database)
    runs.start(world.offering, world.ready(runs), actor="usr_first")
    with serving(api(database)) as url:
        calls = Api(url, endpoint, world)
        asked = {"form": "1042", "year": 2026, "amount": {"amount": "300.00", "currency": "USD"}}
        made = calls.post(f"{OFFER}/remittances", {**asked, "account": "OFFICE-1"}, request="once", **FLO)
        assert made.status_code == 201
        again = calls.post(f"{OFFER}/remittances", {**asked, "account": "OFFICE-1"}, request="once", **FLO)
        assert again.json() == made.json()
        decide = f"{OFFER}/remittances/{made.json()['id']}/decisions"
        alone = calls.post(decide, {"decision": "approved"}, seen='"1"', **FLO)
        assert problem(alone)["code"] == "remittance_needs_two_people"
        assert problem(calls.post(decide, {"decision": "approved"}, seen='"9"', **GUS))["status"] == 412
        agreed = calls.post(decide, {"decision": "approved"}, seen='"1"', **GUS).json()
        assert agreed["status"] == "approved"
        unsaid = calls.post(decide, {"decision": "given_up"}, seen='"2"', **GUS)
        assert problem(unsaid)["code"] == "given_up_remittance_says_why"
        ended = {"decision": "given_up", "because": "another account"}
        assert calls.post(decide, ended, seen='"2"', **GUS).json()["status"] == "declined"
        (listed,) = calls.get(f"{OFFER}/remittances", "treasury").json()["remittances"]
        assert (listed["amount"]["amount"], listed["status"]) == ("300.00", "declined")
        payee = world.id("ivr", 2)
        named = {"payee": payee, "account": "ACC-NEW", "evidence_sha256": PAPER, "because": "its letter"}
        account = calls.post(f"{OFFER}/payee_accounts", {**named, "entry_class": "CCD"}, **FLO).json()["id"]
        decide = f"{OFFER}/payee_accounts/{account}/decisions"
        yes = {"decision": "approved", "payee": payee}
        assert (
            problem(calls.post(decide, yes, seen='"1"', **GUS))["code"]
            == "payee_is_screened_before_it_is_paid"
        )
        world.screen()
        assert problem(calls.post(decide, yes, seen='"1"', **FLO))["status"] == 409
        assert calls.post(decide, yes, seen='"1"', **GUS).json()["status"] == "in_force"
        (listed,) = calls.get(f"{OFFER}/payee_accounts", "treasury").json()["payee_accounts"]
        assert (listed["payee"], listed["rail"], listed["entry_class"]) == (payee, "ach", "CCD")
        for path in ("remittances/rmt_none", "payee_accounts/pac_none"):
            named = {"payee": payee} if path.startswith("payee") else {}
            missing = calls.post(
                f"{OFFER}/{path}/decisions", {"decision": "approved"} | named, seen='"1"', **GUS
            )
            assert missing.status_code == 404
        other = calls.post("/v1/offers/ofr_none/remittances", {**asked, "account": "OFFICE-1"}, **FLO)
        assert problem(other)["code"] == "offer_exists"
        assert problem(calls.get(f"{OFFER}/remittances", "engine"))["code"] == "key_serves_this_keeper"


def test_an_account_is_named_for_payees_of_the_offer_alone_and_before_they_are_owed(
    connect: Connect, database: Database, endpoint: Endpoint
) -> None:
    world, runs = payer(connect, database)
    said = {"account": "ACC-NEW", "evidence_sha256": PAPER, "because": "its letter"}
    with serving(api(database)) as url:
        calls = Api(url, endpoint, world)
        stranger = calls.post(f"{OFFER}/payee_accounts", {**said, "payee": "ivr_stranger"}, **FLO)
        assert (stranger.status_code, problem(stranger)["code"]) == (404, "payee_exists")
        assert world.ask("select count(*) from treasury.payee_account") == [(0,)]
        payee = world.id("ivr", 2)
        account = calls.post(f"{OFFER}/payee_accounts", {**said, "payee": payee}, **FLO).json()["id"]
        (listed,) = calls.get(f"{OFFER}/payee_accounts", "treasury").json()["payee_accounts"]
        assert (listed["payee"], listed["status"]) == (payee, "proposed")
        (shown,) = runs.payments.payee_accounts(offering=world.offering)
        assert shown["account_id"] == account
        world.screen()
        decide = f"{OFFER}/payee_accounts/{account}/decisions"
        yes = {"decision": "approved", "payee": payee}
        assert calls.post(decide, yes, seen='"1"', **GUS).json()["status"] == "in_force"


def test_an_account_is_decided_on_for_its_payee_alone(
    connect: Connect, database: Database, endpoint: Endpoint
) -> None:
    world, _ = payer(connect, database)
    one, two = world.id("ivr", 1), world.id("ivr", 2)
    for payee in (two, one):
        said = [payee, "pac_same", "stablecoin", None, "asked in writing"]
        world.call("treasury.propose_payee_account", *said)
    with serving(api(database)) as url:
        calls = Api(url, endpoint, world)
        decide = f"{OFFER}/payee_accounts/pac_same/decisions"
        no = {"decision": "declined", "payee": one}
        assert calls.post(decide, no, seen='"1"', **GUS).json()["status"] == "declined"
        stranger = calls.post(decide, {**no, "payee": world.id("ivr", 3)}, seen='"1"', **GUS)
        assert (stranger.status_code, problem(stranger)["code"]) == (404, "payee_account_exists")
    states = dict(world.ask("select investor_id, status from treasury.payee_account"))
    assert states == {one: "declined", two: "proposed"}


def test_years_are_drafted_and_coupons_name_the_fixing_that_is_missing(
    connect: Connect, database: Database, endpoint: Endpoint
) -> None:
    world, runs = payer(connect, database)
    distribution = world.ready(runs)
    runs.start(world.offering, distribution, actor="usr_first")
    world.call("treasury.settle_disbursements", world.offering, world.send(distribution), DAY)
    floating = {
        "kind": "floating",
        "rate_bp": 150,
        "index": "SOFR",
        "principal": 100_000,
        "day_count": "actual/360",
        "months": 12,
        "starts_on": "2026-01-01",
        "ends_on": "2028-01-01",
    }
    with serving(api(database)) as url:
        calls = Api(url, endpoint, world)
        assert calls.get(f"{OFFER}/coupons", "engine").json() == {"coupons": []}
        world.call("engine.propose_schedule", world.offering, "csd_1", floating)
        world.call("engine.decide_schedule", world.offering, "csd_1", "true", actor="usr_second")
        fixing = {"index": "SOFR", "on": "2026-01-01", "value": "4.30", "source": "the bank's page"}
        world.call("engine.propose_fixing", world.offering, "cfx_1", fixing)
        world.call("engine.decide_fixing", world.offering, "cfx_1", "true", actor="usr_second")
        first, second = calls.get(f"{OFFER}/coupons", "engine").json()["coupons"]
        assert (first["lacks"], second["lacks"]) == (None, {"index": "SOFR", "on": "2027-01-01"})
        year = calls.post(f"{OFFER}/tax_years", {"year": 2026}, **ENGINE).json()
        decide = f"{OFFER}/tax_years/{year['id']}/decisions"
        seen = f'"{year["version"]}"'
        unsaid = calls.post(decide, {"decision": "cancelled"}, seen=seen, **SECOND)
        assert problem(unsaid)["code"] == "cancelled_tax_year_says_why"
        alone = calls.post(decide, {"decision": "released"}, seen=seen, **ENGINE)
        assert problem(alone)["code"] in {"tax_year_needs_two_people", "released_year_is_over"}
        (listed,) = calls.get(f"{OFFER}/tax_years", "engine").json()["tax_years"]
        assert (listed["status"], listed["differs"], listed["gross"]["amount"]) == ("draft", 0, "1000.00")
        ended = {"decision": "cancelled", "because": "drafted too early"}
        assert calls.post(decide, ended, seen=seen, **SECOND).json()["status"] == "cancelled"


def test_a_mandate_is_proposed_by_paper_and_decided(
    connect: Connect, database: Database, endpoint: Endpoint
) -> None:
    world, _ = payer(connect, database)
    with serving(api(database)) as url:
        calls = Api(url, endpoint, world)
        said = {"holder": world.id("ivr", 1), "payee": world.id("ivr", 2), "evidence_sha256": PAPER}
        body = {**said, "because": "pledged to its lender"}
        made = calls.post(f"{OFFER}/payee_mandates", body, **TESS)
        assert made.status_code == 201, made.text
        mandate = made.json()["id"]
        decide = f"{OFFER}/payee_mandates/{mandate}/decisions"
        world.screen()
        alone = calls.post(decide, {"decision": "approved"}, seen='"1"', **TESS)
        assert problem(alone)["code"] == "mandate_needs_two_people"
        assert calls.post(decide, {"decision": "approved"}, seen='"1"', **THEO).json()["status"] == "in_force"
        (listed,) = calls.get(f"{OFFER}/payee_mandates", "registry").json()["mandates"]
        assert (listed["holder"], listed["payee"]) == (said["holder"], said["payee"])
        stranger = {**body, "holder": "ivr_stranger"}
        assert (
            problem(calls.post(f"{OFFER}/payee_mandates", stranger, **TESS))["code"]
            == "mandate_is_of_a_holder"
        )


def test_a_transfer_is_asked_to_be_taken_back(
    connect: Connect, database: Database, endpoint: Endpoint
) -> None:
    world = World(connect)
    world.numbers = (1, 2, 9)  # type: ignore[assignment]
    desk = Transferring(world.build("registered"), database)
    desk.seller = "ivr_one9"
    desk.free_lots()
    transfer = desk.registered(desk.taker())
    with serving(api(database)) as url:
        calls = Api(url, endpoint, world)
        said = {"transfer": transfer, "because": "the buyer was misled", "order_sha256": PAPER}
        body = {**said, "order_reference": "case 12/2026"}
        made = calls.post(f"{OFFER}/rescissions", body, **TESS)
        assert (made.status_code, made.json()["status"]) == (201, "asked")
        (listed,) = calls.get(f"{OFFER}/rescissions", "registry").json()["rescissions"]
        assert (listed["transfer"], listed["status"]) == (transfer, "asked")
        assert calls.post(f"{OFFER}/rescissions", {**body, "transfer": "xfr_none"}, **TESS).status_code == 404
        repay = f"{OFFER}/rescissions/{listed['id']}/repayments"
        early = calls.post(repay, {"evidence_sha256": PAPER}, seen=f'"{listed["version"]}"', **THEO)
        assert early.status_code == 409
