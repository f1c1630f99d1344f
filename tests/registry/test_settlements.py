# ruff: noqa: S608 - names and numbers come from the constants and ids of this file
"""Legs of a sale against a coin as the chain may show them: together, apart, late, short, and back."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import datetime, timedelta

import pytest

from bookrunner.books import registry
from bookrunner.core import clock
from bookrunner.core.errors import Refused
from bookrunner.db import Database
from tests.attack.world import CHAIN, Connect, World, digest
from tests.registry.transferring import AGENT, SECOND, Transferring, wall

COIN = b"\xcc" * 20
PRICE = 5_000 * 10**4
MOVES = "select from_state, to_state from engine.transition where machine = 'settlement'"


class Same(World):
    """Another offer whose investors have the wallets of the first offer's."""

    def address(self, n: int) -> bytes:
        return digest(f"wallet ivr_one{n}")[:20]


class Sales(Transferring):
    """Sales of one unit against a coin: investor 3 gives, investor 1 takes; the chain is told by hand."""

    def __init__(self, world: World, database: Database) -> None:
        super().__init__(world, database)
        self.free_lots()
        self.market = registry.market_of(database)
        self.buyer = world.id("ivr", 1)
        self.payer, self.payee = world.address(1), world.address(3)
        terms: dict[str, object] = {"chain_id": CHAIN, "token": COIN.hex(), "currency": "USD"}
        terms |= {"valid_from": "2026-01-01", "decimals": 6, "minor_decimals": 2, "dust_minor": 0}
        terms |= {"received_after": 1, "cleared_after": 1}
        on = [self.offering, f"coi_{world.label}"]
        world.call("treasury.propose_coin", *on, terms, actor="treasurer.tina")
        world.call("treasury.decide_coin", *on, "true", "1", actor="treasurer.tom")

    def sold(self) -> str:
        return self.approved(self.buyer, 1, route="holder", coin=COIN.hex())

    def coin(self, amount: int = PRICE, *, is_back: bool = False) -> dict[str, object]:
        ends = (self.payee, self.payer) if is_back else (self.payer, self.payee)
        told = {"coin": COIN.hex(), "from": ends[0].hex(), "to": ends[1].hex()}
        return told | {"amount": str(amount), "ordinal": 1}

    def moved(self, name: str, *paid: dict[str, object], mined_at: datetime | None = None) -> str | None:
        """Let the chain show the unit of a sale, with coins in the same transaction."""
        log = {"id": f"obs_{name}", "chain_id": CHAIN, "hash": digest(name).hex(), "ordinal": 0}
        log |= {"block": 12, "mined_at": (mined_at or clock.now()).isoformat(), "units": 1}
        log |= {"from": self.payee.hex(), "to": self.payer.hex(), "paid": list(paid)}
        seen: str | None = self.keeper.observe_transfer(
            actor="process",
            offering=self.offering,
            log=log,
            item=f"itm_{self.world.label}{name}",
            clock=registry.item_clock(None, is_routine=False),
        )
        return seen

    def paid(self, name: str, transfer: str, amount: int = PRICE, *, is_back: bool = False) -> str | None:
        """Let the chain show a coin without units."""
        log = {**self.coin(amount, is_back=is_back), "hash": digest(name).hex()}
        said: str | None = self.market.note_payment(
            actor="process", offering=self.offering, transfer=transfer, log=log
        )
        return said

    def end(self, name: str, ending: str) -> None:
        """Let two people end an observed transfer."""
        on = {"offering": self.offering, "observed": f"obs_{name}"}
        told = {"paper_sha256": digest("paper"), "because": "both sides wrote so"}
        self.keeper.explain_observed(actor=AGENT, **on, ending=ending, **told)
        self.keeper.resolve_observed(actor=SECOND, **on, is_agreed=True)

    def withdraw(self, transfer: str, status: str = "withdrawn") -> None:
        on = {"offering": self.offering, "transfer": transfer}
        self.keeper.end_transfer(actor=AGENT, **on, status=status, reasons=["the buyer asked"])

    def watched(self, days: int) -> None:
        """Let the chain have been looked at up to a time so many days ahead."""
        time = clock.now() + timedelta(days=days)
        self.keeper.watch_through(actor="process", offering=self.offering, block=99, time=time)

    def state(self, transfer: str) -> tuple[str, str]:
        found = self.keeper.transfer(offering=self.offering, transfer=transfer)
        return str(found["status"]), str(self.settlement(transfer)["status"])

    def settlement(self, transfer: str) -> dict[str, object]:
        rows = self.market.settlements(offering=self.offering, most=99)
        return next(dict(row) for row in rows if row["request_id"] == transfer)

    def watches(self, transfer: str) -> bool:
        rows = self.market.open_settlements(offering=self.offering)
        return any(row["request_id"] == transfer for row in rows)


