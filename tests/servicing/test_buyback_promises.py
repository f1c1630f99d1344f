# ruff: noqa: S608 - names and ids come from this file
"""Buy-backs beside other promises on the same units: rescissions, freezes, estates, orders, prices."""

from __future__ import annotations

import psycopg
import pytest

from bookrunner.adapters.captable import read_package
from bookrunner.books import registry
from bookrunner.core import clock
from bookrunner.core.errors import Refused
from bookrunner.db import Database
from tests.attack.world import Connect
from tests.registry.test_open_files import changed
from tests.registry.test_rescission import approve, ask, carry
from tests.registry.transferring import Transferring, wall
from tests.servicing.buying import NUMBERS, Buyer, rule_of
from tests.servicing.paying import yesterday
from tests.treasury.escrow import refused

ONE, TWO, THREE = (f"ivr_one{n}" for n in NUMBERS)


@pytest.fixture
def issuer(connect: Connect, database: Database) -> Buyer:
    return Buyer(connect, database)


@pytest.fixture
def moves(issuer: Buyer, database: Database) -> Transferring:
    found = Transferring(issuer, database)
    found.free_lots()
    found.seller = THREE
    return found


def transferred(issuer: Buyer, moves: Transferring, days: int) -> tuple[str, str]:
    """Let the first holder have two more units by a transfer, of so many days; return transfer and lot."""
    transfer = moves.registered(ONE, 2)
    ((lot,),) = issuer.ask(
        "select l.lot_id from registry.lot l join registry.transfer_request q"
        " using (offering_id, movement_id) where q.request_id = %s",
        transfer,
    )
    moves.age_lot(lot, days, days)
    return transfer, lot


def left(issuer: Buyer, lot: str) -> int:
    """Return the units that are left of a lot."""
    ((units,),) = issuer.ask("select registry.left_of(%s, %s)", issuer.offering, lot)
    return int(units)


def test_a_burn_takes_no_lot_that_a_rescission_was_promised(issuer: Buyer, moves: Transferring) -> None:
    # The transferred lot is the oldest of its holder, and would go first.
    transfer, lot = transferred(issuer, moves, 3_000)
    action = ask(moves, transfer)
    approve(moves, action)
    made = issuer.invited()
    issuer.tender(made, 10, 10)
    assert issuer.accept(made) == {ONE: 10}
    issuer.start(made)
    assert issuer.burn(made) == 1
    assert left(issuer, lot) == 2
    carry(moves, action)
    assert left(issuer, lot) == 0
    assert issuer.held()[ONE] == 0
    assert issuer.differing() == []


def test_units_that_go_back_count_once_where_periods_bind(issuer: Buyer, moves: Transferring) -> None:
    transfer, _ = transferred(issuer, moves, 1)
    approve(moves, ask(moves, transfer))
    made = issuer.invited(periods_bind=True)
    assert rule_of(lambda: issuer.tender(made, 10, 11)) == "tender_is_within_the_free_balance"
    issuer.tender(made, 10, 10)


def test_what_was_bought_back_is_not_taken_back(issuer: Buyer, moves: Transferring) -> None:
    transfer, lot = transferred(issuer, moves, 3_000)
    made = issuer.invited()
    issuer.tender(made, 10, 10)
    issuer.accept(made)
    issuer.start(made)
    issuer.burn(made)
    assert left(issuer, lot) == 0
    with pytest.raises(Refused, match="rescinded_units_were_not_bought_back"):
        ask(moves, transfer)


def test_a_frozen_part_is_burned_from_no_wallet(issuer: Buyer) -> None:
    issuer.control("freeze_units", investor=ONE, units=3)
    ((holding,),) = issuer.ask("select holding_id from registry.holding where investor_id = %s", ONE)
    plan = "select address, units from registry.places_to_burn(%s, %s, 10)"
    assert [units for _, units in issuer.ask(plan, issuer.offering, holding)] == [7]
    issuer.control("freeze_units", investor=ONE, units=7)
    assert issuer.ask(plan, issuer.offering, holding) == []


