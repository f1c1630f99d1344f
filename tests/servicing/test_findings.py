"""Final payments in tokens that moved nothing: closed by two people, and payable again exactly once."""

from __future__ import annotations

import json
import threading

import psycopg
import pytest

from bookrunner.adapters.chain.evm import EvmChain
from bookrunner.core.errors import Refused
from bookrunner.sandbox import toolchain
from bookrunner.sandbox.node import Node
from tests.allocation.test_illegal import every_right
from tests.attack.world import CHAIN, Connect
from tests.servicing.test_coins import NAMES, NET, Purse, node, purse, sign, stored
from tests.treasury.escrow import refused

__all__ = ["node", "purse"]

pytestmark = pytest.mark.chain

FIRST, SECOND = "fund.flo", "fund.gus"
CLOSE = "treasury.decide_payment_finding"


def empty(purse: Purse) -> str:
    """Let the first order be final with nothing moved, and the others be paid; return the distribution."""
    distribution = stored(purse)
    sign(purse, NAMES[0], units="0")
    assert purse.payments.carry(purse.world.offering) == 2
    return distribution


def propose(purse: Purse, payout: str = NAMES[0]) -> str:
    """Let somebody say that nothing moved."""
    return purse.payments.propose_closing(purse.world.offering, payout, "the token said yes", actor=FIRST)


def decide(purse: Purse, finding: str, *, by: str = SECOND, seen: int = 1, agreed: bool = True) -> None:
    """Let somebody decide on it."""
    on = {"is_agreed": agreed, "seen": seen, "actor": by}
    purse.payments.decide_closing(purse.world.offering, finding, "read the block", **on)


def transfer_of(purse: Purse, payout: str) -> dict[str, object]:
    """Return the transfer that the chain shows for an order, as whoever settles it says it."""
    rows = purse.runs.terms.coin_payments_under_way(offering=purse.world.offering)
    (row,) = (one for one in rows if one["payout_id"] == payout)
    told = purse.payments._moved(row)
    assert told is not None
    return told


def test_two_people_close_it_and_the_line_is_paid_once(purse: Purse) -> None:
    w = purse.world
    distribution = empty(purse)
    with pytest.raises(Refused, match="payment_exists"):
        propose(purse, "pyo_none")
    with pytest.raises(Refused, match="closed_payment_is_final_and_unsettled"):
        propose(purse, NAMES[1])
    finding = propose(purse)
    with pytest.raises(Refused, match="payment_is_closed_once"):
        propose(purse)
    with pytest.raises(Refused, match="closed_payment_needs_two_people"):
        decide(purse, finding, by=FIRST)
    with pytest.raises(Refused, match="decision_is_on_the_version_seen"):
        decide(purse, finding, seen=9)
    decide(purse, finding)
    assert sorted(w.states().values()) == ["paid", "paid", "returned"]
    assert w.ask("select bounce_code from treasury.disbursement where status = 'returned'") == [
        ("moved_nothing",)
    ]
    w.check()
    # Nobody closes, settles or returns that order again, and one try is all that its line gets.
    with pytest.raises(Refused, match="decision_is_on_the_version_seen"):
        decide(purse, finding)
    with pytest.raises(Refused, match="closed_payment_is_final_and_unsettled"):
        propose(purse)
    assert purse.payments.carry(w.offering) == 0
    assert w.call("treasury.retry_disbursements", w.offering, distribution, None) == 1
    assert w.call("treasury.retry_disbursements", w.offering, distribution, None) == 0
    assert purse.payments.carry(w.offering) == 1
    assert set(w.states().values()) == {"paid"}
    assert {n: purse.holds(w.address(n)) for n in w.numbers} == {n: purse.net(n) for n in w.numbers}
    assert purse.holds(purse.payer) == 0
    assert sum(purse.net(n) for n in w.numbers) == NET
    w.check()


def test_what_arrived_is_not_closed(purse: Purse) -> None:
    distribution = stored(purse)
    sign(purse, NAMES[0], units="1")
    assert purse.payments.carry(purse.world.offering) == 2
    with pytest.raises(Refused, match="closed_payment_moved_nothing"):
        propose(purse)
    lines = purse.runs.lines(purse.world.offering, distribution)
    assert {row["finding"] for row in lines} == {None, "final_payment_is_not_settled"}


def test_a_declined_finding_leaves_the_line_and_may_be_proposed_again(purse: Purse) -> None:
    empty(purse)
    decide(purse, propose(purse), agreed=False)
    assert sorted(purse.world.states().values()) == ["paid", "paid", "paying"]
    decide(purse, propose(purse))
    assert sorted(purse.world.states().values()) == ["paid", "paid", "returned"]


