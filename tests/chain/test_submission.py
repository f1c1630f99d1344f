"""The submitter against a real node that withholds, forgets, reorganises, or has a rival on our key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from bookrunner.adapters.chain import Fees, Transaction
from bookrunner.adapters.chain.evm import EvmChain
from bookrunner.adapters.chain.keys import LocalKey
from bookrunner.adapters.chain.rpc import Rpc
from bookrunner.core.errors import Refused
from bookrunner.core.ids import new_id
from bookrunner.db import Database, Row
from bookrunner.engine.desk import Desk
from bookrunner.engine.issuance import Keys, Outcome, Submitter, start_again
from bookrunner.engine.issuance.submission import raised
from bookrunner.sandbox import toolchain
from bookrunner.sandbox.node import Node
from tests.chain.conftest import CHAIN_ID, open_key

Connect = Callable[[str], psycopg.Connection]
pytestmark = pytest.mark.chain

OFFERING = "ofr_submission"
RECEIVER = b"\x99" * 20
GWEI = 10**9


@dataclass
class Line:
    """A submitter with a database, and a node of its own whose mining the test commands."""

    desk: Desk
    chain: EvmChain
    rpc: Rpc
    node: Node
    keys: Keys
    connect: Connect

    def submitter(self, **limits: float) -> Submitter:
        """Return a submitter that mines nothing while it waits."""
        return Submitter(self.desk.registry, self.chain, self.keys, pause=lambda: None, **limits)

    def store(self) -> str:
        """Sign and store one payment of nothing to the receiver; it is not sent."""
        order = {"offering": OFFERING, "purpose": "unpause", "to": RECEIVER, "data": b"", "gas": 50_000}
        with self.desk.registry.together() as within:
            intent = f"int_{len(self.rows())}"
            asked = order | {"intent": intent, "terms": self.submitter().terms()}
            return self.submitter().store(within, self.keys.agent, asked, []).transaction

    def replace(self, row: Row, eighths: int = 9) -> bool:
        """Sign and store a further attempt; it is not sent."""
        fees = Fees(-(-row["max_fee_wei"] * eighths // 8), -(-row["priority_fee_wei"] * eighths // 8))
        signed = self.keys.agent.sign_again(row["raw"], fees)
        stored: bool = self.desk.registry.record_replacement(
            actor="process",
            offering=OFFERING,
            replaced=row["transaction_id"],
            transaction={
                "id": new_id("txn"),
                "max_fee": fees.max_fee,
                "priority_fee": fees.priority_fee,
                "hash": signed.hash.hex(),
                "raw": signed.raw.hex(),
            },
        )
        return stored

    def advance(self, **limits: float) -> None:
        """Look once at everything that is not final."""
        waiting = self.desk.registry.unfinished(offering=OFFERING)
        self.submitter(**limits)._advance(waiting, None)

    def start(self, actor: str, because: str = "") -> list[Outcome]:
        """Let a person start the stopped keys again."""
        found = start_again(self.desk.registry, self.chain, OFFERING, actor=actor, because=because)
        return [outcome for _, outcome in found]

    def rows(self) -> list[tuple[object, ...]]:
        """Return nonce, attempt and status of every transaction."""
        question = b"select nonce, attempt_no, status from registry.chain_transaction order by 1, 2"
        return self.connect("owner").execute(question).fetchall()

    def told(self) -> list[str]:
        """Return the kinds of the events of transactions, in their order."""
        question = b"select kind from audit.event where kind like 'chain_transaction.%' order by version"
        return [row[0].partition(".")[2] for row in self.connect("owner").execute(question)]

    def hold(self) -> None:
        """Let the node take transactions and mine none."""
        self.rpc.batch([("evm_setAutomine", [False])])

    def mine(self, blocks: int = 1) -> None:
        """Mine so many blocks; two more make the first final."""
        for _ in range(blocks):
            self.rpc.call("evm_mine")


@pytest.fixture
def line(database: Database, connect: Connect, tmp_path: Path) -> Iterator[Line]:
    keys = Keys(open_key(tmp_path, "agent"), open_key(tmp_path, "treasury"))
    with (
        Node.start(toolchain.ensure(), chain_id=CHAIN_ID) as node,
        EvmChain(node.url) as chain,
        Rpc(node.url) as rpc,
    ):
        node.fund(keys.agent.address, 10**20)
        desk = Desk(database)
        desk.registry.open_key(
            actor="process", chain_id=CHAIN_ID, address=keys.agent.address, purpose="agent"
        )
        yield Line(desk, chain, rpc, node, keys, connect)


def test_each_state_is_told_as_the_chain_reaches_it(line: Line) -> None:
    line.hold()
    line.store()
    line.advance()
    assert line.rows() == [(0, 1, "broadcast")]
    line.mine()
    line.advance()
    assert line.rows() == [(0, 1, "mined")]
    line.mine(2)
    line.advance()
    assert line.rows() == [(0, 1, "final")]
    assert line.told() == ["signed", "broadcast", "mined", "finalized"]


def test_a_transaction_that_waits_is_offered_again_for_more(line: Line) -> None:
    line.hold()
    line.store()
    line.advance()
    line.advance(patience_seconds=0)
    assert line.rows() == [(0, 1, "broadcast"), (0, 2, "signed")]
    line.mine()
    line.advance()
    line.mine(2)
    line.advance()
    assert line.rows() == [(0, 1, "replaced"), (0, 2, "final")]
    assert line.chain.nonce(line.keys.agent.address) == 1


def test_the_first_attempt_may_win_after_a_second_was_stored(line: Line) -> None:
    """The process died between the commit of the second attempt and its first sending."""
    line.hold()
    line.store()
    line.advance()
    (row,) = line.desk.registry.unfinished(offering=OFFERING)
    assert line.replace(row) is True
    assert line.replace(row) is False, "another worker has replaced it"
    line.mine(3)
    line.advance()
    assert line.rows() == [(0, 1, "final"), (0, 2, "replaced")]


def test_a_further_attempt_for_little_more_is_refused(line: Line) -> None:
    line.hold()
    line.store()
    (row,) = line.desk.registry.unfinished(offering=OFFERING)
    with pytest.raises(Refused, match="replacement_raises_both_fees"):
        line.replace(row, eighths=8)
    assert line.rows() == [(0, 1, "signed")]


def test_only_the_first_nonce_of_a_key_is_offered_again(line: Line) -> None:
    line.hold()
    for _ in range(3):
        line.store()
    line.advance()
    line.advance(patience_seconds=0)
    assert [row[:2] for row in line.rows()] == [(0, 1), (0, 2), (1, 1), (2, 1)]


def test_nothing_is_offered_above_the_ceiling(line: Line) -> None:
    line.hold()
    line.store()
    line.advance()
    line.advance(patience_seconds=0, fee_ceiling_wei=1)
    assert line.rows() == [(0, 1, "broadcast")]


def test_a_forgotten_transaction_is_sent_again_from_its_bytes(line: Line) -> None:
    line.hold()
    line.store()
    line.advance()
    (row,) = line.desk.registry.unfinished(offering=OFFERING)
    line.rpc.call("anvil_dropTransaction", "0x" + row["hash"].hex())
    line.mine()
    assert line.chain.receipts([row["hash"]]) == [None]
    line.advance()
    line.mine(3)
    line.advance()
    assert line.rows() == [(0, 1, "final")]


def test_a_reorganised_block_takes_the_state_back_by_a_new_fact(line: Line) -> None:
    line.rpc.call("evm_mine")
    line.store()
    line.advance()
    line.advance()
    assert line.rows() == [(0, 1, "mined")]
    line.rpc.call("anvil_reorg", 1, [])
    line.hold()
    line.advance()
    assert line.rows() == [(0, 1, "broadcast")]
    line.mine(3)
    line.advance()
    assert line.rows() == [(0, 1, "final")]
    assert line.told() == ["signed", "broadcast", "mined", "reorganised", "finalized"]


def test_a_rival_on_our_key_stops_it_until_two_people_start_it(line: Line) -> None:
    line.store()
    rival = line.keys.agent.sign(Transaction(CHAIN_ID, 0, RECEIVER, b"", 50_000, Fees(9 * GWEI, 9 * GWEI), 1))
    line.chain.send([rival.raw])
    line.advance()
    assert line.rows() == [(0, 1, "signed")], "a block that may be undone decides nothing"
    line.mine(2)
    line.advance()
    assert line.rows() == [(0, 1, "dropped")]
    with pytest.raises(Refused, match="chain_key_is_not_stopped"):
        line.store()
    registry = line.desk.registry
    assert line.start("operator.one", "the key was moved to another machine") == [Outcome.PROPOSED]
    with pytest.raises(Refused, match="key_is_started_by_two_people"):
        line.start("operator.one")
    assert line.start("operator.two") == [Outcome.STARTED]
    with pytest.raises(Refused, match="started_key_is_stopped"):
        line.start("operator.two")
    assert registry.key_stops(offering=OFFERING) == []
    line.store()
    line.advance()
    line.mine(2)
    line.advance()
    assert line.rows() == [(0, 1, "dropped"), (1, 1, "final")]


def test_nothing_is_dropped_while_a_newer_attempt_was_not_asked_for(line: Line) -> None:
    """Another worker has offered more since this one read what waits, and its attempt came through."""
    line.store()
    (row,) = line.desk.registry.unfinished(offering=OFFERING)
    assert line.replace(row)
    line.chain.send([line.desk.registry.unfinished(offering=OFFERING)[1]["raw"]])
    line.mine(3)
    line.submitter()._advance([row], None)
    assert line.rows() == [(0, 1, "signed"), (0, 2, "signed")]
    line.advance()
    assert line.rows() == [(0, 1, "replaced"), (0, 2, "final")]


def test_a_transaction_that_stands_after_all_frees_nothing(line: Line) -> None:
    line.store()
    (row,) = line.desk.registry.unfinished(offering=OFFERING)
    of = {"offering": OFFERING, "transaction": row["transaction_id"]}
    assert line.desk.registry.drop_intent(actor="process", stop="stp_1", **of)
    line.chain.send([row["raw"]])
    line.mine(3)
    assert line.start("operator.one", "nothing was found") == [Outcome.MISTAKEN]
    line.advance()
    assert line.rows() == [(0, 1, "final")]
    line.store()


def test_a_stopped_key_offers_no_more(line: Line) -> None:
    line.hold()
    for _ in range(2):
        line.store()
    first, second = line.desk.registry.unfinished(offering=OFFERING)
    of = {"offering": OFFERING, "transaction": first["transaction_id"]}
    assert line.desk.registry.drop_intent(actor="process", stop="stp_1", **of)
    assert line.replace(second) is False
    assert [row[:2] for row in line.rows()] == [(0, 1), (1, 1)]


def test_what_a_node_suggests_is_not_signed_as_it_comes(line: Line) -> None:
    with pytest.raises(Refused, match="fees_stay_below_their_ceiling"):
        line.submitter(fee_ceiling_wei=1).terms()


def test_bytes_signed_again_say_the_same_for_other_fees(tmp_path: Path) -> None:
    key = LocalKey.open(tmp_path, "agent", chain_id=CHAIN_ID, embedded=True)
    dear = Fees(5 * GWEI, 2 * GWEI)
    for to, data in ((RECEIVER, b"\x01\x02"), (None, b"\x60\x00")):
        terms = Transaction(CHAIN_ID, 7, to, data, 60_000, Fees(3 * GWEI, GWEI), 5)
        again = key.sign_again(key.sign(terms).raw, dear)
        assert again == key.sign(Transaction(CHAIN_ID, 7, to, data, 60_000, dear, 5))
    with pytest.raises(Refused, match="transaction_is_of_type_two"):
        key.sign_again(b"\xf8" + bytes(40), dear)


@pytest.mark.parametrize(
    ("offered", "suggested", "expected"),
    [
        (Fees(800, 80), Fees(100, 10), Fees(900, 90)),
        (Fees(801, 81), Fees(100, 10), Fees(902, 92)),
        (Fees(800, 80), Fees(5_000, 500), Fees(5_000, 500)),
        (Fees(100, 0), Fees(100, 0), Fees(113, 1)),
        (Fees(8, 8), Fees(1, 90), Fees(90, 90)),
    ],
)
def test_a_further_attempt_raises_both_fees(offered: Fees, suggested: Fees, expected: Fees) -> None:
    assert raised(offered, suggested) == expected