def dies(issuer: Buyer, investor: str) -> None:
    """Let a holding be registered to an estate."""
    admin = issuer.login("admin")
    with admin.transaction():
        admin.execute(b"alter table registry.registration disable trigger all")
        admin.execute(
            b"insert into registry.registration (offering_id, holding_id, version_no, change_id,"
            b" registration_fact, registration_digest, form) select h.offering_id, h.holding_id, 2,"
            b" 'rch_' || h.holding_id, h.registration_fact, h.registration_digest, 'estate'"
            b" from registry.holding h where h.investor_id = %s",
            [investor],
        )
        admin.execute(b"alter table registry.registration enable trigger all")


def test_an_estate_sells_nothing_that_its_holder_tendered(issuer: Buyer) -> None:
    made = issuer.invited()
    for n in (10, 20, 31):
        issuer.tender(made, n, 10)
    dies(issuer, ONE)
    assert issuer.accept(made) == {TWO: 10, THREE: 10}
    issuer.start(made)
    dies(issuer, TWO)
    waits = {row["investor_id"]: row["waits_for"] for row in issuer.lines(made)}
    assert waits == {TWO: "estate_gives_by_inheritance", THREE: None}
    assert issuer.burn(made) == 1


def test_a_redemption_takes_units_of_an_estate(issuer: Buyer) -> None:
    made = issuer.invited(kind="redemption", most_units=None)
    dies(issuer, ONE)
    assert issuer.accept(made)[ONE] == 10
    issuer.start(made)
    assert issuer.burn(made) == 3


def test_accepted_units_are_moved_by_no_order(issuer: Buyer) -> None:
    made = issuer.invited()
    issuer.tender(made, 10, 6)
    order = {"kind": "force_transfer", "because": "an order", "investor": ONE, "receiver": TWO}
    order |= {"order_sha256": "0b" * 32, "order_reference": "court order"}
    by = {"actor": "agent.theo", **issuer.where}
    assert issuer.accept(made) == {ONE: 6}
    with pytest.raises(Refused, match="accepted_units_are_cancelled_first"):
        issuer.register.ask_control(**by, action="cta_more", asked={**order, "units": 5})
    issuer.register.ask_control(**by, action="cta_free", asked={**order, "units": 4})


def test_units_that_an_order_takes_away_are_not_accepted(issuer: Buyer) -> None:
    made = issuer.invited(kind="redemption", most_units=None)
    order = {"kind": "force_transfer", "because": "an order", "investor": ONE, "receiver": TWO, "units": 4}
    order |= {"order_sha256": "0b" * 32, "order_reference": "court order"}
    action = {**issuer.where, "action": "cta_taken"}
    issuer.register.ask_control(actor="agent.theo", **action, asked=order)
    issuer.register.decide_control(actor="agent.tess", **action, is_approved=True, because="")
    with pytest.raises(Refused, match="acceptance_meets_units_at_rest"):
        issuer.accept(made)


def test_the_open_file_says_what_the_issuer_bought(issuer: Buyer) -> None:
    made = issuer.invited()
    issuer.tender(made, 10, 10)
    issuer.tender(made, 20, 5)
    issuer.accept(made)
    issuer.start(made)
    issuer.burn(made)
    described = registry.Described("Example Issuer Inc.", clock.today(), "US")
    raw = registry.export_package(issuer.register, issuer.offering, described, clock.now())
    judged = registry.judge_package(raw)
    assert (judged.faults, judged.units) == ([], 46)
    said = read_package(raw).objects["transactions_files"]
    bought = [one for one in said if one["object_type"] == "TX_STOCK_REPURCHASE"]
    assert {one["quantity"] for one in bought} == {"10", "5"}
    assert all(one["price"] == {"amount": "450.00", "currency": "USD"} for one in bought)
    assert [one["quantity"] for one in bought if "balance_security_id" in one] == ["5"]
    for wrong in ("4", "4.5"):
        told = changed(raw, "Transactions", lambda file, units=wrong: _buys(file, units))
        assert {fault.rule for fault in registry.judge_package(told).faults} == {
            "units_are_whole" if "." in wrong else "transfer_keeps_its_units"
        }


