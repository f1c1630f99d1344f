"""A charged fee of a transfer ends once, paid on evidence or waived, by two people."""

from __future__ import annotations

import pytest

from bookrunner.core.errors import Refused
from bookrunner.db import Database, Keeper
from bookrunner.engine.life.servicing.fees import fees_of
from tests.allocation.test_illegal import every_right
from tests.attack.world import Connect, World, digest
from tests.registry.transferring import Transferring
from tests.servicing.books import follow
from tests.treasury.escrow import refused

LEDGER = (
    "select account, amount_minor::int from treasury.balance where account like '%transfer_fee%' order by 1"
)


@pytest.fixture
def charged(connect: Connect, database: Database) -> tuple[Transferring, Keeper, str]:
    """Return a register with a transfer whose fee of 9.00 stands in the ledger."""
    world = World(connect)
    world.numbers = (1, 2, 9)  # type: ignore[assignment]
    desk = Transferring(world.build("registered"), database)
    desk.seller = "ivr_one9"
    desk.free_lots()
    desk.rule("fee", amount=900, payer="buyer")
    transfer = desk.registered(desk.taker())
    fees = fees_of(database)
    with pytest.raises(Refused, match="settled_fee_was_charged"):
        _propose(fees, desk, transfer)
    follow(database)
    return desk, fees, transfer


def _propose(fees: Keeper, desk: Transferring, transfer: str, **changed: object) -> str:
    said: dict[str, object] = {
        "settlement": "fst_1",
        "act": "waived",
        "evidence_sha256": None,
        "because": "a gift among heirs",
    }
    said |= changed
    fees.propose_fee_settlement(actor="fund.flo", offering=desk.offering, transfer=transfer, **said)
    return str(said["settlement"])


def _decide(
    fees: Keeper, desk: Transferring, name: str, *, by: str = "fund.gus", agrees: bool = True
) -> None:
    fees.decide_fee_settlement(actor=by, offering=desk.offering, settlement=name, is_agreed=agrees, seen=1)


@pytest.mark.parametrize(("act", "paper"), [("waived", None), ("paid", digest("receipt of the agent"))])
def test_two_people_end_a_fee(
    charged: tuple[Transferring, Keeper, str], act: str, paper: bytes | None
) -> None:
    desk, fees, transfer = charged
    treasury = desk.world.login("treasury")
    for wrong, rule in (
        ({"act": "paid"}, "paid_fee_has_its_evidence"),
        ({"act": "forgotten"}, "fee_is_paid_or_waived"),
        ({"because": " "}, "settled_fee_has_its_reason"),
        ({"act": "paid", "evidence_sha256": b"short"}, "evidence_of_a_fee_is_a_digest"),
    ):
        with pytest.raises(Refused, match=rule):
            _propose(fees, desk, transfer, **wrong)
    refusal = _propose(fees, desk, transfer, settlement="fst_0")
    _decide(fees, desk, refusal, agrees=False)
    name = _propose(fees, desk, transfer, act=act, evidence_sha256=paper)
    with pytest.raises(Refused, match="fee_is_settled_once"):
        _propose(fees, desk, transfer, settlement="fst_2")
    with pytest.raises(Refused, match="fee_settlement_needs_two_people"):
        _decide(fees, desk, name, by="fund.flo")
    assert {amount for _, amount in treasury.execute(LEDGER).fetchall()} == {900}
    _decide(fees, desk, name)
    assert {amount for _, amount in treasury.execute(LEDGER).fetchall()} == {0}
    (row,) = fees.transfer_fees(offering=desk.offering)
    assert (row["status"], row["act"], row["amount_minor"]) == ("settled", act, 900)
    with pytest.raises(Refused):
        _decide(fees, desk, name)
    with pytest.raises(Refused, match="fee_is_settled_once"):
        _propose(fees, desk, transfer, settlement="fst_3")
    assert treasury.execute("select agrees from treasury.three_way").fetchall() == [(True,)]


def test_no_statement_ends_a_fee_alone(charged: tuple[Transferring, Keeper, str]) -> None:
    desk, fees, transfer = charged
    _propose(fees, desk, transfer)
    for statement, rule in (
        ("set status = 'settled', decided_by = proposed_by", "fee_settlement_needs_two_people"),
        ("set amount_minor = 1", "fee_settlement_stays_as_proposed"),
        ("set act = 'paid'", "fee_settlement_stays_as_proposed"),
    ):
        with every_right(desk.world, "treasury") as login, refused(rule):
            login.execute(f"update treasury.fee_settlement {statement}".encode())
