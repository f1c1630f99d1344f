"""Receipts, payments, refunds, instructions and holdings over the API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx
import pytest

from bookrunner.api import api
from bookrunner.db import Database, Endpoint
from tests.api.conftest import Api, problem
from tests.attack.world import Connect, World
from tests.serving import serving
from tests.treasury.escrow import Escrow

PATH = "/v1/offers/ofr_one"
RECEIPT = f"{PATH}/receipts/rcp_one1"
Money = Callable[..., Api]


@pytest.fixture
def money(endpoint: Endpoint, database: Database, connect: Connect) -> Iterator[Money]:
    """Return a function that serves the API over an offer with one receipt, as its entry says."""
    with ExitStack() as opened:

        def served(**entry: object) -> Api:
            world = Escrow(connect)
            world.build("instructed")
            world.pay("first", world.entry(1, **entry))
            return Api(opened.enter_context(serving(api(database))), endpoint, world)

        yield served


def get(calls: Api, path: str) -> httpx.Response:
    return calls.get(path, "treasury")


def propose(calls: Api, body: object, name: str = "fund.flo", **said: str) -> httpx.Response:
    seen = {"seen": get(calls, RECEIPT).headers["etag"]} | said
    return calls.post(f"{RECEIPT}/proposals", body, keeper="treasury", name=name, **seen)


def decide(calls: Api, proposal: str, body: object, name: str = "fund.gus", **said: str) -> httpx.Response:
    path = f"{RECEIPT}/proposals/{proposal}/decisions"
    return calls.post(path, body, **({"keeper": "treasury", "name": name, "seen": '"1"'} | said))


MATCH = {"act": "match", "investment": "inv_one1", "because": "the letter names this wire"}


def test_two_people_match_what_came_without_a_reference(money: Money) -> None:
    calls = money(reference=None)
    (waits,) = get(calls, f"{PATH}/receipts?status=unmatched").json()["receipts"]
    assert (waits["id"], waits["exception"], waits["proposal"]) == ("rcp_one1", "no_reference", None)
    first, again = (propose(calls, MATCH, request="match-1") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert (first.json(), again.headers["idempotent-replayed"]) == (again.json(), "true")
    told = first.json()
    assert (told["status"], told["receipt_status"], told["investment"]) == (
        "proposed",
        "unmatched",
        "inv_one1",
    )
    shown = get(calls, RECEIPT).json()["proposal"]
    assert (shown["id"], shown["proposed_by"], shown["version"]) == (told["id"], "key:fund.flo", "1")
    assert (
        problem(decide(calls, told["id"], {"approved": True}, "fund.flo"))["code"]
        == "proposal_needs_two_people"
    )
    assert decide(calls, told["id"], {"approved": True}, seen='"7"').status_code == 412
    done = decide(calls, told["id"], {"approved": True})
    assert (done.status_code, done.json()["status"], done.json()["receipt_status"]) == (
        200,
        "approved",
        "matched",
    )
    (paid,) = get(calls, f"{PATH}/payments?investment=inv_one1").json()["payments"]
    assert paid["received"] == paid["due"]
    assert (
        problem(decide(calls, told["id"], {"approved": True}, seen='"2"'))["code"]
        == "proposal_is_decided_once"
    )


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({**MATCH, "investment": None}, 422, "proposed_match_names_its_investment"),
        ({**MATCH, "act": "refund"}, 422, "proposed_match_names_its_investment"),
        ({**MATCH, "act": "keep"}, 422, "request_has_the_agreed_shape"),
        ({**MATCH, "because": " "}, 422, "request_has_the_agreed_shape"),
        ({**MATCH, "investment": "inv_none"}, 404, "investment_exists"),
        ({"act": "undo", "because": "not ours"}, 409, "proposed_act_fits_the_receipt"),
    ],
)
def test_a_proposal_that_cannot_stand_leaves_nothing(
    money: Money, body: dict[str, object], status: int, code: str
) -> None:
    calls = money(reference=None)
    answer = propose(calls, body)
    assert (answer.status_code, problem(answer)["code"]) == (status, code)
    assert get(calls, RECEIPT).json()["proposal"] is None


def test_what_is_not_there_is_named(money: Money) -> None:
    calls = money(reference=None)
    assert problem(get(calls, f"{PATH}/receipts/rcp_none"))["code"] == "receipt_exists"
    assert problem(get(calls, "/v1/offers/ofr_none/receipts"))["code"] == "offer_exists"
    assert problem(decide(calls, "prp_none", {"approved": True}))["code"] == "proposal_exists"
    unknown = calls.post(f"{PATH}/receipts/rcp_none/clear", None, keeper="treasury", seen='"1"')
    assert problem(unknown)["code"] == "receipt_exists"
    assert propose(calls, MATCH, seen='"99"').status_code == 412


def test_matched_money_is_confirmed_on_the_version_that_was_seen(money: Money) -> None:
    calls = money()
    seen = get(calls, RECEIPT).headers["etag"]
    stale = calls.post(f"{RECEIPT}/clear", None, keeper="treasury", seen='"1.1"')
    assert stale.status_code == 412
    cleared = calls.post(f"{RECEIPT}/clear", None, keeper="treasury", seen=seen)
    assert (cleared.status_code, cleared.json()["status"]) == (200, "cleared")
    now = get(calls, RECEIPT)
    assert (now.json()["status"], now.headers["etag"]) == ("cleared", cleared.headers["etag"])
    twice = calls.post(f"{RECEIPT}/clear", None, keeper="treasury", seen=now.headers["etag"])
    assert problem(twice)["code"] == "confirmed_receipt_is_matched"


def test_what_goes_back_is_listed_with_its_reason(money: Money) -> None:
    calls = money(reference=None)
    told = propose(calls, {"act": "refund", "because": "nobody knows whose it is"}).json()
    assert decide(calls, told["id"], {"approved": True}).json()["receipt_status"] == "refunding"
    (back,) = get(calls, f"{PATH}/refunds").json()["refunds"]
    assert (back["receipt"], back["status"], back["reason"]) == ("rcp_one1", "created", "unidentified")
    declined = propose(calls, {"act": "refund", "because": "again"})
    assert problem(declined)["code"] == "proposed_act_fits_the_receipt"


def test_a_list_goes_on_behind_its_cursor(money: Money) -> None:
    calls = money()
    first = get(calls, f"{PATH}/payments?limit=2").json()
    rest = get(calls, f"{PATH}/payments?limit=2&cursor={first['next']}").json()
    assert [one["investment"] for one in first["payments"] + rest["payments"]] == [
        "inv_one1",
        "inv_one2",
        "inv_one3",
    ]
    assert rest["next"] is None
    assert problem(get(calls, f"{PATH}/payments?cursor=!"))["code"] == "cursor_is_one_of_ours"


@pytest.mark.parametrize("keeper", ["portal", "compliance", "subscription", "registry", "engine", "audit"])
def test_no_other_keeper_reads_or_acts(money: Money, keeper: str) -> None:
    calls = money(reference=None)
    for path in ("receipts", "receipts/rcp_one1", "payments", "refunds"):
        assert calls.get(f"{PATH}/{path}", keeper).status_code == 403
    assert calls.post(f"{RECEIPT}/proposals", MATCH, keeper=keeper, seen='"1"').status_code == 403
    assert calls.post(f"{RECEIPT}/clear", None, keeper=keeper, seen='"1"').status_code == 403
    assert get(calls, RECEIPT).json()["proposal"] is None


def test_the_register_is_read_by_its_keeper(endpoint: Endpoint, database: Database, connect: Connect) -> None:
    world = World(connect).build("registered")
    with serving(api(database)) as url:
        calls = Api(url, endpoint, world)
        issued = calls.get(f"{PATH}/instructions", "registry").json()["instructions"]
        assert [(one["status"], one["units"]) for one in issued] == [
            ("posted", "1"),
            ("posted", "2"),
            ("posted", "3"),
        ]
        assert all(one["transaction"].startswith("0x") for one in issued)
        held = calls.get(f"{PATH}/holdings?investor=ivr_one2", "registry").json()["holdings"]
        assert [(one["investor"], one["units"], one["wallet"]) for one in held] == [
            ("ivr_one2", "2", f"0x{world.address(2).hex()}")
        ]
        assert [lot["units"] for lot in held[0]["lots"]] == ["2"]
        assert calls.get(f"{PATH}/instructions?status=prepared", "registry").json()["instructions"] == []
        for path in ("instructions", "holdings"):
            assert calls.get(f"{PATH}/{path}", "treasury").status_code == 403
            assert problem(calls.get(f"/v1/offers/ofr_none/{path}", "registry"))["code"] == "offer_exists"