def _buys(file: dict[str, list[dict[str, str]]], units: str) -> None:
    for one in file["items"]:
        if one["object_type"] == "TX_STOCK_REPURCHASE" and one["quantity"] == "5":
            one["quantity"] = units


def test_nobody_disposes_of_the_units_of_a_holder_alone(issuer: Buyer) -> None:
    made = issuer.invited()
    by = {**issuer.where, "buyback": made, "investor": ONE, "units": 10}
    with pytest.raises(Refused, match="tender_for_another_names_its_paper"):
        issuer.back.tender(actor="agent.theo", **by, tender="tnd_1", paper_sha256=None)
    with pytest.raises(Refused, match="tender_paper_is_a_sha256"):
        issuer.back.tender(actor="agent.theo", **by, tender="tnd_1", paper_sha256=b"x")
    issuer.back.tender(actor="agent.theo", **by, tender="tnd_1", paper_sha256=b"\x0a" * 32)
    own = by | {"investor": TWO}
    issuer.back.tender(actor=TWO, **own, tender="tnd_2", paper_sha256=None)
    assert [row["paper_sha256"] for row in issuer.back.tenders(**issuer.where, buyback=made)] == [
        "0a" * 32,
        None,
    ]
    issuer.pass_days()
    for same in ("agent.theo", "key:agent.theo~1"):
        with pytest.raises(Refused, match="whoever_tenders_for_another_accepts_nothing"):
            issuer.back.accept_buyback(actor=same, **issuer.where, buyback=made)
    assert issuer.back.accept_buyback(actor="agent.tess", **issuer.where, buyback=made) == 2


def test_a_price_is_set_apart_for_no_buyback_that_was_given_up(issuer: Buyer) -> None:
    made = issuer.invited()
    issuer.tender(made, 10, 10)
    issuer.accept(made)
    admin = issuer.login("admin")
    with admin.transaction():
        # Whoever gives it up holds the book; a draft waits for the end of that.
        admin.execute(b"select from registry.control_book for update")
        engine = issuer.login("engine")
        engine.execute(b"set lock_timeout = '300ms'")
        draft = b"select engine.draft_redemption('usr_first', 'req_x', %s, %s, 'dst_x', %s)"
        with pytest.raises(psycopg.errors.LockNotAvailable) as waits:
            engine.execute(draft, [issuer.offering, made, yesterday()])
        engine.execute(b"reset lock_timeout")
        assert "control_book" in str(waits.value)
    paid = issuer.draft(made)
    with issuer.untriggered("registry.buyback") as force:
        force.execute(
            b"update registry.buyback set status = 'abandoned', ended_by = 'x', ended_because = 'x'"
        )
    with refused("redemption_follows_its_acceptance"):
        issuer.approve(paid)
    with issuer.untriggered("registry.buyback") as force:
        force.execute(b"update registry.buyback set status = 'accepted'")
    issuer.approve(paid)
    issuer.fund(paid, issuer.owed(made))
    with issuer.untriggered("registry.buyback") as force:
        force.execute(b"update registry.buyback set status = 'abandoned'")
    with pytest.raises(Refused, match="redemption_follows_its_acceptance"):
        issuer.runs.start(issuer.offering, paid, actor="usr_first")


def test_a_distribution_of_other_lines_pays_no_buyback(issuer: Buyer) -> None:
    made = issuer.invited()
    issuer.tender(made, 10, 10)
    issuer.accept(made)
    paid = issuer.draft(made)
    issuer.call("engine.cancel_distribution", issuer.offering, paid, "another day", 1)
    pays = (
        "set constraints engine.redemption_pays_its_lines immediate; insert into engine.distribution select"
        ' (jsonb_populate_record(d, \'{"distribution_id": "dst_other", "status": "draft",'
        ' "cancelled_because": null}\')).* from engine.distribution d; insert into engine.redemption values'
        f" ('{issuer.offering}', 'dst_other', '{made}', 0)"
    )
    assert wall(issuer, pays, "engine") == "redemption_pays_its_lines"
