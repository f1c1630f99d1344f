"""Stablecoins on a real node: booked and cleared by depth, undone by the chain, held for their sender."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from psycopg.types.json import Jsonb

from bookrunner.adapters.chain import Fees, Transaction, abi
from bookrunner.adapters.chain.deposits import DepositKeys, DepositTree
from bookrunner.adapters.chain.evm import EvmChain
from bookrunner.adapters.chain.keys import LocalKey
from bookrunner.adapters.chain.rpc import Rpc
from bookrunner.app import Application, open_keys
from bookrunner.app.settings import Outside
from bookrunner.core.errors import Refused
from bookrunner.db import Database, Endpoint
from bookrunner.engine.desk import Desk
from bookrunner.engine.intake import Deposits, Watched
from bookrunner.sandbox import toolchain
from bookrunner.sandbox.node import Node
from tests.attack.world import CHAIN, Connect, digest
from tests.treasury import coin
from tests.treasury.escrow import PRICE, Escrow, refused

pytestmark = pytest.mark.chain

FEES = Fees(10**9, 10**9)
CENT = 10**4
RECEIVED_AFTER, CLEARED_AFTER = 2, 5
LIST = "list-1"


class Bench:
    """An escrow and a node on which investors hold a token of six decimals."""

    def __init__(self, world: Escrow, database: Database, node: Node, chain: EvmChain) -> None:
        self.world = world
        self.desk = Desk(database)
        self.node = node
        self.chain = chain
        self.rpc = Rpc(node.url)
        self.keys = DepositKeys(secrets.token_bytes(32), chain_id=CHAIN)
        self.nonces: dict[bytes, int] = {}
        self.owner = LocalKey(secrets.token_bytes(32), chain_id=CHAIN)
        self.wallets = {n: LocalKey(secrets.token_bytes(32), chain_id=CHAIN) for n in (*world.numbers, 9)}
        for key in (self.owner, *self.wallets.values()):
            node.fund(key.address, 10**20)
        self.token = self.deploy(6)

    def deploy(self, decimals: int) -> bytes:
        """Return the address of a new token whose investors hold much of it."""
        created = abi.created_address(self.owner.address, self.nonces.get(self.owner.address, 0))
        self.send(self.owner, None, coin.code(decimals, 10**30))
        for wallet in self.wallets.values():
            self.send(self.owner, created, coin.transfer(wallet.address, 10**26))
        return created

    def send(self, key: LocalKey, to: bytes | None, data: bytes) -> bytes:
        """Let a key act in a block of its own and return the transaction's hash."""
        nonce = self.nonces.get(key.address, 0)
        signed = key.sign(Transaction(CHAIN, nonce, to, data, 1_000_000, FEES))
        self.nonces[key.address] = nonce + 1
        self.chain.send([signed.raw])
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            (receipt,) = self.chain.receipts([signed.hash])
            if receipt is not None:
                assert receipt.status == 1
                return signed.hash
        pytest.fail("the transaction was not mined")

    def mine(self, blocks: int) -> None:
        for _ in range(blocks):
            self.node.pulse()

    def accept(self, *, dust: int = 100) -> None:
        """Let two people accept the token for this offer."""
        terms = {
            "valid_from": "2026-01-01",
            "currency": "USD",
            "dust_minor": dust,
            "received_after": RECEIVED_AFTER,
            "cleared_after": CLEARED_AFTER,
        }
        name = self.worker().propose_coin(self.world.offering, self.token, terms=terms, actor="usr_first")
        self.world.call("treasury.decide_coin", self.world.offering, name, "true", 1, actor="usr_second")

    def watch(self) -> int:
        """Start a worker that knows nothing but what the database says, and let it look once."""
        return self.worker().watch()

    def worker(self) -> Deposits:
        return Deposits(self.desk, self.chain, Watched(self.keys.tree, CHAIN))

    def address(self, n: int) -> bytes:
        """Return where an investor pays to."""
        question = "select address from treasury.deposit_address where attempt_id = %s"
        return bytes(self.world.ask(question, self.world.id("pay", n))[0][0])

    def link(self, n: int, wallet: int | None = None) -> None:
        """Have a wallet claimed for an investor and screened without a hit."""
        address = self.wallets[wallet or n].address
        mapping = [self.world.offering, self.world.id("wmp", n)]
        self.world.call(
            "registry.open_mapping", *mapping, self.world.id("ivr", n), CHAIN, address, "wlc@1", "key"
        )
        self.screen(address)
        self.world.call("registry.mark_screened", *mapping, "scr@1")

    def screen(self, address: bytes, matched: str | None = None) -> None:
        """Answer for a wallet against the one list."""
        screening = f"scr_{secrets.token_hex(6)}"
        self.world.call("compliance.record_screening", f"wallet:{address.hex()}", screening, LIST, matched)

    def pay(self, n: int, base_units: int, *, wallet: int | None = None, token: bytes = b"") -> bytes:
        """Let an investor's wallet send base units to its deposit address."""
        return self.send(
            self.wallets[wallet or n], token or self.token, coin.transfer(self.address(n), base_units)
        )

    def receipts(self) -> list[tuple[str, str | None]]:
        return [
            (row[0], row[1])
            for row in self.world.ask("select status, exception from treasury.receipt order by receipt_id")
        ]

    def transfers(self) -> list[tuple[str, str | None]]:
        question = "select status, refused_because from treasury.coin_transfer order by block_number, ordinal"
        return [(row[0], row[1]) for row in self.world.ask(question)]

    def coins(self) -> int:
        return self.world.balance(f"asset:stablecoin:{CHAIN}:{self.token.hex()}")


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    with Node.start(toolchain.ensure(), chain_id=CHAIN) as running:
        yield running