def settling(purse: Purse) -> dict[str, object]:
    """Let every order be final and none settled; return the transfer of the first."""
    w = purse.world
    stored(purse)
    for payout in NAMES:
        sign(purse, payout)
        w.call("treasury.mark_handed_over", w.offering, payout, f"txn of {payout}")
    purse.payments._submitter.send_unfinished(w.offering)
    purse.payments._submitter.settle(w.offering, None)
    return transfer_of(purse, NAMES[0])


def race(
    purse: Purse, connect: Connect, first: tuple[str, list[object]], then: tuple[str, list[object]]
) -> str:
    """Do one act in a transaction that stays open, the other beside it; return what refuses the other."""
    told: list[str] = []
    w = purse.world

    def call(verb: str, arguments: list[object], on: psycopg.Connection) -> None:
        places = ", ".join(["%s"] * (len(arguments) + 2))
        on.execute(f"select {verb}({places})".encode(), [SECOND, f"req_{verb}", *arguments])

    def other() -> None:
        try:
            with connect("treasury").transaction() as transaction:
                call(*then, transaction.connection)
        except psycopg.Error as caught:
            told.append(str(caught.diag.constraint_name))

    with connect("treasury").transaction() as transaction:
        call(*first, transaction.connection)
        racing = threading.Thread(target=other)
        racing.start()
        racing.join(1)
        assert racing.is_alive(), told
    racing.join(60)
    w.check()
    return "".join(told)


@pytest.mark.parametrize("closes_first", [True, False])
def test_whoever_closes_and_whoever_settles_wait_for_each_other(
    purse: Purse, connect: Connect, *, closes_first: bool
) -> None:
    w = purse.world
    moved = settling(purse)
    # Past the node, as a thief of the login would: the books alone let one of both through.
    w.call("treasury.propose_payment_finding", w.offering, "pfd_1", NAMES[0], "so it says", actor=FIRST)
    close: tuple[str, list[object]] = (CLOSE, [w.offering, "pfd_1", True, "read", 1])
    settle: tuple[str, list[object]] = (
        "treasury.settle_coin_payment",
        [w.offering, NAMES[0], json.dumps(moved)],
    )
    asked = "select status from treasury.disbursement where disbursement_id = (select disbursement_id"
    asked += " from treasury.coin_payment where payout_id = %s)"
    if closes_first:
        assert race(purse, connect, close, settle) == "closed_payment_is_not_settled"
        assert w.ask(asked, NAMES[0]) == [("returned",)]
    else:
        assert race(purse, connect, settle, close) == "closed_payment_is_final_and_unsettled"
        assert w.ask(asked, NAMES[0]) == [("paid",)]


def test_the_treasury_refuses_findings_past_the_verbs(purse: Purse) -> None:
    w = purse.world
    empty(purse)
    finding = propose(purse)
    said = "update treasury.payment_finding set status = '%s', decided_by = '%s', decided_because = '%s'"
    for statement, rule in (
        (said % ("closed", FIRST, "x"), "closed_payment_needs_two_people"),
        (said % ("closed", SECOND, " "), "decided_finding_says_who_and_why"),
        ("update treasury.payment_finding set payout_id = 'pyo_b'", "payment_finding_stays_as_proposed"),
        (
            "update treasury.disbursement set status = 'returned', bounce_code = 'x' where status = 'paying'",
            "line_is_settled_by_its_own_transfer",
        ),
    ):
        with every_right(w, "treasury") as login, refused(rule):
            login.execute(statement.encode())
    decide(purse, finding)
    settled = (
        "insert into treasury.coin_settlement (offering_id, payout_id, chain_id, transaction_hash, ordinal,"
        " block_number, block_hash) select offering_id, 'pyo_a', 1, sha256('x'), 0, 1, sha256('y')"
        " from treasury.payment_finding"
    )
    with every_right(w, "treasury") as login, refused("closed_payment_is_not_settled"):
        login.execute(settled.encode())


def test_a_node_that_lacks_the_transaction_says_nothing_of_it(purse: Purse) -> None:
    """Its answer of no transfers looks like that of a block in which nothing moved."""
    w = purse.world
    empty(purse)
    with Node.start(toolchain.ensure(), chain_id=CHAIN) as stranger, EvmChain(stranger.url) as chain:
        elsewhere = purse.worker(chain)
        with pytest.raises(Refused, match="closed_payment_is_shown_by_the_node"):
            elsewhere.propose_closing(w.offering, NAMES[0], "the token said yes", actor=FIRST)
        finding = propose(purse)
        on = {"is_agreed": True, "seen": 1, "actor": SECOND}
        with pytest.raises(Refused, match="closed_payment_is_shown_by_the_node"):
            elsewhere.decide_closing(w.offering, finding, "read the block", **on)
    assert "returned" not in w.states().values()
    decide(purse, finding)
    assert "returned" in w.states().values()
