"""Transfers over the API: each route, its keeper, its repetition and the version that was seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import httpx
import pytest

from bookrunner.api import api
from bookrunner.core import clock
from bookrunner.db import Database, Endpoint
from tests.api.conftest import Api, problem
from tests.attack.world import Connect, World, digest
from tests.patience import PATIENT
from tests.registry.transferring import SALE_PAPERS, Transferring, papers
from tests.serving import serving

PATH = "/v1/offers/ofr_one/transfers"
ASKER, DECIDER = "desk.one", "agent.theo"


@dataclass
class Agency:
    """The API over a register, and the verbs beside it."""

    calls: Api
    desk: Transferring
    taker: str

    def post(self, path: str, body: object, name: str = ASKER, **said: str) -> httpx.Response:
        return self.calls.post(f"{PATH}{path}", body, **({"keeper": "registry", "name": name} | said))

    def get(self, path: str = "") -> httpx.Response:
        return self.calls.get(f"{PATH}{path}", "registry")

    def wish(self, *names: str, **changed: object) -> dict[str, object]:
        said: dict[str, object] = {"kind": "sale", "route": "agent", "seller": self.desk.seller}
        said |= {"buyer": self.taker, "units": "1", "price": {"amount": "50.00", "currency": "USD"}}
        return said | {"papers": papers(*names)} | changed

    def asked(self, *names: str) -> str:
        answer = self.post("", self.wish(*names))
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def screened(self) -> str:
        transfer = self.asked(*SALE_PAPERS)
        self.desk.keeper.mark_transfer_screened(actor="p", offering=self.desk.offering, transfer=transfer)
        return transfer


@pytest.fixture
def agency(endpoint: Endpoint, database: Database, connect: Connect) -> Iterator[Agency]:
    world = World(connect).build("registered")
    desk = Transferring(world, database)
    desk.free_lots()
    with serving(api(database)) as url:
        yield Agency(Api(url, endpoint, world), desk, desk.taker())


def until(days: int = 3) -> dict[str, str]:
    return {"until": (clock.now() + timedelta(days=days)).isoformat()}


def test_why_units_may_not_go_is_every_rule_in_its_order(agency: Agency) -> None:
    asked = "/v1/offers/ofr_one/transfer-refusals?seller=ivr_one3&buyer={}&units={}"
    may = agency.calls.get(asked.format(agency.taker, 3), "registry").json()
    assert may == {"may_go": True, "refusals": []}
    not_so = agency.calls.get(asked.format("ivr_nobody", 4), "registry").json()
    assert not_so["may_go"] is False
    assert [each["rule"] for each in not_so["refusals"]][:2] == [
        "seller_holds_the_units",
        "buyer_wallet_is_linked",
    ]
    for units in ("0", "1" * 19, "-1", "1.5"):
        answer = agency.calls.get(asked.format(agency.taker, units), "registry")
        assert problem(answer)["code"] == "request_has_the_agreed_shape"


def test_a_request_is_taken_once_and_shown_with_what_it_lacks(agency: Agency) -> None:
    wish = agency.wish("transfer_instruction")
    first, again = (agency.post("", wish, request="ask-1") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert (first.json(), again.headers["idempotent-replayed"]) == (again.json(), "true")
    (listed,) = agency.get().json()["transfers"]
    assert (listed["id"], listed["units"], listed["missing"]) == (
        first.json()["id"],
        "1",
        ["purchase_agreement"],
    )
    assert (listed["papers"], listed["asked_by"]) == (["transfer_instruction"], f"key:{ASKER}")
    one = agency.get(f"/{listed['id']}")
    assert (one.json(), one.headers["etag"]) == (listed, '"1"')
    assert agency.get("?investor=ivr_one1").json() == {"transfers": []}
    assert problem(agency.get("/xfr_none"))["code"] == "transfer_request_exists"
    too_many = agency.post("", agency.wish(units="1" * 19))
    assert problem(too_many)["code"] == "request_has_the_agreed_shape"


def test_papers_follow_and_a_returned_request_comes_again(agency: Agency) -> None:
    transfer = agency.asked()
    first, second = papers(*SALE_PAPERS)
    added = agency.post(f"/{transfer}/papers", {"papers": [first]}, seen='"1"')
    assert added.json()["missing"] == ["purchase_agreement"]
    why = {"outcome": "returned", "reasons": ["the agreement is not there"]}
    back = agency.post(f"/{transfer}/refuse", why, DECIDER, seen='"2"')
    assert (back.json()["status"], back.json()["reasons"]) == ("returned", why["reasons"])
    again = agency.post(f"/{transfer}/papers", {"papers": [second]}, seen='"3"')
    assert (again.json()["status"], again.json()["missing"]) == ("requested", [])
    assert agency.calls.events(transfer) == [
        "transfer_request.requested",
        "transfer_request.papers_added",
        "transfer_request.returned",
        "transfer_request.presented_again",
    ]


def test_another_key_approves_the_version_that_it_saw(agency: Agency) -> None:
    transfer = agency.screened()
    unseen = agency.post(f"/{transfer}/approve", until(), DECIDER)
    assert (unseen.status_code, problem(unseen)["code"]) == (428, "decision_names_its_version")
    late = agency.post(f"/{transfer}/approve", until(), DECIDER, seen='"1"')
    assert (late.status_code, problem(late)["code"]) == (412, "version_is_the_one_that_was_seen")
    own = agency.post(f"/{transfer}/approve", until(), seen='"2"')
    assert (own.status_code, problem(own)["code"]) == (409, "transfer_is_approved_by_another_person")
    body = until()
    done = agency.post(f"/{transfer}/approve", body, DECIDER, seen='"2"', request="approve-1")
    assert (done.status_code, done.json()["status"], done.headers["etag"]) == (200, "approved", '"3"')
    replay = agency.post(f"/{transfer}/approve", body, DECIDER, seen='"2"', request="approve-1")
    assert (replay.json(), replay.headers["idempotent-replayed"]) == (done.json(), "true")
    other = agency.post(f"/{transfer}/approve", until(9), DECIDER, seen='"2"', request="approve-1")
    assert problem(other)["code"] == "request_key_has_one_body"
    assert agency.get(f"/{transfer}").json()["decided_by"] == f"key:{DECIDER}"


def test_a_request_ends_with_its_reasons(agency: Agency) -> None:
    for outcome, reasons, status in (
        ("rejected", [], "refused_transfer_has_its_reasons"),
        ("rejected", ["forged"], "rejected"),
        ("withdrawn", [], "withdrawn"),
    ):
        transfer = agency.asked()
        said = {"outcome": outcome, "reasons": reasons}
        answer = agency.post(f"/{transfer}/refuse", said, DECIDER, seen='"1"')
        assert answer.json().get("status" if answer.status_code == 200 else "code") == status
    unknown = agency.post("/xfr_none/refuse", {"outcome": "withdrawn"}, seen='"1"')
    assert (unknown.status_code, problem(unknown)["code"]) == (404, "transfer_request_exists")


@pytest.mark.parametrize("keeper", ["compliance", "subscription", "treasury", "engine", "audit"])
def test_transfers_are_the_registrys(agency: Agency, keeper: str) -> None:
    by = {"keeper": keeper, "name": f"{keeper}-one", "seen": '"1"'}
    why = f"{PATH[:-1]}-refusals?seller=ivr_one3&buyer={agency.taker}&units=1"
    sha = digest("paper").hex()
    answers = [
        agency.calls.get(PATH, keeper),
        agency.calls.get(f"{PATH}/xfr_none", keeper),
        agency.calls.get(why, keeper),
        agency.calls.post(PATH, agency.wish(), **by),
        agency.calls.post(
            f"{PATH}/xfr_none/papers", {"papers": [{"paper": "gift_statement", "sha256": sha}]}, **by
        ),
        agency.calls.post(f"{PATH}/xfr_none/approve", until(), **by),
        agency.calls.post(f"{PATH}/xfr_none/refuse", {"outcome": "withdrawn"}, **by),
    ]
    assert {(answer.status_code, problem(answer)["code"]) for answer in answers} == {
        (403, "key_serves_this_keeper")
    }


def test_the_key_of_a_holder_asks_for_its_own_units_alone(agency: Agency) -> None:
    own = {"keeper": "portal", "name": agency.desk.seller}
    wish = agency.wish("transfer_instruction")
    answers = [agency.post("", wish, request="ask-1", **own) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201], answers[0].text
    assert answers[1].headers["idempotent-replayed"] == "true"
    transfer = answers[0].json()["id"]
    stolen = problem(agency.post("", agency.wish(seller="ivr_one1"), **own))
    assert (stolen["status"], stolen["code"]) == (403, "key_of_an_investor_reaches_its_own_alone")
    other = {"keeper": "portal", "name": "ivr_one1"}
    more = {"papers": papers("purchase_agreement")}
    foreign = agency.post(f"/{transfer}/papers", more, seen='"1"', **other)
    assert problem(foreign)["code"] == "transfer_request_exists"
    added = agency.post(f"/{transfer}/papers", more, seen='"1"', **own)
    assert (added.json()["status"], added.json()["missing"]) == ("requested", [])
    approval = agency.post(f"/{transfer}/approve", until(), seen='"2"', **own)
    assert problem(approval)["code"] == "key_of_an_investor_reaches_its_own_alone"
    rejected = agency.post(
        f"/{transfer}/refuse", {"outcome": "rejected", "reasons": ["no"]}, seen='"2"', **own
    )
    assert problem(rejected)["code"] == "key_serves_this_keeper"
    withdrawn = agency.post(f"/{transfer}/refuse", {"outcome": "withdrawn"}, seen='"2"', **own)
    assert withdrawn.json()["status"] == "withdrawn"
    # Whoever has no unit left still learns what became of its request.
    owner = agency.calls.world.login("owner")
    owner.execute("alter table registry.holding disable trigger user")
    owner.execute("update registry.holding set units = 0 where investor_id = %s", [agency.desk.seller])
    owner.execute("alter table registry.holding enable trigger user")
    again = agency.post("", wish, request="ask-1", **own)
    assert (again.status_code, again.json()["id"]) == (201, transfer)
    assert problem(agency.post("", wish, request="ask-2", **own))["code"] == "asking_holder_has_units"
    asked_by = agency.get(f"/{transfer}").json()["asked_by"]
    assert asked_by == f"key:{agency.desk.seller}"


def test_the_key_of_a_holder_follows_its_own_requests_alone(agency: Agency) -> None:
    agency.asked("transfer_instruction")
    calls, seller = agency.calls, agency.desk.seller
    keys = {name: calls.key("portal", name) for name in (seller, "ivr_one1", "portal.site")}

    def read(name: str, query: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {keys[name]}"}
        return httpx.get(f"{calls.url}{PATH}{query}", headers=headers, timeout=PATIENT)

    assert len(read(seller, f"?investor={seller}").json()["transfers"]) == 1
    assert read("ivr_one1", "?investor=ivr_one1").json()["transfers"] == []
    for query in (f"?investor={seller}", ""):
        refused = problem(read("ivr_one1", query))
        assert refused["code"] == "key_of_an_investor_reaches_its_own_alone"
    assert len(read("portal.site", f"?investor={seller}").json()["transfers"]) == 1
    site = {"keeper": "portal", "name": "portal.site"}
    assert agency.post("", agency.wish("transfer_instruction"), **site).status_code == 201


def test_a_holder_is_told_its_own_side_and_nothing_of_the_other(agency: Agency) -> None:
    seller = agency.desk.seller
    keys = {name: agency.calls.key("portal", name) for name in (seller, "portal.site")}

    def why(name: str, buyer: str, units: int) -> dict[str, object]:
        query = f"transfer-refusals?seller={seller}&buyer={buyer}&units={units}"
        told: dict[str, object] = httpx.get(
            f"{agency.calls.url}/v1/offers/ofr_one/{query}",
            headers={"Authorization": f"Bearer {keys[name]}"},
            timeout=PATIENT,
        ).json()
        return told

    for name in keys:
        # Whoever takes, known or not, cleared or not: the answer is the same.
        for buyer in (agency.taker, "ivr_nobody"):
            assert why(name, buyer, 3) == {"may_go": None, "refusals": []}
            over = why(name, buyer, 4)
            assert over["refusals"] == why(name, agency.taker, 4)["refusals"]
            assert "seller_holds_the_units" in str(over)
            assert "buyer" not in str(over)


def test_the_agent_alone_says_when_it_received_and_only_holders_ask(agency: Agency) -> None:
    own = {"keeper": "portal", "name": agency.desk.seller}
    backdated = agency.wish("transfer_instruction", received_at="2020-01-02T12:00:00Z")
    refused = problem(agency.post("", backdated, **own))
    assert (refused["status"], refused["code"]) == (403, "agent_says_when_it_received")
    assert agency.post("", agency.wish(received_at="2026-03-02T12:00:00Z")).status_code == 201
    stranger = {"keeper": "portal", "name": "ivr_mallory"}
    asked = agency.post("", agency.wish("transfer_instruction", seller="ivr_mallory"), **stranger)
    assert problem(asked)["code"] == "asking_holder_has_units"
