"""The board, the swap of a sale against a coin, and anchors, over the API."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bookrunner.adapters.chain import Swap, abi, checksum
from bookrunner.api import api
from bookrunner.audit import advance_feed
from bookrunner.db import Database, Endpoint
from tests.api.conftest import Api, problem
from tests.attack.world import CHAIN, Connect, World
from tests.pages.test_auditor import ANCHORED
from tests.registry.test_settlements import COIN, PRICE, Sales
from tests.serving import serving

BOARD, TRANSFERS = "/v1/offers/ofr_one/interests", "/v1/offers/ofr_one/transfers"
MANAGER = b"\xdd" * 20
LATER = "2999-12-31"


@pytest.fixture
def sales(connect: Connect, database: Database) -> Sales:
    return Sales(World(connect).build("registered"), database)


@pytest.fixture
def market(sales: Sales, endpoint: Endpoint, database: Database) -> Iterator[Api]:
    with serving(api(database)) as url:
        yield Api(url, endpoint, sales.world)


def wish(investor: str, side: str = "sell", **other: object) -> dict[str, object]:
    """Return an interest in one unit."""
    price = {"amount": "50.00", "currency": "USD"}
    return {"investor": investor, "side": side, "units": "1", "price": price, "ends_on": LATER} | other


def test_an_interest_is_posted_seen_taken_and_taken_back(market: Api, sales: Sales) -> None:
    seller, buyer = sales.seller, sales.buyer
    posted = market.post(BOARD, wish(seller), keeper="portal", name=seller, request="post-1")
    assert (posted.status_code, posted.json()["status"]) == (201, "posted"), posted.text
    again = market.post(BOARD, wish(seller), keeper="portal", name=seller, request="post-1")
    assert (again.json(), again.headers["idempotent-replayed"]) == (posted.json(), "true")
    name = posted.json()["id"]
    shown = market.get(f"{BOARD}?investor={buyer}", "portal").json()["interests"]
    assert [(row["id"], row["is_own"], row["investor"]) for row in shown] == [(name, False, None)]
    own = market.get(f"{BOARD}?investor={seller}", "portal").json()["interests"]
    assert [row["is_own"] for row in own] == [True]
    assert [row["investor"] for row in market.get(BOARD, "registry").json()["interests"]] == [seller]
    taker = {"investor": buyer}
    matched = market.post(f"{BOARD}/{name}/matches", taker, keeper="portal", name=buyer)
    assert (matched.status_code, matched.json()["status"]) == (200, "matched"), matched.text
    transfer = market.get(f"{TRANSFERS}/{matched.json()['transfer']}", "registry").json()
    assert (transfer["seller"], transfer["buyer"], transfer["status"]) == (seller, buyer, "requested")
    second = market.post(BOARD, wish(buyer, "buy"), keeper="portal").json()["id"]
    foreign = market.post(f"{BOARD}/{second}/withdraw", {"investor": seller}, keeper="portal")
    assert problem(foreign)["code"] == "interest_exists"
    gone = market.post(f"{BOARD}/{second}/withdraw", {"investor": buyer}, keeper="portal")
    assert gone.json()["status"] == "withdrawn"


def test_whoever_takes_an_interest_is_told_nothing_of_the_other_side(market: Api, sales: Sales) -> None:
    name = market.post(BOARD, wish(sales.seller), keeper="portal").json()["id"]
    sales.world.revoke(3)
    refused = market.post(f"{BOARD}/{name}/matches", {"investor": sales.buyer}, keeper="portal")
    assert (refused.status_code, problem(refused)["code"]) == (409, "transfer_rules_allow_the_match")
    assert "cleared" not in refused.text


def test_whoever_takes_an_interest_is_told_what_is_wrong_with_its_call(market: Api, sales: Sales) -> None:
    names = [market.post(BOARD, wish(sales.seller), keeper="portal").json()["id"] for _ in range(2)]
    first, second = (f"{BOARD}/{name}/matches" for name in names)
    taker = {"investor": sales.buyer}
    assert market.post(first, taker, keeper="portal", request="match-1").status_code == 200
    for path, keeper, told in (
        (second, "portal", (422, "request_key_has_one_body")),
        (second, "compliance", (403, "key_serves_this_keeper")),
    ):
        refused = market.post(path, taker, keeper=keeper, request="match-1")
        assert (refused.status_code, problem(refused)["code"]) == told


def test_whoever_is_nobody_on_the_board_owns_nothing_of_it(market: Api, sales: Sales) -> None:
    market.post(BOARD, wish(sales.seller), keeper="portal")
    shown = market.get(BOARD, "portal")
    assert [row["is_own"] for row in shown.json()["interests"]] == [False], shown.text


def test_a_key_of_an_investor_acts_on_the_board_for_itself_alone(market: Api, sales: Sales) -> None:
    rule = "key_of_an_investor_reaches_its_own_alone"
    for path, body in ((BOARD, wish(sales.seller)), (f"{BOARD}/itr_x/matches", {"investor": sales.seller})):
        refused = market.post(path, body, keeper="portal", name=sales.buyer)
        assert (refused.status_code, problem(refused)["code"]) == (403, rule)
    for keeper in ("registry", "compliance"):
        assert market.post(BOARD, wish(sales.seller), keeper=keeper).status_code == 403
    assert market.get(BOARD, "treasury").status_code == 403


def test_a_swap_is_prepared_to_the_base_unit(market: Api, sales: Sales) -> None:
    transfer = sales.sold()
    path = f"{TRANSFERS}/{transfer}/swap?contract={checksum(MANAGER)}"
    answer = market.get(f"{path}&number=4", "registry")
    assert answer.status_code == 200, answer.text
    told, token = answer.json(), bytes(sales.world.token)
    swap = Swap(MANAGER, token, 1, sales.payee, COIN, PRICE, sales.payer)
    assert told["chain"] == CHAIN
    assert told["seller"]["wallet"] == checksum(sales.payee)
    assert told["buyer"]["wallet"] == checksum(sales.payer)
    assert [call["to"] for call in told["seller"]["calls"]] == [checksum(token), checksum(MANAGER)]
    right, offer = (bytes.fromhex(call["data"][2:]) for call in told["seller"]["calls"])
    assert right == abi.call_data("approve(address,uint256)", MANAGER, 1)
    assert offer[4:] == abi.encode(
        ("address", "uint256", "address", "address", "uint256"), (token, 1, sales.payer, COIN, PRICE)
    )
    pay, take = (bytes.fromhex(call["data"][2:]) for call in told["buyer"]["calls"])
    assert pay == abi.call_data("approve(address,uint256)", MANAGER, PRICE)
    assert take == abi.call_data("takeDVDTransfer(bytes32)", swap.name(4))
    assert told["name"] == "0x" + swap.name(4).hex()
    unnumbered = market.get(path, "registry").json()
    assert (len(unnumbered["buyer"]["calls"]), unnumbered["name"]) == (1, None)
    assert market.get(f"{path}&investor={sales.buyer}", "portal").status_code == 200


def test_what_is_no_approved_sale_against_a_coin_has_no_swap(market: Api, sales: Sales) -> None:
    plain = sales.approved(sales.buyer, 1, route="holder")
    sold = sales.sold()
    contract = f"swap?contract={checksum(MANAGER)}"
    for path in (f"{plain}/{contract}", f"xfr_none/{contract}", f"{sold}/{contract}&investor=ivr_other"):
        refused = market.get(f"{TRANSFERS}/{path}", "portal" if "investor" in path else "registry")
        assert problem(refused)["code"] == "sale_against_a_coin_is_approved", path
    bad = market.get(f"{TRANSFERS}/{sold}/swap?contract=0x12", "registry")
    assert bad.status_code in {409, 422}


def test_a_sale_that_is_settled_has_no_swap(market: Api, sales: Sales) -> None:
    sold, contract = sales.sold(), f"swap?contract={checksum(MANAGER)}"
    sales.moved("one", sales.coin())
    settled = market.get(f"{TRANSFERS}/{sold}/{contract}", "registry")
    assert problem(settled)["code"] == "sale_against_a_coin_is_approved"


def test_anchors_are_listed_and_one_event_is_looked_up(calls: Api, connect: Connect) -> None:
    calls.world.login("owner")
    empty = calls.get("/v1/anchors", "audit").json()
    assert (empty["anchors"], empty["waiting"]) == ([], [])
    assert empty["mark"].startswith("0x")
    connect("owner").execute(ANCHORED)
    (anchor,) = calls.get("/v1/anchors", "audit").json()["anchors"]
    assert (anchor["chain"], anchor["block"]) == (880330, 7)
    for keeper in ("engine", "registry"):
        assert calls.get("/v1/anchors", keeper).status_code == 403
    none = calls.get("/v1/anchors/ofr_none?version=1", "audit")
    assert (none.status_code, problem(none)["code"]) == (404, "event_is_in_the_feed")


def test_what_covers_an_event_is_the_first_anchored_seal(
    calls: Api, connect: Connect, database: Database
) -> None:
    advance_feed(database)
    found = calls.get("/v1/anchors/ofr_one?version=1", "audit").json()["places"]
    assert [(row["scope"], row["seal"], row["anchored_by"]) for row in found] == [("ofr_one", None, None)]
    connect("owner").execute(ANCHORED)
    (row,) = calls.get("/v1/anchors/ofr_one?version=1&scope=ofr_one", "audit").json()["places"]
    assert (row["anchored_by"], row["chain"]) == (row["seal"], 880330)
    assert calls.get("/v1/anchors/ofr_one?version=1&scope=ofr_two", "audit").status_code == 404
