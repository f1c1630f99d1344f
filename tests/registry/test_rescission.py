"""A registered transfer is taken back by two people while its units stay; the price is owed by name."""

from __future__ import annotations

import json

import psycopg
import pytest

from bookrunner.books import registry
from bookrunner.core.errors import Refused
from bookrunner.db import Database
from tests.attack.world import CHAIN, Connect, World, digest
from tests.registry.transferring import AGENT, SECOND, Transferring, wall

ASKED = {"because": "the buyer was misled", "order_sha256": "0b" * 32, "order_reference": "deed of 3 March"}


@pytest.fixture
def desk(connect: Connect, database: Database) -> Transferring:
    found = Transferring(World(connect).build("registered"), database)
    found.free_lots()
    return found


def ask(desk: Transferring, transfer: str, n: int = 1, actor: str = AGENT) -> str:
    """Ask for a transfer to be taken back; return the order."""
    on = {"offering": desk.offering, "rescission": f"rsn_{n}", "action": f"cta_{n}"}
    desk.keeper.ask_rescission(actor=actor, **on, asked=ASKED | {"transfer": transfer})
    return f"cta_{n}"


def decide(desk: Transferring, action: str, actor: str = SECOND, *, is_approved: bool = True) -> None:
    """Decide on an order; one that is approved is signed, and the chain makes it final."""
    approve(desk, action, actor, is_approved=is_approved)
    if is_approved:
        carry(desk, action)


def approve(desk: Transferring, action: str, actor: str = SECOND, *, is_approved: bool = True) -> None:
    """Decide on an order."""
    keeper, on = registry.keeper(desk.keeper.database), {"offering": desk.offering, "action": action}
    keeper.decide_control(actor=actor, **on, is_approved=is_approved, because="so")


def carry(desk: Transferring, action: str) -> None:
    """Sign an approved order, and let the chain make it final."""
    keeper, on = registry.keeper(desk.keeper.database), {"offering": desk.offering, "action": action}
    plan, sender = keeper.control_plan(**on), b"\x08" * 20
    move = {"intent": f"int_{action}", "call": "move", "receiver": bytes(plan["to_address"]).hex()}
    stored = {"id": f"txn_{action}", "intent": f"int_{action}", "purpose": "control", "chain_id": CHAIN}
    stored |= {"sender": sender.hex(), "nonce": desk.world.call("registry.take_nonce", CHAIN, sender)}
    stored |= {"max_fee": 2, "priority_fee": 1, "hash": digest(action).hex(), "raw": "00"}
    by, of = {"actor": "process"}, {"offering": desk.offering}
    with keeper.together() as within:
        within.record_transaction(**by, **of, transaction=stored, lines="[]")
        steps = json.dumps([move | {"units": plan["units"]}])
        within.submit_control(**by, **on, version=plan["version"], steps=steps)
    block = {"number": 9, "hash": digest("block").hex(), "incarnation": digest("genesis").hex()}
    logs = json.dumps([{"address": move["receiver"], "units": plan["units"], "ordinal": 0}])
    keeper.finalize(**by, **of, transaction=stored["id"], block=block, delivered=logs)


def lots(desk: Transferring, holder: str) -> list[tuple[object, ...]]:
    """Return what is left of the lots of a holder: units, legend, acquisition and period."""
    found = desk.world.login("registry").execute(
        "select left_units, legend, acquired_on, period_from from registry.lot_standing"
        " where investor_id = %s and left_units > 0 order by lot_id",
        [holder],
    )
    return found.fetchall()


def test_the_units_go_back_as_they_were_and_the_price_is_owed_by_name(desk: Transferring) -> None:
    taker = desk.taker()
    before = lots(desk, desk.seller)
    transfer = desk.registered(taker, 2)
    with pytest.raises(Refused, match="rescission_is_decided_by_others"):
        ask(desk, transfer, actor=taker)
    action = ask(desk, transfer)
    with pytest.raises(Refused, match="transfer_is_rescinded_once"):
        ask(desk, transfer, 2)
    with pytest.raises(Refused, match="control_action_needs_two_people"):
        decide(desk, action, AGENT)
    decide(desk, action)
    assert desk.units() == {"ivr_one1": 1, "ivr_one2": 2, desk.seller: 3, taker: 0}
    # One unit never left; the two that came back are of the same day and period, under the same legend.
    back = lots(desk, desk.seller)
    assert ([lot[0] for lot in back], {lot[1:] for lot in back}) == ([2, 1], {before[0][1:]})
    found = desk.keeper.transfer(offering=desk.offering, transfer=transfer)
    assert found["status"] == "rescinded"
    (row,) = desk.keeper.rescissions(offering=desk.offering, most=9)
    owed = (row["owed_by"], row["owed_to"], row["price_minor"], row["currency"])
    assert (row["status"], owed) == ("done", (desk.seller, taker, 5_000, "USD"))
    assert (row["asked_by"], row["decided_by"], row["because"]) == (AGENT, SECOND, ASKED["because"])
    proof = {"offering": desk.offering, "rescission": "rsn_1", "sha256": digest("wire")}
    unpaid = b"select open from engine.exit_hindrances(%s) where rule = 'exit_leaves_no_price_to_repay'"
    owner = desk.world.login("owner")
    assert owner.execute(unpaid, [desk.offering]).fetchall() == [(1,)]
    desk.keeper.record_repayment(actor=AGENT, **proof)
    assert owner.execute(unpaid, [desk.offering]).fetchall() == []
    with pytest.raises(Refused, match="transition_is_listed_for_the_keeper"):
        desk.keeper.record_repayment(actor=AGENT, **proof)
    with pytest.raises(Refused, match="rescinded_transfer_is_registered"):
        ask(desk, transfer, 3)


