"""What the chain has moved is posted, in its order and by its clock, and who acts is a person."""

from __future__ import annotations

import threading
from datetime import timedelta

import psycopg
import pytest

from bookrunner.books import registry
from bookrunner.core import clock
from bookrunner.core.errors import Refused
from bookrunner.db import Database
from tests.attack.world import CHAIN, Connect, World, digest
from tests.registry.test_transfer_machines import observe
from tests.registry.transferring import ASKER, YEAR, Transferring

LOTS = (
    "select from_lot_id, units from registry.lot_standing where offering_id = %s and investor_id = %s"
    " order by lot_id"
)


@pytest.fixture
def desk(connect: Connect, database: Database) -> Transferring:
    found = Transferring(World(connect).build("registered"), database)
    found.free_lots()
    return found


def rows(desk: Transferring, query: str, *values: object) -> list[tuple[object, ...]]:
    return desk.world.login("owner").execute(query.encode(), values).fetchall()


def status(desk: Transferring, transfer: str) -> str:
    return str(desk.keeper.transfer(offering=desk.offering, transfer=transfer)["status"])


def breaks(desk: Transferring) -> list[tuple[str, str, str]]:
    seen = desk.world.call("reconciliation.run", desk.offering, f"run_{desk.world.label}", None)
    return [
        (each["kind"], each["left_value"], each["right_value"])
        for each in seen
        if each["comparison"] == "transfers"
    ]


def two_lots(desk: Transferring) -> str:
    """Give the seller a free lot of 2 beside an older one of 3 whose period is not over; return its id."""
    taken = desk.registered(desk.seller, 2, seller="ivr_one2")
    ((free,),) = rows(
        desk, "select lot_id from registry.lot where movement_id = %s", f"mov_{taken.partition('_')[2]}"
    )
    desk.age_lot("lot_one3", days=10, acquired=10)
    desk.age_lot(str(free), days=400, acquired=5)
    return str(free)


def change_wallet(desk: Transferring, investor: str, name: str) -> None:
    call, mapping = desk.world.call, [desk.offering, f"wmp_{name}"]
    address = digest(f"another wallet {name}")[:20]
    call("registry.open_mapping", *mapping, investor, CHAIN, address, f"wlc_{name}@1", "key")
    call("registry.mark_screened", *mapping, f"scr_{name}@1")
    call("registry.approve_wallet", *mapping)
    call("registry.link_wallet", *mapping, actor="usr_agent")


def test_what_the_chain_has_moved_is_posted_and_its_restricted_units_are_a_break(desk: Transferring) -> None:
    taker = desk.taker()
    transfer = desk.approved(taker, 2)
    transaction = desk.signed(transfer)
    desk.free_lots(-YEAR)
    assert desk.final(transfer, transaction) == 1
    assert status(desk, transfer) == "registered"
    assert desk.units()[taker] == 2
    assert breaks(desk) == [("units_went_in_their_period", "2", "2")]


def test_lots_past_their_period_go_before_older_ones_that_are_not(desk: Transferring) -> None:
    taker, free = desk.taker(), two_lots(desk)
    first = desk.approved(taker, 1)
    transaction = desk.signed(first)
    assert desk.final(first, transaction) == 1
    assert rows(desk, LOTS, desk.offering, taker) == [(free, 1)]
    assert breaks(desk) == []


def test_a_taker_whom_the_period_binds_gets_the_free_lots_of_an_offer_abroad(desk: Transferring) -> None:
    us_person, abroad, free = desk.taker(), desk.taker("abroad", "CA"), two_lots(desk)
    desk.exempt("reg_s")
    desk.registered(abroad, 1)
    assert rows(desk, LOTS, desk.offering, abroad) == [("lot_one3", 1)]
    desk.registered(us_person, 2)
    assert rows(desk, LOTS, desk.offering, us_person) == [(free, 2)]
    assert breaks(desk) == []


