# ruff: noqa: S608 - names and numbers come from the constants and ids of this file
"""Trades of venues: who may send them, what becomes of each, and that none counts twice."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import httpx
import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from bookrunner.api import api
from bookrunner.app.trading import receive_trade
from bookrunner.books import registry
from bookrunner.core import clock
from bookrunner.core.errors import Refused
from bookrunner.db import Database
from tests.attack.world import Connect, World, digest
from tests.registry.transferring import AGENT, SECOND, Transferring, wall
from tests.serving import serving

VENUE = {"offering": "ofr_one", "venue": "vnu_floor"}
HELD_UNITS = 3


def public(key: Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes_raw().hex()


@dataclass
class Floor:
    """A trading system under an agreement with the offer, its key, and the register behind it."""

    url: str
    desk: Transferring
    taker: str
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    def __post_init__(self) -> None:
        self.market = registry.market_of(self.desk.keeper.database)

    def said(self, **changed: object) -> dict[str, object]:
        told: dict[str, object] = {"kind": "ats", "name": "Example Floor", "registered_as": "SEC 8-00001"}
        return told | {"agreement_sha256": digest("floor").hex(), "public_key": public(self.key)} | changed

    def admitted(self) -> Floor:
        self.market.propose_venue(actor=AGENT, **VENUE, said=self.said())
        self.market.decide_venue(actor=SECOND, **VENUE, is_approved=True, because="", seen=1)
        return self

    def body(self, number: str = "T-1", /, **changed: object) -> bytes:
        told: dict[str, object] = {"offering": self.desk.offering, "trade": number, "units": 1}
        told |= {"seller": self.desk.seller, "buyer": self.taker, "price_minor": 61_000, "currency": "USD"}
        return json.dumps(told | {"executed_at": "2026-10-01T14:30:00+00:00"} | changed).encode()

    def headers(
        self, body: bytes, name: str, now: datetime | None = None, key: Ed25519PrivateKey | None = None
    ) -> dict[str, str]:
        second = str(int((now or clock.now()).timestamp()))
        made = (key or self.key).sign(f"{name}.{second}.".encode() + body)
        signature = "v1a," + base64.b64encode(made).decode()
        return {"webhook-id": name, "webhook-timestamp": second, "webhook-signature": signature}

    def deliver(self, body: bytes, headers: dict[str, str], venue: str = "vnu_floor") -> httpx.Response:
        path = f"/v1/webhooks/trades/{self.desk.offering}/{venue}"
        return httpx.post(self.url + path, content=body, headers=headers, timeout=60)

    def send(self, body: bytes, name: str = "msg_1") -> httpx.Response:
        return self.deliver(body, self.headers(body, name))

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        return self.desk.world.login("registry").execute(statement.encode()).fetchall()

    def taken(self, number: str = "T-1", **changed: object) -> str:
        answer = self.send(self.body(number, **changed), f"msg_{number}")
        assert answer.json()["result"] == "taken", answer.text
        return str(answer.json()["transfer"])


@pytest.fixture
def floor(connect: Connect, database: Database) -> Iterator[Floor]:
    desk = Transferring(World(connect).build("registered"), database)
    desk.free_lots()
    with serving(api(database, trades=partial(receive_trade, database))) as url:
        yield Floor(url, desk, desk.taker()).admitted()


def test_a_trade_goes_the_way_of_every_transfer(floor: Floor) -> None:
    """Both sides are screened, a person of the agent approves, and the chain moves the units."""
    body = floor.body(units=2)
    heard = floor.send(body).json()
    assert heard | {"transfer": "xfr"} == {
        "result": "taken",
        "trade": "T-1",
        "transfer": "xfr",
        "status": "requested",
        "rules": [],
    }
    transfer, on = heard["transfer"], {"offering": floor.desk.offering}
    found = floor.desk.keeper.transfer(**on, transfer=transfer)
    assert (found["asked_by"], found["price_minor"], found["missing"]) == ("venue:vnu_floor", 61_000, [])
    assert {paper["sha256"] for paper in found["papers"]} == {hashlib.sha256(body).hexdigest()}
    with pytest.raises(Refused, match="transition_is_listed"):
        floor.desk.approve(transfer)
    floor.desk.keeper.mark_transfer_screened(actor="process", **on, transfer=transfer)
    floor.desk.approve(transfer)
    assert floor.desk.final(transfer, floor.desk.signed(transfer)) == 1
    assert floor.desk.units()[floor.taker] == 2
    again = floor.send(body).json()
    assert (again["result"], again["transfer"], again["status"]) == ("known", transfer, "registered")


def test_the_venue_itself_approves_nothing(floor: Floor) -> None:
    transfer = floor.taken()
    floor.desk.keeper.mark_transfer_screened(actor="process", offering=floor.desk.offering, transfer=transfer)
    with pytest.raises(Refused, match="transfer_is_approved_by_another_person"):
        floor.desk.approve(transfer, "venue:vnu_floor")


def test_a_trade_beyond_the_free_balance_is_rejected_by_name(floor: Floor) -> None:
    over = floor.send(floor.body(units=HELD_UNITS + 1), "msg_over").json()
    assert (over["result"], over["transfer"], over["rules"]) == (
        "rejected",
        None,
        ["seller_holds_the_units", "lots_are_past_their_holding_period"],
    )
    floor.taken("T-2", units=2)
    beyond = floor.send(floor.body("T-3", units=2), "msg_3").json()
    assert (beyond["result"], beyond["rules"]) == ("rejected", ["seller_holds_the_units"])
    floor.taken("T-4", units=1)
    assert len(floor.rows("select from registry.transfer_request")) == 2
    assert len(floor.rows("select from registry.turnaround_item")) == 2
    assert floor.desk.units()[floor.desk.seller] == HELD_UNITS


def test_units_of_an_approved_transfer_are_not_traded_again(floor: Floor) -> None:
    floor.desk.approved(floor.taker, 2)
    assert floor.send(floor.body(units=2)).json()["rules"] == [
        "seller_holds_the_units",
        "lots_are_past_their_holding_period",
    ]


def test_what_a_rule_of_transfers_refuses_is_rejected_with_every_rule(floor: Floor) -> None:
    assert floor.send(floor.body(buyer="ivr_nobody")).json()["rules"] == [
        "buyer_wallet_is_linked",
        "buyer_is_cleared",
    ]
    floor.desk.rule("lock_up", ends_on="2999-01-01")
    floor.desk.rule("holder_cap", amount=1)
    assert floor.send(floor.body("T-2"), "msg_2").json()["rules"] == [
        "lock_up_is_over",
        "holder_count_is_within_its_cap",
    ]
    again = floor.send(floor.body("T-2"), "msg_2").json()
    assert (again["result"], again["rules"][0]) == ("known", "lock_up_is_over")


def test_a_message_counts_once_however_often_it_comes(floor: Floor) -> None:
    body = floor.body()
    with ThreadPoolExecutor(6) as threads:
        answers = [each.json() for each in threads.map(lambda _: floor.send(body), range(6))]
    assert sorted(answer["result"] for answer in answers) == ["known"] * 5 + ["taken"]
    assert len({answer["transfer"] for answer in answers}) == 1
    assert floor.send(body, "msg_another").json()["result"] == "known"
    assert len(floor.rows("select from registry.trade")) == 1
    assert len(floor.rows("select from registry.transfer_request")) == 1


@pytest.mark.parametrize(
    ("name", "rule"), [("msg_1", "message_id_has_one_body"), ("msg_2", "trade_has_one_content")]
)
def test_another_content_raises_an_alarm_and_stops_the_approval(floor: Floor, name: str, rule: str) -> None:
    transfer = floor.send(floor.body()).json()["transfer"]
    other = floor.body(units=2)
    for _ in range(2):
        answer = floor.send(other, name)
        assert (answer.status_code, answer.json()["code"]) == (422, rule)
    on = {"offering": floor.desk.offering}
    floor.desk.keeper.mark_transfer_screened(actor="process", **on, transfer=transfer)
    with pytest.raises(Refused, match="trade_is_not_contradicted"):
        floor.desk.approve(transfer)
    (alarm,) = floor.market.trade_alarms(**on, most=9)
    assert (alarm["status"], alarm["rule"], alarm["trade_id"]) == ("raised", rule, "vnu_floor:T-1")
    kept = floor.desk.world.login("owner").execute("select rule from audit.refusal where act = 'hear_trade'")
    assert kept.fetchall() == [(rule,)]
    with pytest.raises(Refused, match="answered_trade_alarm_says_who_and_why"):
        floor.market.answer_trade_alarm(actor=AGENT, **on, alarm=alarm["alarm_id"], because=" ")
    said = "the venue sent a correction under the old number"
    floor.market.answer_trade_alarm(actor=AGENT, **on, alarm=alarm["alarm_id"], because=said)
    floor.desk.approve(transfer)


def test_a_stranger_checks_a_trade_with_its_body_alone(floor: Floor) -> None:
    body = floor.body()
    floor.send(body)
    ((name, second, key, signature, kept),) = floor.rows(
        "select message_id, signed_at, public_key, signature, body_sha256 from registry.trade"
    )
    Ed25519PublicKey.from_public_bytes(key).verify(signature, f"{name}.{second}.".encode() + body)
    assert kept == hashlib.sha256(body).digest()


def test_every_attack_has_its_answer_and_no_effect(floor: Floor) -> None:
    body, now = floor.body(), clock.now()
    good = floor.headers(body, "msg_1")
    six = timedelta(minutes=6)
    stranger = Ed25519PrivateKey.generate()
    future = floor.body(executed_at=(now + six).isoformat())
    elsewhere = floor.body(offering="ofr_two")
    shapes = (b"\xff", b"[]", floor.body(units=0), floor.body(units=1.5), floor.body(seller="x y"))
    shared = "v1," + base64.b64encode(b"\x01" * 32).decode()
    table = [
        ("another key", body, floor.headers(body, "msg_1", key=stranger), 401),
        ("an old message", body, floor.headers(body, "msg_1", now - six), 401),
        ("another body", floor.body(units=2), good, 401),
        ("another id", body, good | {"webhook-id": "msg_2"}, 401),
        ("a shared secret", body, good | {"webhook-signature": shared}, 401),
        ("no signature", body, {k: v for k, v in good.items() if k != "webhook-signature"}, 401),
        ("a trade to come", future, floor.headers(future, "msg_1"), 409),
        ("another offer", elsewhere, floor.headers(elsewhere, "msg_1"), 422),
        *((f"shape {raw[:9]!r}", raw, floor.headers(raw, "msg_1"), 422) for raw in shapes),
    ]
    for name, raw, headers, expected in table:
        assert floor.deliver(raw, headers).status_code == expected, name
    assert floor.deliver(body, good, "vnu_nobody").status_code == 404
    assert floor.rows("select from registry.trade") == []
    assert floor.rows("select from registry.transfer_request") == []


def test_a_venue_and_its_next_key_are_of_two_people(floor: Floor) -> None:
    other, later = {**VENUE, "venue": "vnu_later"}, Ed25519PrivateKey.generate()
    floor.market.propose_venue(actor=AGENT, **other, said=floor.said())
    assert floor.deliver(floor.body(), floor.headers(floor.body(), "m"), "vnu_later").status_code == 404
    with pytest.raises(Refused, match="venue_needs_two_people"):
        floor.market.decide_venue(actor=f"key:{AGENT}", **other, is_approved=True, because="", seen=1)
    with pytest.raises(Refused, match="declined_venue_has_its_reason"):
        floor.market.decide_venue(actor=SECOND, **other, is_approved=False, because="", seen=1)
    floor.market.propose_venue_key(actor=AGENT, **VENUE, public_key=later.public_key().public_bytes_raw())
    assert floor.send(floor.body()).json()["result"] == "taken"
    with pytest.raises(Refused, match="venue_key_needs_two_people"):
        floor.market.decide_venue(actor=AGENT, **VENUE, is_approved=True, because="", seen=3)
    floor.market.decide_venue(actor=SECOND, **VENUE, is_approved=True, because="", seen=3)
    assert floor.send(floor.body("T-2"), "msg_2").status_code == 401
    floor.key = later
    assert floor.send(floor.body(), "msg_3").json()["result"] == "known"
    with pytest.raises(Refused, match="ended_venue_has_its_reason"):
        floor.market.end_venue(actor=AGENT, **VENUE, because="")
    floor.market.end_venue(actor=AGENT, **VENUE, because="its agreement ended")
    assert floor.send(floor.body("T-4"), "msg_4").json()["code"] == "venue_is_in_force"


def test_a_key_is_put_in_force_as_it_was_seen(floor: Floor) -> None:
    def propose(key: bytes) -> None:
        floor.market.propose_venue_key(actor=AGENT, **VENUE, public_key=key * 32)

    def standing() -> dict[str, Any]:
        return dict(floor.market.venues(offering=floor.desk.offering)[0])

    propose(b"\1")
    seen = standing()["version"]
    propose(b"\2")
    with pytest.raises(Refused, match="decision_is_on_the_version_seen"):
        floor.market.decide_venue(actor=SECOND, **VENUE, is_approved=True, because="", seen=seen)
    declined = {"is_approved": False, "because": "not the key of the letter", "seen": seen + 1}
    floor.market.decide_venue(actor=SECOND, **VENUE, **declined)
    found = standing()
    assert (found["next_key"], found["public_key"]) == (None, public(floor.key))
    assert found["key_declined_because"] == "not the key of the letter"
    propose(b"\3")
    assert standing()["key_declined_because"] is None


def test_an_alarm_of_a_message_names_every_trade_that_it_concerns(floor: Floor) -> None:
    floor.taken("T-1")
    assert floor.send(floor.body("T-1"), "msg_again").json()["result"] == "known"
    assert floor.send(floor.body("T-1", units=2), "msg_again").status_code == 422
    assert _alarmed(floor) == ["vnu_floor:T-1"]
    floor.taken("T-2")
    for _ in range(2):
        assert floor.send(floor.body("T-2", units=2), "msg_T-1").status_code == 422
    assert _alarmed(floor) == ["vnu_floor:T-1", "vnu_floor:T-1", "vnu_floor:T-2"]
    assert floor.send(floor.body("T-9"), "msg_T-2").status_code == 422
    assert len(_alarmed(floor)) == 4


def _alarmed(floor: Floor) -> list[str]:
    found = floor.rows("select trade_id from registry.trade_alarm where status = 'raised' order by trade_id")
    return [str(trade) for (trade,) in found]


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"kind": "exchange"}, "venue_kind_is_known"),
        ({"name": " "}, "venue_has_its_name"),
        ({"registered_as": ""}, "venue_names_its_registration"),
        ({"agreement_sha256": "0a"}, "venue_has_its_agreement"),
        ({"public_key": "0a"}, "venue_key_is_ed25519"),
    ],
)
def test_a_venue_is_on_record_with_its_papers(floor: Floor, changed: dict[str, str], rule: str) -> None:
    with pytest.raises(Refused, match=rule):
        floor.market.propose_venue(actor=AGENT, **VENUE | {"venue": "vnu_x"}, said=floor.said(**changed))


def test_raw_sql_of_the_keeper_passes_no_wall(floor: Floor) -> None:
    """The keeper's login writes neither table; its verb asks for the key, and the owner meets constraints."""
    floor.taken()
    for statement in (
        "update registry.trade set units = 9",
        "delete from registry.trade_alarm",
        "update registry.venue set public_key = '\\x00'",
        "insert into registry.trade (offering_id, trade_id) values ('ofr_one', 'x')",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            floor.rows(statement)
    told = json.loads(floor.body("T-9")) | {"units": 1}
    signed = {"message": "m", "signed_at": 1, "public_key": "00" * 32, "signature": "00" * 64}
    asked: list[object] = ["ofr_one", "vnu_floor", signed, b"{}", told, "xfr_raw", "itm_raw"]
    with pytest.raises(psycopg.Error, match="no such key in force"):
        floor.desk.world.call("registry.hear_trade", *asked, registry.item_clock(None))
    proposed = "update registry.venue set next_key = sha256('x'), next_key_by = 'usr_thief'"
    again = (
        "insert into registry.trade select (jsonb_populate_record(t, jsonb_build_object('trade_id',"
        " 'vnu_floor:x', 'request_id', null, 'number', {number}, 'signature', {signature}))).*"
        " from registry.trade t"
    )
    other, number, signed = again.replace("null", "t.request_id"), "t.number", "t.signature"
    for statement, rule in (
        ("update registry.trade set units = 2", "transition_is_listed_for_the_keeper"),
        (other.format(number="'x'", signature="'\\x00'"), "trade_is_signed"),
        (again.format(number="'x'", signature=signed), "taken_trade_is_a_transfer"),
        (
            other.format(number="'x'", signature=signed),
            "transfer_of_one_trade",
        ),
        (
            other.format(number=number, signature=signed),
            "each_trade_of_a_venue_is_one",
        ),
        ("update registry.venue set agreement_sha256 = sha256('x')", "venue_terms_are_locked"),
        ("update registry.venue set public_key = sha256('x')", "venue_terms_are_locked"),
        (f"{proposed}; update registry.venue set public_key = next_key", "venue_key_needs_two_people"),
    ):
        assert wall(floor.desk.world, statement) == rule, statement