@pytest.fixture
def bench(connect: Connect, database: Database, node: Node) -> Iterator[Bench]:
    """Return an offer with instructed investors, an accepted token and opened addresses."""
    world = Escrow(connect)
    world.build("instructed")
    with EvmChain(node.url) as chain:
        made = Bench(world, database, node, chain)
        made.accept()
        made.watch()
        yield made
        made.rpc.close()


def test_a_transfer_is_received_and_cleared_by_depth_alone(bench: Bench) -> None:
    bench.link(1)
    bench.pay(1, PRICE * CENT)
    assert bench.watch() == 1
    assert (bench.transfers(), bench.receipts()) == ([("seen", None)], [])
    bench.mine(RECEIVED_AFTER - 1)
    assert bench.watch() == 0
    assert bench.receipts() == [("matched", None)]
    assert bench.world.funding(1) == "received"
    assert bench.coins() == bench.world.balance("liab:inv:inv_one1:received") == PRICE
    assert bench.world.balance("asset:escrow_bank") == 0
    (receipt,) = bench.world.ask("select receipt_id, rail, dedupe_key from treasury.receipt")
    assert receipt[1] == "stablecoin"
    assert receipt[2].startswith(f"{CHAIN}:")
    assert receipt[2].endswith(":0")
    with refused("cleared_transfer_is_deep"):
        bench.world.call("treasury.clear", bench.world.offering, [receipt[0]])
    assert bench.world.call("treasury.clear", bench.world.offering, None) == 0
    assert bench.world.call("treasury.clear_due", bench.world.offering, date.today(), 10) == 0  # noqa: DTZ011
    bench.mine(CLEARED_AFTER - RECEIVED_AFTER)
    bench.watch()
    assert bench.transfers() == [("final", None)]
    assert bench.world.call("treasury.clear", bench.world.offering, None) == 1
    assert bench.world.funding(1) == "cleared"
    bench.world.check()