def test_units_that_moved_on_stay_where_they_are(desk: Transferring) -> None:
    taker, other = desk.taker(), desk.taker("other")
    first = desk.registered(taker, 2)
    desk.registered(taker, 1)
    action = ask(desk, first)
    onward = desk.registered(other, 1, seller=taker)
    with pytest.raises(Refused, match="rescinded_units_stayed_with_their_taker"):
        decide(desk, action)
    decide(desk, action, is_approved=False)
    with pytest.raises(Refused, match="rescinded_units_stayed_with_their_taker"):
        ask(desk, first, 2)
    # The last one of them goes back.
    decide(desk, ask(desk, onward, 3))
    assert desk.units() == {"ivr_one1": 1, "ivr_one2": 2, desk.seller: 0, taker: 3, other: 0}
    assert [row["status"] for row in desk.keeper.rescissions(offering=desk.offering, most=9)] == [
        "done",
        "dropped",
    ]


def test_lots_that_go_back_are_taken_by_nothing_else(desk: Transferring) -> None:
    taker, other = desk.taker(), desk.taker("other")
    first, second = desk.registered(taker), desk.registered(taker)
    before = lots(desk, desk.seller)
    action = ask(desk, first)
    approve(desk, action)
    # The lot of the first transfer is the older one, and would go first. Of two units one is free.
    made = b"select lot_id from registry.lot where movement_id = %s"
    admin = desk.world.login("admin")
    ((kept,),) = admin.execute(made, [f"mov_{first[4:]}"]).fetchall()
    ((sold,),) = admin.execute(made, [f"mov_{second[4:]}"]).fetchall()
    desk.age_lot(kept, 800, 800)
    assert desk.failing(other, 1, seller=taker) == []
    desk.age_lot(sold, 30, 30)
    assert desk.failing(other, 1, seller=taker) == ["lots_are_past_their_holding_period"]
    desk.age_lot(sold, 700, 700)
    onward = desk.registered(other, 1, seller=taker)
    used = "select lot_id from registry.lot_use where movement_id = %s"
    assert admin.execute(used.encode(), [f"mov_{onward[4:]}"]).fetchall() == [(sold,)]
    moved = {"kind": "transfer", "from_investor": taker, "to_investor": other, "units": 1, "reference": "log"}
    post = f"select registry.post_movement('{desk.offering}', 'mov_log', '{json.dumps(moved)}', null)"
    assert wall(desk.world, post) == "lots_cover_the_units"
    carry(desk, action)
    assert desk.units() == {"ivr_one1": 1, "ivr_one2": 2, desk.seller: 2, taker: 0, other: 1}
    # It came back with its days; what the giver kept has the same.
    assert {lot[1:] for lot in lots(desk, desk.seller)} == {before[0][1:]}
    assert desk.keeper.transfer(offering=desk.offering, transfer=first)["status"] == "rescinded"


def test_raw_sql_takes_nothing_back(desk: Transferring) -> None:
    transfer = desk.registered(desk.taker(), 2)
    ask(desk, transfer)
    for rule, statement in (
        ("transfer_is_rescinded_by_its_order", "update registry.transfer_request set status = 'rescinded'"),
        ("rescission_follows_its_order", "update registry.rescission set status = 'done'"),
        ("rescission_is_locked", "update registry.rescission set price_minor = 1"),
        (
            "rescission_follows_its_order",
            "insert into registry.rescission (offering_id, rescission_id, request_id, action_id, status)"  # noqa: ISC004
            " values ('ofr_one', 'rsn_x', 'xfr_x', 'cta_1', 'asked')",
        ),
        ("records_are_never_deleted", "delete from registry.rescission"),
    ):
        assert wall(desk.world, statement) == rule, statement
    for login in ("treasury", "portal", "engine"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            desk.world.login(login).execute(
                "select registry.record_repayment('u', 'r', 'o', 'rsn_1', '\\x00')"
            )
