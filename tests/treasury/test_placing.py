"""What a statement places while it comes in is what a look at every waiting receipt would place."""

from __future__ import annotations

import pytest
from psycopg.types.json import Jsonb

from tests.attack.world import Connect
from tests.treasury.escrow import PRICE, Escrow, digest, refused

STRANGER = digest("a stranger").hex()
_OUTCOMES = (
    "select receipt_id, status, amount_minor, exception, investment_id from treasury.receipt_fact order by 1",
    "select account, amount_minor from treasury.trial_balance where amount_minor <> 0 order by 1",
    "select investment_id, funding_status, received_minor, is_partial from treasury.funding order by 1",
    "select receipt_id, amount_minor, reason from treasury.refund_fact order by 1",
)
_UNTOLD = """
select r.receipt_id from treasury.receipt r where r.status <> 'divided' and r.version <> (
    select count(*) from audit.event e where e.scope = r.offering_id and e.subject = r.receipt_id)
"""

Entries = list[dict[str, object]]


def _mixed(world: Escrow) -> Entries:
    """Return entries of every kind, in the order of booking day and key."""
    return [
        world.entry(1, id="rcp_a", key="a", amount=PRICE // 2),
        world.entry(1, id="rcp_b", key="b", amount=PRICE // 2),
        world.entry(1, id="rcp_c", key="c"),
        world.entry(2, id="rcp_d", key="d", amount=2 * PRICE + 500),
        world.entry(3, id="rcp_e", key="e", fingerprint=STRANGER),
        world.entry(3, id="rcp_f", key="f", reference=None),
        world.entry(3, id="rcp_g", key="g", reference="RF99123456789012"),
        world.entry(3, id="rcp_h", key="h", currency="EUR"),
        world.entry(
            4, id="rcp_i", key="i", reference=None, references=[f"RF{4:014}", f"RF{5:014}"], amount=9 * PRICE
        ),
        world.entry(6, id="rcp_j", key="j", amount=1),
        world.entry(6, id="rcp_k", key="k"),
        world.entry(7, id="rcp_l", key="l"),
    ]


def _outcome(world: Escrow) -> list[object]:
    """Return what the treasury sees inside its own transaction."""
    return [world.login("treasury").execute(question.encode()).fetchall() for question in _OUTCOMES]


@pytest.mark.parametrize("size", [1, 5, 12])
def test_pieces_leave_what_one_look_leaves(connect: Connect, size: int) -> None:
    world = Escrow(connect, investors=7).build("instructed")
    entries = _mixed(world)
    head, _ = world.statement("first", entries)
    treasury = world.login("treasury")
    with treasury.transaction(force_rollback=True):
        world.call("treasury.import_statement", world.offering, head, Jsonb(entries))
        while world.call("treasury.match", world.offering):
            pass
        expected = _outcome(world)
    with treasury.transaction():
        world.call("treasury.import_statement", world.offering, head, Jsonb([]))
        for at in range(0, len(entries), size):
            world.call("treasury.import_entries", world.offering, head["id"], Jsonb(entries[at : at + size]))
        while world.call("treasury.match", world.offering):
            pass
    assert _outcome(world) == expected
    assert world.receipt("rcp_l") == "matched"
    assert world.ask(_UNTOLD) == []
    world.check_ledger()


def test_what_the_same_statement_takes_back_waits(connect: Connect) -> None:
    world = Escrow(connect).build("instructed")
    head, _ = world.statement("first", [])
    entries = [world.entry(1, waits=True), world.entry(2)]
    with world.login("treasury").transaction():
        world.call(
            "treasury.import_statement", world.offering, head | {"closing_minor": 3 * PRICE}, Jsonb([])
        )
        world.call("treasury.import_entries", world.offering, head["id"], Jsonb(entries))
    assert (world.receipt("rcp_one1"), world.receipt("rcp_one2")) == ("unmatched", "matched")
    assert (world.gates(1), world.gates(2)) == ((False, False), (True, False))
    world.check()


def test_a_balance_never_starts_below_zero(connect: Connect) -> None:
    world = Escrow(connect).build("instructed")
    lines = [{"account": f"liab:nobody{n}", "side": "debit", "amount": 1} for n in range(60)]
    with refused("account_is_never_overdrawn"):
        world.login("owner").execute(
            b"select treasury.post(%s, 'journal', 'receipts_booked', 'USD', %s)",
            (world.offering, Jsonb([*lines, {"account": "liab:unmatched", "side": "credit", "amount": 60}])),
        )