def test_a_reorganisation_before_the_depth_leaves_no_receipt(bench: Bench) -> None:
    bench.link(1)
    snapshot = bench.rpc.call("evm_snapshot")
    bench.pay(1, PRICE * CENT)
    bench.watch()
    bench.rpc.call("evm_revert", snapshot)
    bench.mine(1)
    bench.watch()
    assert (bench.transfers(), bench.receipts()) == ([("gone", None)], [])


def test_a_reorganisation_after_it_returns_the_receipt_and_closes_funding(bench: Bench) -> None:
    bench.link(1)
    snapshot = bench.rpc.call("evm_snapshot")
    paid = bench.pay(1, PRICE * CENT)
    bench.mine(RECEIVED_AFTER - 1)
    bench.watch()
    assert bench.world.gates(1) == (True, False)
    bench.rpc.call("evm_revert", snapshot)
    bench.nonces[bench.wallets[1].address] -= 1
    # The chain is shorter than what was read: a node that lags looks the same, so nothing is concluded.
    assert bench.watch() == 0
    assert bench.receipts() == [("matched", None)]
    bench.mine(RECEIVED_AFTER + 1)
    bench.watch()
    assert bench.receipts() == [("returned", None)]
    assert (bench.world.gates(1), bench.world.funding(1)) == ((False, False), "returned")
    assert bench.coins() == 0
    assert bench.world.ask(
        "select failed_rail, failed_code from treasury.payment_attempt where status = 'returned'"
    ) == [("stablecoin", "reorganised")]
    bench.world.check()
    # The very same transaction finds a place after all: a new receipt, for whose payment a person decides.
    assert bench.pay(1, PRICE * CENT) == paid
    bench.mine(RECEIVED_AFTER)
    bench.watch()
    assert sorted(bench.receipts()) == [("returned", None), ("unmatched", "attempt_is_not_open")]
    assert bench.coins() == PRICE
    bench.world.check()


def test_a_transfer_that_moves_to_another_block_stays_the_same(bench: Bench) -> None:
    bench.link(1)
    snapshot = bench.rpc.call("evm_snapshot")
    paid = bench.pay(1, PRICE * CENT)
    bench.mine(RECEIVED_AFTER - 1)
    bench.watch()
    bench.rpc.call("evm_revert", snapshot)
    bench.nonces[bench.wallets[1].address] -= 1
    bench.mine(1)
    assert bench.pay(1, PRICE * CENT) == paid
    bench.mine(RECEIVED_AFTER)
    bench.watch()
    assert (bench.transfers(), bench.receipts()) == ([("booked", None)], [("matched", None)])
    kinds = "select kind from audit.event where kind like 'coin_transfer.%' order by version"
    assert [row[0] for row in bench.world.ask(kinds)] == [
        "coin_transfer.seen",
        "coin_transfer.booked",
        "coin_transfer.moved",
    ]


def test_a_wallet_of_nobody_is_held_until_it_is_the_investors(bench: Bench) -> None:
    bench.pay(1, PRICE * CENT, wallet=9)
    bench.mine(RECEIVED_AFTER)
    bench.watch()
    assert bench.receipts() == [("held", "source_is_not_approved")]
    assert bench.world.balance("liab:held_source") == PRICE
    assert bench.world.ask(
        "select count(*) from compliance.rescreening where subject_id = %s",
        f"wallet:{bench.wallets[9].address.hex()}",
    ) == [(1,)]
    bench.link(1, wallet=9)
    bench.watch()
    assert bench.receipts() == [("matched", None)]
    bench.world.check()


def test_a_wallet_of_another_investor_is_a_third_party(bench: Bench) -> None:
    bench.link(2)
    bench.pay(1, PRICE * CENT, wallet=2)
    bench.mine(RECEIVED_AFTER)
    bench.watch()
    assert bench.receipts() == [("held", "source_is_not_approved")]


