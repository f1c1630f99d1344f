"""Transfers from the request to the register: who asks, who decides, which lots go, each once."""

from __future__ import annotations

import json
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta

import psycopg
import pytest

from bookrunner.books import registry
from bookrunner.core import clock
from bookrunner.core.errors import Refused
from bookrunner.db import Database
from tests.attack.world import CHAIN, Connect, World, digest
from tests.registry.test_transfer_machines import attempt_again, observe
from tests.registry.transferring import AGENT, ASKER, SECOND, Transferring, papers


@pytest.fixture
def desk(connect: Connect, database: Database) -> Transferring:
    found = Transferring(World(connect).build("registered"), database)
    found.free_lots()
    return found


def row(desk: Transferring, transfer: str) -> dict[str, object]:
    found: dict[str, object] = desk.keeper.transfer(offering=desk.offering, transfer=transfer)
    return found


def test_a_sale_goes_from_the_request_to_the_register(desk: Transferring) -> None:
    taker = desk.taker()
    transfer = desk.asked(taker, 2)
    assert (row(desk, transfer)["status"], row(desk, transfer)["missing"]) == ("requested", [])
    desk.keeper.mark_transfer_screened(actor="process", offering=desk.offering, transfer=transfer)
    desk.approve(transfer)
    transaction = desk.signed(transfer)
    assert row(desk, transfer)["status"] == "instructed"
    assert desk.units()[desk.seller] == 3
    assert desk.final(transfer, transaction) == 1
    assert desk.final(transfer, transaction) == 0
    assert row(desk, transfer)["status"] == "registered"
    assert desk.units() == {"ivr_one1": 1, "ivr_one2": 2, desk.seller: 1, taker: 2}
    (item,) = (
        desk.world.login("registry")
        .execute("select status, kind from registry.turnaround_item where offering_id = %s", [desk.offering])
        .fetchall()
    )
    assert item == ("completed", "transfer")
    balance = registry.keeper(desk.keeper.database).balance(offering=desk.offering)
    totals = ("issued_units", "register_units", "posted_units", "lot_units")
    assert [balance[name] for name in totals] == [6, 6, 6, 6]


def test_lots_go_first_in_first_out_and_are_split_to_the_unit(desk: Transferring) -> None:
    taker, other = desk.taker(), desk.taker("other")
    desk.registered(taker, 2)
    desk.registered(other, 1)
    lots = (
        desk.world.login("registry")
        .execute(
            "select investor_id, units, left_units, from_lot_id, legend, period_from"
            " from registry.lot_standing where investor_id = any (%s) order by lot_id",
            [[desk.seller, taker, other]],
        )
        .fetchall()
    )
    (first,) = (lot for lot in lots if lot[0] == desk.seller)
    assert first[1:3] == (3, 0)
    moved = {lot[0]: lot[1:] for lot in lots if lot[0] != desk.seller}
    for investor, units in ((taker, 2), (other, 1)):
        bought = moved[investor]
        assert bought[:3] == (units, units, "lot_one3")
        # The taker of a seller who is no affiliate goes on with the seller's period and bears the legend.
        assert bought[3:] == (first[4], first[5])
    day = registry.keeper(desk.keeper.database).register_as_of(offering=desk.offering, day=clock.today())
    assert {found["investor_id"]: (found["units"], found["lots"]) for found in day}[taker] == (2, 1)


def test_the_period_begins_anew_when_an_affiliate_of_the_issuer_sells(desk: Transferring) -> None:
    taker = desk.taker()
    on = {"offering": desk.offering, "affiliation": "aff_1"}
    desk.keeper.record_affiliation(
        actor=AGENT, **on, investor=desk.seller, group="issuer", because="director"
    )
    desk.registered(taker)
    assert desk.failing("ivr_one1", seller=taker) == ["lots_are_past_their_holding_period"]
    desk.keeper.end_affiliation(actor=SECOND, **on, because="resigned")
    other = desk.taker("other")
    desk.registered(other)
    assert desk.failing("ivr_one1", seller=other) == []


