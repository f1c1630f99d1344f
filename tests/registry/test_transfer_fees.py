"""The fee of a transfer is data of the offer, charged once when the transfer is registered."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bookrunner.core import clock
from bookrunner.core.errors import Refused
from bookrunner.db import Database
from bookrunner.engine.desk import PROCESS, Desk
from bookrunner.engine.life.servicing.fees import TransferFees
from tests.attack.world import Connect, World
from tests.registry.transferring import Transferring, wall
from tests.servicing.books import follow

CHARGES = "select request_id, payer_id, amount_minor, currency from registry.transfer_charge order by 1"
LEDGER = (
    "select account, amount_minor::int from treasury.balance where account like '%transfer_fee%' order by 1"
)

AGAIN = "insert into registry.transfer_charge select * from registry.transfer_charge"
OTHERWISE = AGAIN.replace("*", "offering_id, request_id, rule_id, payer_id, 1, currency, charged_at")


def test_a_fee_is_owed_by_its_payer_once(connect: Connect, database: Database) -> None:
    desk = Transferring(World(connect).build("registered"), database)
    desk.free_lots()
    for wrong in ({"amount": 900}, {"amount": 900, "payer": "issuer"}, {"amount": 0, "payer": "buyer"}):
        with pytest.raises(Refused):
            desk.rule("fee", **wrong)
    taker = desk.taker()
    desk.registered(taker)
    charges = desk.world.login("registry")
    assert charges.execute(CHARGES).fetchall() == []
    desk.rule("fee", amount=900, payer="buyer")
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