def test_a_listed_wallet_is_held_and_nobody_lets_it_in(bench: Bench) -> None:
    bench.link(1)
    bench.screen(bench.wallets[1].address, "entry-7")
    bench.pay(1, PRICE * CENT)
    bench.mine(CLEARED_AFTER)
    bench.watch()
    assert bench.receipts() == [("held", "source_is_listed")]
    (receipt,) = bench.world.ask("select receipt_id, version from treasury.receipt")
    propose = [bench.world.offering, "prp_1", "accept_source", receipt[0], None, "because", receipt[1]]
    bench.world.call("treasury.propose_act", *propose)
    with refused("accepted_source_is_not_listed"):
        bench.world.call(
            "treasury.decide_act", bench.world.offering, "prp_1", "true", "fine", 1, actor="usr_second"
        )


def test_a_wallet_listed_before_its_money_is_matched_is_no_source_any_more(bench: Bench) -> None:
    bench.link(1)
    bench.pay(1, 100 * CENT * 2)
    bench.mine(RECEIVED_AFTER)
    bench.watch()
    bench.screen(bench.wallets[1].address, "entry-7")
    bench.pay(1, PRICE * CENT)
    bench.mine(RECEIVED_AFTER)
    bench.watch()
    assert sorted(bench.receipts()) == [("held", "source_is_listed"), ("matched", None)]


@pytest.mark.parametrize(
    ("base_units", "because"),
    [
        (99 * CENT, "transfer_is_above_dust"),
        (PRICE * CENT + 1, "transfer_is_in_whole_minor_units"),
        (9_007_199_254_740_992 * CENT, "transfer_fits_a_receipt"),
    ],
)
def test_a_transfer_that_is_no_money_is_refused_by_name(bench: Bench, base_units: int, because: str) -> None:
    bench.link(1)
    bench.pay(1, base_units)
    bench.mine(CLEARED_AFTER)
    bench.watch()
    assert (bench.transfers(), bench.receipts()) == ([("refused", because)], [])
    assert bench.coins() == 0


def test_another_token_and_a_transfer_of_nothing_are_no_money(bench: Bench) -> None:
    bench.link(1)
    bench.pay(1, PRICE * CENT, token=bench.deploy(6))
    bench.pay(1, 0)
    bench.mine(CLEARED_AFTER)
    assert bench.watch() == 1
    assert (bench.transfers(), bench.receipts()) == ([("refused", "coin_is_accepted")], [])


def test_two_transfers_are_two_receipts_and_reading_again_adds_none(bench: Bench) -> None:
    bench.link(2)
    bench.pay(2, PRICE * CENT)
    bench.pay(2, PRICE * CENT)
    bench.mine(RECEIVED_AFTER)
    assert bench.watch() == 2
    assert bench.watch() == 0
    bench.mine(1)
    assert bench.watch() == 0
    assert bench.receipts() == [("matched", None), ("matched", None)]
    assert bench.world.funding(2) == "received"
    bench.world.check()


@pytest.mark.parametrize("change", ["gone", "moved"])
def test_a_transfer_changes_in_its_offers_turn(bench: Bench, change: str) -> None:
    bench.pay(1, PRICE * CENT)
    bench.watch()
    ((height, last),) = bench.world.ask("select height, encode(block_hash, 'hex') from treasury.chain_cursor")
    ((name, paid, ordinal),) = bench.world.ask(
        "select transfer_id, encode(transaction_hash, 'hex'), ordinal from treasury.coin_transfer"
    )
    chain = {"chain_id": CHAIN, "incarnation": bench.chain.genesis().hex(), "hash": last}
    chain |= {"height": height, "read_height": height}
    place = {"hash": paid, "ordinal": ordinal, "number": height, "block": "22" * 32, "receiver": "33" * 20}
    told = ("[]", [name]) if change == "gone" else (Jsonb([place]), [])
    owner, keeper = bench.world.login("owner"), bench.world.login("treasury")
    with owner.transaction():
        owner.execute("select treasury.take_turn(%s)", (bench.world.offering,))
        keeper.execute("set lock_timeout = '200ms'")
        with refused("55P03"):
            bench.world.call("treasury.note_transfers", chain, *told)
    keeper.execute("reset lock_timeout")
    bench.world.call("treasury.note_transfers", chain, *told)
    question = "select status, encode(block_hash, 'hex') = repeat('22', 32) from treasury.coin_transfer"
    assert bench.world.ask(question) == [("gone", False) if change == "gone" else ("seen", True)]


