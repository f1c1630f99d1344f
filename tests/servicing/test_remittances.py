"""Withheld tax on its way to the tax office: two people, one order, the statement, and what came back."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg
import pytest

from bookrunner.adapters.payments import payment_id
from bookrunner.books import treasury
from bookrunner.core.errors import Refused
from bookrunner.db import Database, Row
from tests.allocation.test_illegal import every_right
from tests.attack.world import Connect
from tests.servicing.paying import DAY, POOL, Payer, payer
from tests.treasury.escrow import digest, refused
from tests.treasury.test_refunds import Bank
from tests.treasury.test_returned_entries import Desktop, moved

WITHHELD = 300_00
STOLEN = {
    "remittance_stays_as_proposed": "amount_minor = 1",
    "remittance_needs_two_people": "status = 'approved', decided_by = proposed_by",
    "sent_remittance_names_its_order": "status = 'approved', decided_by = 'usr_x', payout_id = 'pyo_1'",
}
GIVEN_UP = {
    "given_up_remittance_names_who": "status = 'declined'",
    "giving_up_needs_two_people": "status = 'declined', given_up_by = proposed_by, given_up_because = 'x'",
}


def test_withheld_tax_goes_to_the_tax_office_once(connect: Connect, database: Database) -> None:
    world, runs = payer(connect, database)
    distribution = world.ready(runs)
    runs.start(world.offering, distribution, actor="usr_first")
    assert len(world.send(distribution)) == 3
    assert _open(world) == {"exit_leaves_no_tax_withheld": WITHHELD, "exit_leaves_no_payment_under_way": 3}
    said = {"form": "1042", "year": 2026, "amount": WITHHELD, "fingerprint": digest("office").hex()}
    world.call("treasury.propose_remittance", world.offering, "rmt_1", said)
    with refused("remittance_needs_two_people"):
        world.call("treasury.decide_remittance", world.offering, "rmt_1", "true", 1)
    for rule, stolen in STOLEN.items():
        with every_right(world, "treasury") as login, pytest.raises(psycopg.Error) as caught:
            login.execute(f"update treasury.tax_remittance set {stolen}".encode())  # noqa: S608
        assert caught.value.diag.constraint_name == rule, caught.value
    world.call("treasury.decide_remittance", world.offering, "rmt_1", "true", 1, actor="usr_second")
    assert world.balance("liab:withheld_tax") == 0
    assert _open(world) == {"exit_leaves_no_payment_under_way": 3 + 1}
    world.call("treasury.propose_remittance", world.offering, "rmt_2", said | {"amount": 1})
    with refused("remittance_is_within_what_is_withheld"):
        world.call("treasury.decide_remittance", world.offering, "rmt_2", "true", 1, actor="usr_second")
    world.call("treasury.decide_remittance", world.offering, "rmt_2", "false", 1)
    _follow(world, database)


def _follow(world: Payer, database: Database) -> None:
    bank, keeper, offer = Bank(), treasury.keeper(database), world.offering
    assert treasury.store_orders(database, offer, _no_account) == 0
    assert treasury.store_orders(database, offer, bank.write) == 1
    assert treasury.store_orders(database, offer, bank.write) == 0
    assert len(treasury.hand_over_waiting(keeper, offer, bank)) == 1
    desktop, state = (
        Desktop(world, database),
        "select status, try_no from treasury.tax_remittance order by 1, 2",
    )
    assert desktop.take(moved(WITHHELD - 1, "rmt_1")) == 0
    assert world.ask(state) == [("declined", 1), ("sent", 1)]
    assert desktop.take(moved(WITHHELD, "rmt_1")) == 0
    assert world.ask(state) == [("declined", 1), ("settled", 1)]
    assert desktop.take(moved(WITHHELD, "rmt_1", credit=True, return_reason="AC04")) == 0
    assert world.ask(state) == [("declined", 1), ("returned", 1)]
    assert world.balance("liab:tax_remittance:rmt_1") == WITHHELD
    assert _open(world) == {"exit_leaves_no_payment_under_way": 3 + 1}
    world.check()
    world.call("treasury.retry_remittance", offer, "rmt_1")
    with refused("retried_remittance_came_back"):
        world.call("treasury.retry_remittance", offer, "rmt_1")
    assert treasury.store_orders(database, offer, bank.write) == 1
    assert len(bank.orders) == 1
    assert desktop.take(moved(WITHHELD, payment_id("rmt_1", 2))) == 0
    assert world.ask(state) == [("declined", 1), ("settled", 2)]
    assert world.balance("liab:tax_remittance:rmt_1") == 0
    assert _open(world) == {"exit_leaves_no_payment_under_way": 3}
    world.check()


def _open(world: Payer) -> dict[str, int]:
    """Return what keeps the offer from its exit, of payments and tax."""
    asked = "select rule, open from engine.exit_hindrances(%s) where place between 40 and 46"
    return dict(world.ask(asked, world.offering))


def test_no_tax_is_remitted_from_other_money_of_the_escrow(connect: Connect, database: Database) -> None:
    world, runs = payer(connect, database)
    bank, keeper, offer = Bank(), treasury.keeper(database), world.offering
    runs.start(offer, world.ready(runs), actor="usr_first")
    said = {"form": "1042", "year": 2026, "amount": WITHHELD - 1, "fingerprint": digest("office").hex()}
    for name, amount in (("rmt_1", WITHHELD - 1), ("rmt_2", 1)):
        world.call("treasury.propose_remittance", offer, name, said | {"amount": amount})
    agreed = ("treasury.decide_remittance", offer, "rmt_2", "true", 1)
    world.call("treasury.decide_remittance", offer, "rmt_1", "true", 1, actor="usr_second")
    store = ("treasury.store_remittance", offer)
    world.call(*store, "pyo_1", b"bytes", "rmt_1")
    assert Desktop(world, database).take(moved(POOL, "e2e-issuer", return_reason="AC04")) == 0
    with refused("payout_has_its_money"):
        world.call("treasury.take_payout", offer, "pyo_1")
    assert treasury.hand_over_waiting(keeper, offer, bank) == []
    state = "select remittance_id, status, payout_id from treasury.tax_remittance order by 1"
    assert world.ask(state) == [("rmt_1", "approved", None), ("rmt_2", "proposed", None)]
    assert world.balance("liab:tax_remittance:rmt_1") == WITHHELD - 1
    assert treasury.store_orders(database, offer, bank.write) == 0
    with refused("payout_has_its_money"):
        world.call(*store, "pyo_2", b"bytes", "rmt_1")
    with refused("payout_has_its_money"):
        world.call(*agreed, actor="usr_second")
    world.call("treasury.record_recovery", offer, "rcp_issuer", POOL, DAY)
    world.call(*agreed, actor="usr_second")
    # One that is refused as it is stored holds up neither the other nor the lines.
    _stop(world, "rmt_1")
    assert treasury.store_orders(database, offer, bank.write) == 2
    assert [status for _, status, _ in world.ask(state)] == ["approved", "sent"]
    assert len(treasury.hand_over_waiting(keeper, offer, bank)) == 2
    _give_up(world)
    world.check()


def _give_up(world: Payer) -> None:
    """One is approved, the other with the bank; each is given up once, by another person, with a reason."""
    for rule, stolen in GIVEN_UP.items():
        with every_right(world, "treasury") as login, refused(rule):
            login.execute(
                f"update treasury.tax_remittance set {stolen} where remittance_id = 'rmt_1'".encode()  # noqa: S608
            )
    give_up = ("treasury.give_up_remittance", world.offering)
    seen = dict(world.ask("select remittance_id, version from treasury.tax_remittance"))
    with refused("giving_up_needs_two_people"):
        world.call(*give_up, "rmt_1", "a wrong account", seen["rmt_1"])
    with refused("giving_up_has_its_reason"):
        world.call(*give_up, "rmt_1", " ", seen["rmt_1"], actor="usr_second")
    with refused("given_up_remittance_is_set_apart"):
        world.call(*give_up, "rmt_2", "a wrong account", seen["rmt_2"], actor="usr_second")
    world.call(*give_up, "rmt_1", "a wrong account", seen["rmt_1"], actor="usr_second")
    world.call("treasury.return_remittance", world.offering, "rmt_2", "AC04", DAY)
    world.call(*give_up, "rmt_2", "its account is closed", seen["rmt_2"] + 1, actor="usr_second")
    assert world.balance("liab:withheld_tax") == WITHHELD
    assert world.ask("select distinct status from treasury.tax_remittance") == [("declined",)]


def _stop(world: Payer, remittance: str) -> None:
    """Let the database refuse whatever sends one remittance."""
    admin = world.login("admin")
    admin.execute(
        b"create function public.stop() returns trigger language plpgsql as $$ begin"
        b" raise exception using errcode = 'BR008', constraint = 'account_is_never_overdrawn'; end $$"
    )
    when = f"when (new.remittance_id = '{remittance}' and new.status = 'sent') execute function public.stop()"
    admin.execute(
        f"create trigger stop before update on treasury.tax_remittance for each row {when}".encode()
    )


def _no_account(order: str, lines: Sequence[Row]) -> bytes:
    raise Refused("payee_account_is_known", f"{order} pays {len(lines)} whom the book does not have")