def test_the_lots_of_a_holder_say_which_period_binds_them(desk: Transferring) -> None:
    two_lots(desk)
    on = {"offering": desk.offering, "investor": desk.seller}
    for exemption, period, are_free in (
        ("506(c)", "holding", [False, True]),
        ("reg_s", "flow_back", [False, True]),
        ("reg_a_tier_2", "none", [True, True]),
    ):
        desk.exempt(exemption)
        lots = desk.keeper.lots_of(**on)
        assert [row["is_free"] for row in lots] == are_free, exemption
        assert {row["period"] for row in lots} == {period}


def test_an_observed_transfer_waits_for_its_parties_before_it_locks_the_book(
    desk: Transferring, connect: Connect
) -> None:
    taker = desk.taker()
    desk.approved(taker, 1, route="holder")
    ours, theirs = desk.world.address(3), digest("wallet taker")[:20]
    seen: list[str | None] = []
    looking = threading.Thread(target=lambda: seen.append(observe(desk, "locks", ours, theirs)))
    with connect("owner") as other, other.transaction():
        other.execute(
            "select from engine.position where offering_id = %s and investor_id = %s for update",
            [desk.offering, desk.seller],
        )
        looking.start()
        while not rows(desk, "select from pg_locks where not granted"):
            pass
        # Whoever has the parties may go on to the book: with the locks the other way round, both would wait.
        other.execute(
            "select from registry.control_book where offering_id = %s for update nowait", [desk.offering]
        )
    looking.join()
    assert seen == ["matched"]


def test_a_wallet_stays_while_a_transfer_from_or_to_it_is_signed(desk: Transferring) -> None:
    taker = desk.taker()
    transfer = desk.approved(taker, 1)
    transaction = desk.signed(transfer)
    for investor, name in ((desk.seller, "from"), (taker, "to")):
        with pytest.raises(psycopg.Error) as refused:
            change_wallet(desk, investor, name)
        assert refused.value.diag.constraint_name == "wallet_changes_between_deliveries"
    assert desk.final(transfer, transaction) == 1
    desk.world.call("registry.link_wallet", desk.offering, "wmp_to", actor="usr_agent")


def test_a_lost_wallet_to_which_units_are_on_their_way_is_not_recovered_yet(desk: Transferring) -> None:
    taker = desk.taker()
    desk.signed(desk.approved(taker, 1))
    call, mapping = desk.world.call, [desk.offering, "wmp_new"]
    call("registry.open_mapping", *mapping, taker, CHAIN, digest("new")[:20], "wlc_new@1", "key")
    call("registry.mark_screened", *mapping, "scr_new@1")
    call("registry.approve_wallet", *mapping)
    asked = {"kind": "recover_wallet", "investor": taker, "mapping": "wmp_new", "because": "lost"}
    paper = {"order_sha256": digest("order").hex(), "order_reference": "order 7"}
    with pytest.raises(psycopg.Error) as refused:
        call("registry.ask_control", desk.offering, "cta_1", asked | paper)
    assert refused.value.diag.constraint_name == "recovered_account_moves_nothing"


def test_an_approval_ends_by_the_time_at_which_a_transfer_was_mined(desk: Transferring) -> None:
    taker, on = desk.taker(), {"offering": desk.offering, "actor": "process"}
    ours, theirs = desk.world.address(3), digest("wallet taker")[:20]
    late = desk.approved(taker, 1, route="holder")
    assert observe(desk, "late", ours, theirs, mined_at=clock.now() + timedelta(days=4)) == "unauthorised"
    assert observe(desk, "early", ours, theirs, mined_at=clock.now() - timedelta(days=1)) == "unauthorised"
    own = desk.screened(taker, 1, route="holder")
    desk.approve(own, days=-1)
    moment = clock.now() - timedelta(days=1, hours=1)
    until = {"block": 7, "time": moment}
    desk.keeper.watch_through(**on, **until)
    assert desk.keeper.lapse_transfers(**on) == 0
    rewind = "update registry.transfer_request set decided_at = %s where request_id = %s"
    admin = desk.world.login("admin")
    with admin.transaction():
        admin.execute(b"alter table registry.transfer_request disable trigger user")
        admin.execute(rewind, [moment - timedelta(days=1), own])
        admin.execute(rewind, [moment - timedelta(days=1), late])
        admin.execute(b"alter table registry.transfer_request enable trigger user")
    desk.keeper.end_transfer(**on, transfer=late, status="withdrawn", reasons=[])
    assert observe(desk, "in time", ours, theirs, mined_at=moment) == "matched"
    assert status(desk, own) == "registered"
    assert observe(desk, "in time, again", ours, theirs, mined_at=moment) == "unauthorised"