def test_a_reading_that_another_has_overtaken_is_refused(bench: Bench) -> None:
    genesis = bench.chain.genesis().hex()
    chain = {"chain_id": CHAIN, "incarnation": genesis, "height": 10**6, "hash": genesis, "read_height": 0}
    with refused("chain_is_read_on_from_the_cursor"):
        bench.world.call("treasury.note_transfers", chain, "[]", [])


def test_an_address_serves_one_attempt_and_its_key_is_in_the_tree(bench: Bench) -> None:
    found = bench.world.ask("select place, address from treasury.deposit_address order by place")
    assert [(place, bytes(address)) for place, address in found] == [
        (place, bench.keys.key(place).address) for place, _ in found
    ]
    assert len({address for _, address in found}) == len(bench.world.numbers)
    own = [CHAIN, bytes(found[0][1]), bench.keys.tree.name, 77]
    with refused("deposit_address_serves_one_attempt"):
        bench.world.call("treasury.open_deposit_address", bench.world.offering, "pay_one2", *own)
    with refused("attempt_has_one_deposit_address"):
        other = [CHAIN, digest("other")[:20], bench.keys.tree.name, 78]
        bench.world.call("treasury.open_deposit_address", bench.world.offering, "pay_one1", *other)
    with refused("deposit_address_is_for_an_open_attempt"):
        bench.world.call("treasury.open_deposit_address", bench.world.offering, "pay_none", *own)


def test_a_coin_is_accepted_by_a_second_person_in_the_currency_of_the_offer(bench: Bench) -> None:
    terms = {
        "chain_id": CHAIN,
        "token": "11" * 20,
        "valid_from": "2026-01-01",
        "currency": "USD",
        "decimals": 6,
    }
    terms |= {"minor_decimals": 2, "dust_minor": 0, "received_after": 2, "cleared_after": 2}
    propose = ["treasury.propose_coin", bench.world.offering]
    with refused("coin_is_in_the_offers_currency"):
        bench.world.call(*propose, "coi_x", terms | {"currency": "EUR"})
    with refused("coin_has_the_decimals_of_its_currency"):
        bench.world.call(*propose, "coi_x", terms | {"decimals": 1})
    with refused("money_clears_no_earlier_than_it_is_received"):
        bench.world.call(*propose, "coi_x", terms | {"cleared_after": 1})
    bench.world.call(*propose, "coi_x", terms)
    with refused("accepted_coin_needs_two_people"):
        bench.world.call("treasury.decide_coin", bench.world.offering, "coi_x", "true", 1)
    bench.world.call("treasury.decide_coin", bench.world.offering, "coi_x", "true", 1, actor="usr_second")
    bench.world.call(*propose, "coi_y", terms)
    with refused("one_rule_per_coin_and_day"):
        bench.world.call("treasury.decide_coin", bench.world.offering, "coi_y", "true", 1, actor="usr_second")


def test_tokens_never_go_back_through_a_bank(bench: Bench) -> None:
    bench.link(1)
    bench.pay(1, PRICE * CENT)
    bench.mine(RECEIVED_AFTER)
    bench.watch()
    bench.world.call("engine.move_offer", bench.world.offering, "closed_unsuccessfully")
    bench.world.call("treasury.refund_ended", bench.world.offering, None, 10)
    ((refund,),) = bench.world.ask("select refund_id from treasury.refund")
    assert bench.world.call("treasury.take_refunds", bench.world.offering, 10) == []
    with refused("payout_is_on_the_rail_of_its_money"):
        bench.world.call("treasury.store_payout", bench.world.offering, "pyo_1", b"order", [refund])