def test_a_request_without_its_papers_waits_and_comes_back(desk: Transferring) -> None:
    taker = desk.taker()
    transfer = desk.asked(taker, papers=("transfer_instruction",))
    assert row(desk, transfer)["missing"] == ["purchase_agreement"]
    on = {"offering": desk.offering, "transfer": transfer}
    with pytest.raises(Refused, match="transfer_papers_are_complete"):
        desk.keeper.mark_transfer_screened(actor="process", **on)
    desk.keeper.end_transfer(actor=AGENT, **on, status="returned", reasons=["the agreement is not there"])
    registry.present_again(desk.keeper, (desk.offering, transfer, ASKER), papers("purchase_agreement"))
    assert (row(desk, transfer)["status"], row(desk, transfer)["reasons"]) == ("requested", [])
    items = (
        desk.world.login("registry")
        .execute("select status, because from registry.turnaround_item order by item_id")
        .fetchall()
    )
    assert items == [("rejected", "the agreement is not there"), ("received", None)]
    desk.keeper.mark_transfer_screened(actor="process", **on)
    desk.approve(transfer)


def test_papers_may_follow_one_by_one(desk: Transferring) -> None:
    transfer = desk.asked(desk.taker(), papers=())
    on = {"offering": desk.offering, "transfer": transfer}
    for name, missing in (("transfer_instruction", ["purchase_agreement"]), ("purchase_agreement", [])):
        desk.keeper.add_transfer_papers(actor=ASKER, **on, papers=papers(name))
        assert row(desk, transfer)["missing"] == missing


def test_a_revert_frees_the_approval_for_another_transaction(desk: Transferring) -> None:
    transfer = desk.approved(desk.taker())
    transaction = desk.signed(transfer)
    desk.world.call("registry.record_revert", desk.offering, transaction, "the chain refused it")
    assert (row(desk, transfer)["status"], row(desk, transfer)["transaction_id"]) == ("approved", None)
    with pytest.raises(Exception, match="intent"):
        desk.signed(transfer)


def test_an_approval_ends_and_is_given_again(desk: Transferring) -> None:
    transfer = desk.screened(desk.taker())
    desk.approve(transfer, days=-1)
    with pytest.raises(Exception, match="the approval has ended"):
        desk.signed(transfer)
    assert desk.keeper.lapse_transfers(actor="process", offering=desk.offering) == 1
    assert row(desk, transfer)["status"] == "screened"
    desk.approve(transfer)
    assert row(desk, transfer)["status"] == "approved"


def test_a_rule_that_fails_after_the_approval_stops_the_signature(desk: Transferring) -> None:
    transfer = desk.approved(desk.taker())
    desk.world.call("compliance.revoke_identity", "ivr_taker", "the document was forged")
    with pytest.raises(Exception, match="identity_is_verified"):
        desk.signed(transfer)


def test_units_wait_in_one_approved_transfer_only(desk: Transferring) -> None:
    taker = desk.taker()
    first, second = desk.screened(taker, 2), desk.screened(taker, 2)
    desk.approve(first)
    with pytest.raises(Refused, match="seller_holds_the_units"):
        desk.approve(second)
    desk.keeper.end_transfer(
        actor=ASKER, offering=desk.offering, transfer=first, status="withdrawn", reasons=[]
    )
    desk.approve(second)


def test_a_hit_between_request_and_decision_keeps_the_request(desk: Transferring) -> None:
    taker = desk.taker()
    transfer = desk.asked(taker)
    desk.world.call("compliance.record_screening", taker, "scr_hit", "list-1", "entry-9")
    with pytest.raises(Refused, match="both_sides_are_screened"):
        desk.keeper.mark_transfer_screened(actor="process", offering=desk.offering, transfer=transfer)
    assert row(desk, transfer)["status"] == "requested"


