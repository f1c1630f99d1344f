"""Before a delivery is signed: token, keys and node are as recorded, each line passes, the gas is known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from bookrunner.adapters.chain import Fees, Transaction, implementation_authority, token_implementation
from bookrunner.adapters.chain.abi import call_data
from bookrunner.adapters.chain.evm import EvmChain
from bookrunner.adapters.chain.keys import terms_of
from bookrunner.adapters.chain.rpc import Rpc
from bookrunner.app import Application, open_keys
from bookrunner.core.errors import Refused
from bookrunner.db import Endpoint
from bookrunner.engine.issuance import Outcome, check_chain, start_again
from bookrunner.sandbox import toolchain
from bookrunner.sandbox.node import Node
from bookrunner.sandbox.story import Story
from tests.engine.battered import Door

pytestmark = pytest.mark.chain

CHAIN = 31337
INVESTORS = 8
OTTO = "operator.otto"


class Offer:
    """A raise whose closing is frozen, on a node of its own."""

    def __init__(self, app: Application, node: Node) -> None:
        self.app = app
        self.story = Story(app, investors=INVESTORS)
        tools = toolchain.ensure()
        self.story.play(lambda: app.deploy_token(tools.artifacts, self.story.offering, self.story.units))
        self.offering = self.story.offering
        self.closing = app.close_offer(self.offering, actor=OTTO, ready=True)
        self.token = bytes(app.desk.offer(self.offering)["token_address"])
        self.rpc = Rpc(node.url)

    def start(self, actor: str, because: str = "the issuer told us") -> list[tuple[str, Outcome]]:
        """Let a person say that what was found may stand."""
        return start_again(
            self.app.desk.registry, self.app.chain, self.offering, actor=actor, because=because
        )

    def rows(self, question: str) -> list[tuple[Any, ...]]:
        """Ask the database as its owner."""
        with psycopg.connect(self.app.endpoint.owner_dsn()) as connection:
            return connection.execute(question.encode()).fetchall()

    def issue(self) -> int:
        """Carry the closing."""
        return self.app.run_closing(self.offering, self.closing)


@pytest.fixture
def node() -> Iterator[Node]:
    with Node.start(toolchain.ensure(), chain_id=CHAIN) as started:
        yield started


@pytest.fixture
def offer(endpoint: Endpoint, node: Node, tmp_path: Path) -> Iterator[Offer]:
    keys = open_keys(tmp_path / "keys", CHAIN, embedded=True)
    for key in (keys.agent, keys.treasury):
        node.fund(key.address, 10**24)
    with EvmChain(node.url) as chain:
        app = Application(endpoint, chain, keys, pause=node.pulse)
        offered = Offer(app, node)
        yield offered
        offered.rpc.close()
        app.close()


def test_other_code_behind_the_token_stops_deliveries_until_two_people_agree(offer: Offer) -> None:
    chain = offer.app.chain
    (authority,) = chain.read([implementation_authority(offer.token)])
    (behind,) = chain.read([token_implementation(authority)])
    code = str(offer.rpc.call("eth_getCode", "0x" + behind.hex(), "latest"))
    offer.rpc.call("anvil_setCode", "0x" + behind.hex(), code + "00")
    for _ in range(2):
        with pytest.raises(Refused, match=r"token_is_as_recorded.*token_code"):
            offer.issue()
    (stop,) = offer.app.desk.registry.delivery_stops(offering=offer.offering)
    assert (stop["status"], stop["changed"]) == ("stopped", ["token_code"])
    assert offer.app.totals(offer.offering)["chain_units"] == 0
    with pytest.raises(Refused, match="acknowledgement_has_a_reason"):
        offer.start("agent.theo", "")
    assert offer.start("agent.theo") == [("token_code", Outcome.PROPOSED)]
    with pytest.raises(Refused, match="change_is_acknowledged_by_two_people"):
        offer.start("agent.theo")
    with pytest.raises(Refused, match="deliveries_are_not_stopped"):
        offer.app.desk.registry.take_lines(
            actor="process", offering=offer.offering, closing=offer.closing, most=1
        )
    assert offer.start("agent.thea") == [("token_code", Outcome.STARTED)]
    with pytest.raises(Refused, match="started_key_is_stopped"):
        offer.start("agent.thea")
    assert offer.issue() == INVESTORS - 4


def test_a_key_that_somebody_else_used_delivers_after_two_people_agree(offer: Offer) -> None:
    treasury = offer.app.keys.treasury
    stray = Transaction(CHAIN, 0, treasury.address, b"", 50_000, Fees(9 * 10**9, 9 * 10**9), 1)
    offer.app.chain.send([treasury.sign(stray).raw])
    with pytest.raises(Refused, match=r"token_is_as_recorded.*foreign_nonces"):
        offer.issue()
    offer.start("agent.theo")
    offer.start("agent.thea")
    assert offer.issue() == INVESTORS - 4
    assert offer.app.chain.nonce(treasury.address) == 2


def test_one_line_that_the_token_refuses_is_stopped_under_its_rule(offer: Offer) -> None:
    app = offer.app
    members = app.desk.engine.frozen_members(offering=offer.offering, closing=offer.closing)
    frozen = members[0]["investment_id"]
    linked = offer.rows("select investor_id, address from registry.wallet_mapping where status = 'linked'")
    wallet = dict(linked)[members[0]["investor_id"]]
    order = {"offering": offer.offering, "purpose": "unpause", "intent": "int_freeze", "to": offer.token}
    is_frozen = True
    data = call_data("setAddressFrozen(address,bool)", wallet, is_frozen)
    app.submitter.submit(app.keys.agent, order | {"data": data, "gas": 200_000})
    app.submitter.settle(offer.offering, None)
    assert offer.issue() == len(members) - 1
    (gone,) = offer.rows(
        "select investment_id, left_because from engine.closing_member where status = 'left'"
    )
    assert gone == (frozen, "receiver_is_not_frozen")
    assert offer.rows(
        "select status, count(*) from registry.chain_transaction where purpose = 'deliver' group by 1"
    ) == [("final", 1)]


def test_a_delivery_has_the_gas_that_its_suite_needs(offer: Offer) -> None:
    assert offer.issue() == INVESTORS - 4
    ((raw, digest),) = offer.rows(
        "select raw, hash from registry.chain_transaction where purpose = 'deliver'"
    )
    (receipt,) = offer.app.chain.receipts([digest])
    assert receipt is not None
    assert receipt.gas_used <= terms_of(raw).gas <= receipt.gas_used * 13 // 10


def test_no_work_begins_behind_a_node_that_lacks_what_was_final(offer: Offer, node: Node) -> None:
    assert offer.issue() == INVESTORS - 4
    registry = offer.app.desk.registry
    check_chain(registry, offer.app.chain, CHAIN)
    with pytest.raises(Refused, match="chain_id_is_the_expected_one"):
        check_chain(registry, offer.app.chain, 1)
    door = Door(node.url)
    try:
        door.state, door.lag = "lagging", 3
        with EvmChain(door.url) as late, pytest.raises(Refused, match="chain_node_is_in_step"):
            check_chain(registry, late, CHAIN)
    finally:
        door.close()
