# ruff: noqa: S608 - names and ids come from this file
"""The fee of a transfer is data of the offer, charged once when the transfer is registered."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bookrunner.core import clock
from bookrunner.core.errors import Refused
from bookrunner.db import Database
from bookrunner.engine.desk import PROCESS, Desk
from bookrunner.engine.life.servicing.fees import TransferFees
from tests.attack.rights import EVERY_RIGHT
from tests.attack.test_illegal_statements import NAMED
from tests.attack.world import Connect, World
from tests.registry.transferring import SECOND, Transferring, wall
from tests.servicing.books import follow

CHARGES = "select request_id, payer_id, amount_minor, currency from registry.transfer_charge order by 1"
LEDGER = (
    "select account, amount_minor::int from treasury.balance where account like '%transfer_fee%' order by 1"
)

AGAIN = "insert into registry.transfer_charge select * from registry.transfer_charge"
FIXED = "insert into registry.fixed_fee select q.offering_id, q.request_id,"
FOR = "from registry.transfer_request q, registry.transfer_rule r where r.amount = 70 and q.request_id = '{}'"
OTHERWISE = AGAIN.replace("*", "offering_id, request_id, rule_id, payer_id, 1, currency, charged_at")


def test_a_fee_is_owed_by_its_payer_once(connect: Connect, database: Database) -> None:
    world = World(connect)
    world.numbers = (1, 2, 9)  # type: ignore[assignment]
    desk = Transferring(world.build("registered"), database)
    desk.seller = "ivr_one9"
    desk.free_lots()
    for wrong in ({"amount": 900}, {"amount": 900, "payer": "issuer"}, {"amount": 0, "payer": "buyer"}):
        with pytest.raises(Refused):
            desk.rule("fee", **wrong)
    taker = desk.taker()
    desk.registered(taker)
    charges = desk.world.login("registry")
    assert charges.execute(CHARGES).fetchall() == []
    tariff = desk.rule("fee", amount=900, payer="buyer")
    with pytest.raises(Refused, match="one_fee_from_a_day"):
        desk.rule("fee", amount=5, payer="seller")
    later = str((clock.now() + timedelta(days=9)).date())
    desk.rule("fee", amount=5, payer="seller", starts_on=later)
    transfer = desk.registered(taker)
    assert charges.execute(CHARGES).fetchall() == [(transfer, taker, 900, "USD")]
    follow(database)
    owed = [(f"asset:transfer_fee:{taker}", 900), ("liab:transfer_fees", 900)]
    treasury = desk.world.login("treasury")
    assert treasury.execute(LEDGER).fetchall() == owed
    assert treasury.execute("select agrees from treasury.three_way").fetchall() == [(True,)]
    # Whoever posts again, whatever the reaction says, posts nothing.
    keeper = TransferFees(Desk(database), lambda *_: None)._keeper
    assert keeper.charge_transfer_fee(actor=PROCESS, offering=desk.offering, transfer=transfer)
    assert treasury.execute(LEDGER).fetchall() == owed
    (row, free) = (r for r in desk.keeper.transfers(offering=desk.offering, investor=None, most=9))
    assert {(r["fee_minor"], r["payer_id"]) for r in (row, free)} == {(900, taker), (None, None)}
    for rule, statement in (
        ("history_is_append_only", "update registry.transfer_charge set amount_minor = 1"),
        ("transfer_rule_is_locked", "update registry.transfer_rule set payer = 'seller'"),
        ("transfer_is_charged_once", AGAIN),
        ("charge_is_that_of_its_rule", OTHERWISE),
    ):
        assert wall(desk.world, statement) == rule, statement
    # What was approved under one tariff is charged by it, and by no other.
    early = desk.approved(taker)
    desk.keeper.end_transfer_rule(actor=SECOND, offering=desk.offering, rule=tariff, because="a new tariff")
    free_of_it = desk.approved(taker)
    desk.rule("fee", amount=70, payer="seller", starts_on="2026-01-02")
    forged = FIXED + f" q.decided_at, r.rule_id, q.seller_id, 70, 'USD' {FOR.format(free_of_it)}"
    assert wall(desk.world, forged) == "fee_is_fixed_once"
    late = forged.replace("q.decided_at", "now()")
    assert wall(desk.world, late) == "fee_is_that_of_its_rule"
    # Who approves back-dates nothing: the fee is that of today's rule.
    dated, admin = desk.screened(taker), desk.world.login("admin")
    with admin.transaction(force_rollback=True):
        admin.execute(EVERY_RIGHT.format("registry").encode())
        admin.execute(NAMED.encode())
        admin.execute(
            b"update registry.transfer_request q set status = 'approved', decided_by = 'agent.theo',"
            b" decided_at = '2020-01-01', approved_until = now() + interval '1 day',"
            b" from_address = registry.linked_address(q.offering_id, q.seller_id),"
            b" to_address = registry.linked_address(q.offering_id, q.buyer_id) where q.request_id = %s",
            [dated],
        )
        fee = b"select amount_minor, approved_at > now() - interval '1 day' from registry.fixed_fee"
        assert admin.execute(fee + b" where request_id = %s", [dated]).fetchall() == [(70, True)]
    moved = f"update registry.transfer_request set decided_at = now() where request_id = '{early}'"
    assert wall(desk.world, moved) == "transfer_terms_are_locked"
    for approved in (early, free_of_it):
        assert desk.final(approved, desk.signed(approved)) == 1
    assert sorted(charges.execute(CHARGES).fetchall()) == sorted(
        [(transfer, taker, 900, "USD"), (early, taker, 900, "USD")]
    )