def test_the_register_of_yesterday_does_not_know_todays_transfer(desk: Transferring) -> None:
    taker = desk.taker()
    desk.registered(taker, 2)
    found = registry.keeper(desk.keeper.database).register_as_of(
        offering=desk.offering, day=clock.today() - timedelta(days=1)
    )
    assert found == []


def test_who_asks_gives_or_takes_does_not_approve(desk: Transferring) -> None:
    taker = desk.taker()
    transfer = desk.screened(taker)
    for actor in (ASKER, desk.seller, taker):
        with pytest.raises(Refused, match="transfer_is_approved_by_another_person"):
            desk.approve(transfer, actor)
    desk.approve(transfer)


def test_units_that_were_frozen_after_an_approval_are_nobodys_to_move(desk: Transferring) -> None:
    """The holder's own transfer may still be mined: two people look at it, and the watch goes on."""
    taker = desk.taker()
    desk.approved(taker, 1, route="holder")
    asked = {"kind": "freeze_account", "investor": desk.seller, "because": "an order"}
    paper = {"order_sha256": digest("order").hex(), "order_reference": "order 7"}
    desk.world.call("registry.ask_control", desk.offering, "cta_1", asked | paper)
    desk.world.call("registry.decide_control", desk.offering, "cta_1", "true", "", actor="usr_second")
    before = desk.units()
    assert observe(desk, "late", desk.world.address(3), digest("wallet taker")[:20]) == "unauthorised"
    assert desk.units() == before


def test_an_approval_is_for_the_wallets_that_it_names(desk: Transferring) -> None:
    taker = desk.taker()
    transfer = desk.approved(taker, 1)
    call, mapping = desk.world.call, [desk.offering, "wmp_other"]
    call("registry.open_mapping", *mapping, taker, CHAIN, digest("another wallet")[:20], "wlc_other@1", "key")
    call("registry.mark_screened", *mapping, "scr_other@1")
    call("registry.approve_wallet", *mapping)
    call("registry.link_wallet", *mapping, actor="usr_agent")
    with pytest.raises(psycopg.Error) as refused:
        desk.signed(transfer)
    assert refused.value.diag.constraint_name == "approval_names_the_linked_wallets"


@pytest.mark.parametrize("is_replaced", [False, True])
def test_a_final_transfer_waits_for_whoever_holds_its_book(desk: Transferring, *, is_replaced: bool) -> None:
    transfer = desk.approved(desk.taker(), 1)
    transaction = desk.signed(transfer)
    if is_replaced:
        attempt_again(desk, transaction)
        transaction = f"{transaction}.2"
    keeper, found = registry.keeper(desk.keeper.database), row(desk, transfer)
    block = {"number": 9, "hash": digest("block").hex(), "incarnation": digest("genesis").hex()}
    logs = json.dumps([{"address": bytes(found["to_address"]).hex(), "units": 1, "ordinal": 0}])
    mined = {"offering": desk.offering, "transaction": transaction, "block": block, "delivered": logs}
    blocked = b"select from pg_stat_activity where cardinality(pg_blocking_pids(pid)) > 0"
    watcher, late = desk.world.login("admin"), {"offering": desk.offering, "transfer": transfer}
    posted: list[Future[int]] = []

    def hold_book_and_request(other: ThreadPoolExecutor) -> None:
        with keeper.together() as within:
            within.compare_records(actor=AGENT, offering=desk.offering, chain=None)
            posted.append(other.submit(lambda: keeper.finalize(actor="process", **mined)))
            while not posted[0].done() and not watcher.execute(blocked).fetchall():
                pass
            within.using(desk.keeper.queries).add_transfer_papers(actor=ASKER, **late, papers="[]")

    with ThreadPoolExecutor(1) as other:
        with pytest.raises(Refused, match="transition_is_listed_for_the_keeper"):
            hold_book_and_request(other)
        assert posted[0].result() == 1