def test_an_approval_of_the_holders_own_transfer_lapses_when_the_chain_is_past_it(desk: Transferring) -> None:
    own = desk.screened(desk.taker(), 1, route="holder")
    desk.approve(own, days=-1)
    on = {"offering": desk.offering, "actor": "process"}
    assert desk.keeper.lapse_transfers(**on) == 0
    desk.keeper.watch_through(**on, block=7, time=clock.now())
    assert desk.keeper.lapse_transfers(**on) == 1
    assert status(desk, own) == "screened"


def test_a_holder_does_not_approve_its_own_transfer_by_another_name(desk: Transferring) -> None:
    taker = desk.taker()
    transfer = desk.screened(taker)
    own = {f"key:{ASKER}", f"key:{desk.seller}", f"key:{taker}", "acc_taker", "key:acc_taker"}
    for actor in sorted(own):
        with pytest.raises(Refused, match="transfer_is_approved_by_another_person"):
            desk.approve(transfer, actor)
    assert status(desk, transfer) == "screened"
    desk.approve(transfer, "key:agent.theo")


def test_a_holder_takes_no_step_of_its_own_wallet_by_another_name(desk: Transferring) -> None:
    taker, call, mapping = desk.taker(), desk.world.call, [desk.offering, "wmp_new"]
    call("registry.open_mapping", *mapping, taker, CHAIN, digest("new")[:20], "wlc_new@1", "key")
    call("registry.mark_screened", *mapping, "scr_new@1")
    for actor in (f"key:{taker}", "acc_taker", "key:acc_taker"):
        with pytest.raises(psycopg.Error) as refused:
            call("registry.approve_wallet", *mapping, actor=actor)
        assert refused.value.diag.constraint_name == "holder_does_not_approve_a_wallet"
    call("registry.approve_wallet", *mapping, actor="key:agent.tess")
    for actor in (f"key:{taker}", "key:acc_taker", "agent.tess"):
        with pytest.raises(psycopg.Error) as refused:
            call("registry.link_wallet", *mapping, actor=actor)
        assert refused.value.diag.constraint_name == "wallet_is_linked_by_another_person"


def test_a_key_and_its_name_are_one_person_of_two(desk: Transferring) -> None:
    said = {"kind": "holder_cap", "amount": 9, "starts_on": "2026-01-01", "because": "x", "paper": "0a" * 32}
    on = {"offering": desk.offering, "rule": "trl_one"}
    desk.keeper.propose_transfer_rule(actor="agent.theo", **on, said=said)
    with pytest.raises(Refused, match="transfer_rule_needs_two_people"):
        desk.keeper.decide_transfer_rule(actor="key:agent.theo", **on, is_approved=True, because="")


def test_a_request_has_units_that_its_field_holds(desk: Transferring) -> None:
    said = {"kind": "sale", "route": "agent", "seller": desk.seller, "buyer": desk.taker()}
    said |= {"units": 10**30, "price_minor": 5_000, "currency": "USD"}
    with pytest.raises(Refused, match="number_fits_its_field"):
        registry.request_transfer(desk.keeper, (desk.offering, ASKER), said, [])