@pytest.fixture
def sales(connect: Connect, database: Database) -> Sales:
    return Sales(World(connect).build("registered"), database)


def test_a_late_swap_keeps_both_legs_and_two_people_post_it(sales: Sales) -> None:
    transfer, held = sales.sold(), sales.units()
    late = clock.now() + timedelta(days=9)
    assert sales.moved("late", sales.coin(), mined_at=late) == "unauthorised"
    found = sales.settlement(transfer)
    assert (found["paid_hash"], found["observed_hash"]) == (digest("late").hex(),) * 2
    assert sales.state(transfer) == ("rejected", "parted")
    sales.end("late", "post")
    assert sales.state(transfer) == ("rejected", "settled")
    assert sales.units()[sales.buyer] == held[sales.buyer] + 1
    assert not sales.watches(transfer)


def test_a_swap_at_another_price_goes_back_with_its_coin(sales: Sales) -> None:
    transfer = sales.sold()
    assert sales.moved("short", sales.coin(PRICE - 1)) == "unauthorised"
    sales.end("short", "reversed")
    assert sales.state(transfer) == ("rejected", "parted")
    assert sales.paid("other", transfer, PRICE, is_back=True) is None
    assert sales.paid("back", transfer, PRICE - 1, is_back=True) == "returned"
    found = sales.settlement(transfer)
    assert (found["status"], found["returned_hash"]) == ("returned", digest("back").hex())


def test_units_whose_coin_came_back_are_not_posted(sales: Sales) -> None:
    transfer = sales.sold()
    sales.moved("late", sales.coin(), mined_at=clock.now() + timedelta(days=9))
    assert sales.paid("back", transfer, is_back=True) == "returned"
    assert sales.state(transfer)[1] == "parted"
    with pytest.raises(Refused, match="parted_units_go_back"):
        sales.end("late", "post")
    sales.end("late", "reversed")
    assert sales.state(transfer)[1] == "returned"


def test_a_coin_after_its_units_is_seen(sales: Sales) -> None:
    transfer = sales.sold()
    assert sales.moved("units") == "unauthorised"
    with pytest.raises(Refused, match="parted_units_go_back"):
        sales.end("units", "post")
    assert sales.watches(transfer)
    assert sales.paid("coin", transfer) == "parted"
    assert sales.paid("coin", transfer) is None
    sales.end("units", "post")
    assert sales.state(transfer) == ("rejected", "settled")


def test_a_coin_after_its_units_went_back_is_asked_for(sales: Sales) -> None:
    transfer = sales.sold()
    sales.moved("units")
    sales.end("units", "reversed")
    assert sales.state(transfer)[1] == "returned"
    assert sales.watches(transfer)
    assert sales.paid("coin", transfer) == "parted"
    assert sales.paid("back", transfer, is_back=True) == "returned"
    assert sales.state(transfer)[1] == "returned"
    assert not sales.watches(transfer)


def test_units_after_their_coin_are_not_posted_when_it_came_back(sales: Sales) -> None:
    transfer = sales.sold()
    assert sales.paid("coin", transfer) == "parted"
    assert sales.state(transfer) == ("rejected", "parted")
    assert sales.moved("units") == "unauthorised"
    assert sales.moved("again") == "unauthorised"
    assert sales.paid("back", transfer, is_back=True) == "returned"
    for name in ("units", "again"):
        with pytest.raises(Refused, match="parted_units_go_back"):
            sales.end(name, "post")
    sales.end("units", "reversed")
    assert sales.state(transfer)[1] == "returned"


def test_units_that_go_when_their_coin_is_back_are_not_posted(sales: Sales) -> None:
    transfer = sales.sold()
    sales.paid("coin", transfer)
    sales.paid("back", transfer, is_back=True)
    assert sales.state(transfer)[1] == "returned"
    assert sales.moved("units") == "unauthorised"
    with pytest.raises(Refused, match="parted_units_go_back"):
        sales.end("units", "post")
    sales.end("units", "reversed")
    assert sales.state(transfer)[1] == "returned"


@pytest.mark.parametrize("status", ["withdrawn", "rejected"])
def test_an_approved_sale_ends_when_no_swap_of_it_can_be_under_way(sales: Sales, status: str) -> None:
    transfer = sales.sold()
    sales.watched(1)
    with pytest.raises(Refused, match="approved_settlement_ends_by_its_time"):
        sales.withdraw(transfer, status)
    sales.watched(9)
    sales.withdraw(transfer, status)
    assert sales.state(transfer) == (status, "dropped")
    assert sales.watches(transfer)
    assert sales.moved("after", sales.coin()) == "unauthorised"
    found = sales.settlement(transfer)
    assert (found["status"], found["paid_hash"]) == ("parted", digest("after").hex())