def test_the_price_of_redeemed_tokens_is_nobodys_funding(bench: Bench) -> None:
    bench.link(1)
    bench.pay(1, PRICE * CENT)
    bench.mine(RECEIVED_AFTER)
    bench.watch()
    world = bench.world
    world.pay("redeemed", world.entry(9, id="rcp_price", key="price", amount=PRICE, reference=None))
    world.pay("other", world.entry(9, id="rcp_more", key="more", amount=PRICE + 1, reference=None))
    for receipt, rule in (("rcp_more", "redeemed_tokens_are_in_escrow"), ("rcp_price", None)):
        ((version,),) = world.ask("select version from treasury.receipt where receipt_id = %s", receipt)
        propose = [
            world.offering,
            f"prp_{receipt}",
            "redeem",
            receipt,
            None,
            "the issuer's own advice",
            version,
        ]
        world.call("treasury.propose_act", *propose)
        decide = [world.offering, f"prp_{receipt}", "true", "", 1]
        if rule is None:
            world.call("treasury.decide_act", *decide, actor="usr_second")
        else:
            with refused(rule):
                world.call("treasury.decide_act", *decide, actor="usr_second")
    assert (bench.coins(), world.balance("asset:escrow_bank")) == (0, 2 * PRICE + 1)
    assert world.gates(1) == (True, False)
    world.check()


def test_an_investor_sees_where_to_send_tokens(bench: Bench) -> None:
    ((ways,),) = bench.world.ask(
        "select deposits from treasury.funding_card where investment_id = 'inv_one1'"
    )
    assert ways == [{"chain_id": CHAIN, "address": bench.address(1).hex(), "token": bench.token.hex()}]


def test_the_worker_drives_it_and_a_new_one_goes_on(bench: Bench, endpoint: Endpoint, tmp_path: Path) -> None:
    """Two workers, one after the other: what the first read is not read by the second as new."""
    keys = open_keys(tmp_path / "keys", CHAIN, embedded=True)

    def tend() -> None:
        watched = Watched(bench.keys.tree, CHAIN)
        worker = Application(
            endpoint, bench.chain, keys, pause=lambda: None, outside=Outside(deposits=watched)
        )
        worker.tend(look_seconds=0)
        worker.close()

    bench.link(1)
    bench.pay(1, PRICE * CENT)
    tend()
    assert bench.transfers() == [("seen", None)]
    bench.mine(CLEARED_AFTER)
    tend()
    assert (bench.transfers(), bench.receipts()) == ([("final", None)], [("cleared", None)])
    tend()
    assert bench.world.funding(1) == "cleared"
    ((height, latest),) = bench.world.ask("select height, max(height) over () from treasury.chain_cursor")
    assert height == latest == bench.chain.block_numbers().latest
    bench.world.check()


def test_a_tree_is_read_from_its_extended_key() -> None:
    # The first vector of BIP-32: the seed 000102…0f and its master public key.
    written = "xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhe"
    written += "PY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8"
    keys = DepositKeys(bytes(range(16)), chain_id=CHAIN)
    assert DepositTree.parse(written) == keys.tree
    for wrong in (written[:-1] + "9", written.replace("x", "0", 1), written * 2, ""):
        with pytest.raises(Refused, match="extended_key_is_valid"):
            DepositTree.parse(wrong)
    with pytest.raises(Refused, match="place_is_in_the_tree"):
        keys.tree.address(2**31)


def test_a_seed_is_made_once(tmp_path: Path) -> None:
    first = DepositKeys.open(tmp_path / "keys", chain_id=CHAIN)
    assert DepositKeys.open(tmp_path / "keys", chain_id=CHAIN).tree == first.tree