def test_a_coin_for_a_sale_that_ended_finds_its_units(sales: Sales) -> None:
    transfer = sales.asked(sales.buyer, 1, route="holder", coin=COIN.hex())
    sales.withdraw(transfer)
    assert sales.moved("units") == "unauthorised"
    assert sales.state(transfer)[1] == "dropped"
    assert sales.paid("coin", transfer) == "parted"
    assert sales.settlement(transfer)["observed_id"] == "obs_units"


def test_a_coin_settles_one_sale_of_all_offers(sales: Sales, connect: Connect, database: Database) -> None:
    other = Sales(Same(connect, "two").build("registered"), database)
    first, second = sales.sold(), other.sold()
    assert sales.moved("swap", sales.coin()) == "matched"
    assert sales.state(first) == ("registered", "settled")
    assert other.moved("swap", other.coin()) == "unauthorised"
    assert other.state(second) == ("rejected", "parted")
    assert other.settlement(second)["paid_hash"] is None
    assert other.paid("swap", second) is None
    again = (
        "insert into registry.settling_log (chain_id, hash, ordinal, offering_id, settlement_id)"
        f" select chain_id, hash, ordinal, 'ofr_two', 'stl_{second[4:]}' from registry.settling_log"
    )
    assert wall(other.world, again) == "payment_settles_one_sale"
    stolen = (
        "update registry.settlement t set status = 'settled', paid_hash = s.paid_hash, paid_units = '1',"
        " paid_ordinal = s.paid_ordinal from registry.settlement s"
        " where s.status = 'settled' and t.status = 'parted'"
    )
    assert wall(other.world, stolen) == "payment_settles_one_sale"


def test_raw_sql_of_the_keeper_passes_no_wall(sales: Sales) -> None:
    sales.registered(sales.buyer)
    sales.sold()
    whole = "paid_hash = sha256('x'), paid_ordinal = 1, paid_units = '1'"
    units = "observed_id = 'x', observed_hash = sha256('x')"
    parted = f"update registry.settlement set status = 'parted', {whole}"
    register = (
        "update registry.transfer_request set status = 'registered', movement_id ="
        " (select min(movement_id) from registry.movement) where status = 'approved'"
    )
    for statement, rule in (
        (register, "units_move_with_their_money"),
        (f"{parted}; {register}", "units_move_with_their_money"),
        ("update registry.settlement set status = 'settled'", "settled_sale_names_its_payment"),
        ("update registry.settlement set status = 'parted'", "settlement_names_the_legs_that_went"),
        (
            "update registry.settlement set status = 'parted', paid_hash = sha256('x')",
            "leg_names_its_log",
        ),
        (f"{parted}; update registry.settlement set status = 'returned'", "returned_coin_names_both_ways"),
        (
            f"update registry.settlement set status = 'settled', {units}",
            "settled_sale_names_its_payment",
        ),
        ("update registry.settlement set base_units = '0', status = 'dropped'", "settlement_has_its_payment"),
    ):
        assert wall(sales.world, statement) == rule, statement


def test_every_listed_move_of_a_settlement_is_made(sales: Sales) -> None:
    sales.sold()
    sales.moved("late", sales.coin(PRICE - 1))
    sales.end("late", "post")
    swapped = sales.sold()
    assert sales.moved("swap", sales.coin()) == "matched"
    assert sales.state(swapped)[1] == "settled"
    ended = sales.asked(sales.buyer, 1, route="holder", coin=COIN.hex())
    sales.withdraw(ended)
    sales.paid("late coin", ended)
    sales.paid("its return", ended, is_back=True)
    alone = sales.asked(sales.buyer, 1, route="holder", coin=COIN.hex())
    sales.moved("alone")
    sales.end("alone", "reversed")
    sales.paid("second coin", alone)
    both = sales.asked(sales.buyer, 1, route="holder", coin=COIN.hex())
    sales.paid("third coin", both)
    sales.moved("their units")
    owner = sales.world.login("owner")
    made, was = set[tuple[str, str]](), defaultdict[str, str](str)
    events = owner.execute(
        "select subject, canonical from audit.event where kind like 'settlement.%'"
        " order by scope, subject, version"
    )
    for subject, canonical in events.fetchall():
        becomes = json.loads(canonical)["payload"].get("status", was[subject])
        made.add((was[subject], becomes))
        was[subject] = becomes
    assert set(owner.execute(MOVES).fetchall()) - made == set()
