"""Units against a coin on the real chain: both legs in one transaction, or none."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import psycopg
import pytest

from bookrunner.adapters.chain import Fees, Receipt, Transaction, abi
from bookrunner.adapters.chain.keys import LocalKey
from bookrunner.books import registry
from bookrunner.core import clock
from bookrunner.core.errors import Refused
from bookrunner.sandbox.world import World
from tests.attack.rights import EVERY_RIGHT
from tests.attack.test_illegal_statements import NAMED
from tests.engine.holding import Holders, holders_state, world

__all__ = ["holders_state", "world"]

pytestmark = pytest.mark.chain

_SUITE = "@tokenysolutions/t-rex/artifacts"
_MANAGER = f"{_SUITE}/contracts/DVD/DVDTransferManager.sol/DVDTransferManager.json"
# OpenZeppelin's ERC-20 as the suite ships it; no mint is public, so the sandbox node writes the balance.
_COIN = f"{_SUITE}/@openzeppelin/contracts/token/ERC20/ERC20.sol/ERC20.json"
_DECIMALS, _CENTS = 18, 2
_APPROVE = "approve(address,uint256)"
_INITIATE = "initiateDVDTransfer(address,uint256,address,address,uint256)"
_TAKE = "takeDVDTransfer(bytes32)"
_PAYING = 9_900 * 10 ** (_DECIMALS - _CENTS)
# Observes under the registry's login, says so, and is killed before it commits.
_OBSERVER = """
import sys, psycopg
connection = psycopg.connect(sys.argv[1])
said = connection.execute(sys.argv[2].encode(), sys.argv[3:]).fetchone()
print(said[0], flush=True)
sys.stdin.read()
"""


class Settling(Holders):
    """Two holders, a coin that the offer takes, and the contract through which they swap."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.chain = self.app.chain
        for person in (self.giver, self.taker):
            self.node("anvil_setBalance", "0x" + self.wallet(person).address.hex(), hex(10**20))
        self.maker, self.payer = self.wallet(self.giver), self.wallet(self.taker)
        self.manager = self.created(_MANAGER, b"")
        self.coin = self.created(_COIN, abi.encode(("string", "string"), ("Coin", "USDX")))
        self._mint(self.payer.address, 100 * _PAYING)
        self._accept()

    def created(self, name: str, arguments: bytes) -> bytes:
        code = json.loads((self.world.tools.artifacts / name).read_bytes())["bytecode"][2:]
        nonce = self.chain.nonce(self.maker.address)
        assert self.act(self.maker, None, bytes.fromhex(code) + arguments, 5_000_000).status == 1
        return abi.created_address(self.maker.address, nonce)

    def _mint(self, address: bytes, amount: int) -> None:
        slot = abi.keccak(abi.padded(address) + bytes(32))
        for place, value in ((slot, amount), ((2).to_bytes(32), amount)):
            self.node("anvil_setStorageAt", *("0x" + b.hex() for b in (self.coin, place, value.to_bytes(32))))

    def _accept(self) -> None:
        terms = {"chain_id": self.chain.chain_id(), "token": self.coin.hex(), "currency": "USD"}
        terms |= {"valid_from": "2026-01-01", "decimals": _DECIMALS, "minor_decimals": _CENTS}
        terms |= {"dust_minor": 0, "received_after": 1, "cleared_after": 1}
        where = {"offering": self.offering, "coin": f"coi_{self.coin.hex()[:12]}"}
        treasury = self.app.desk.treasury
        treasury.propose_coin(actor="treasurer.tina", **where, terms=terms)
        treasury.decide_coin(actor="treasurer.tom", **where, is_accepted=True, seen=1)

    def act(self, key: LocalKey, to: bytes | None, data: bytes, gas: int = 2_000_000) -> Receipt:
        """Send a call of a holder's own key and wait until it is final, whatever it did."""
        chain = self.chain
        call = Transaction(chain.chain_id(), chain.nonce(key.address), to, data, gas, Fees(10**11, 10**9))
        signed = key.sign(call)
        chain.send([signed.raw])
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            (receipt,) = chain.receipts([signed.hash])
            if receipt is not None and receipt.block_number <= chain.block_numbers().finalized:
                return receipt
            self.node("evm_mine")
        pytest.fail("the call did not become final")

    def sold(self, units: int) -> str:
        """Ask for a sale against the coin, screened and approved."""
        return self.ask("holder", units, coin=self.coin.hex())

    def offered(self, units: int, amount: int = _PAYING) -> bytes:
        """Let the seller offer both legs to the contract; return the name of the swap."""
        token = self.token()
        assert self.act(self.maker, token, abi.call_data(_APPROVE, self.manager, units)).status == 1
        told = (token, units, self.payer.address, self.coin, amount)
        receipt = self.act(self.maker, self.manager, abi.call_data(_INITIATE, *told))
        assert receipt.status == 1
        return next(log.topics[1] for log in receipt.logs if log.address == self.manager)

    def taken(self, swap: bytes, amount: int = _PAYING) -> Receipt:
        """Let the buyer take it, with the right to so much of its coin."""
        self.act(self.payer, self.coin, abi.call_data(_APPROVE, self.manager, amount))
        return self.act(self.payer, self.manager, abi.call_data(_TAKE, swap))

    def coins(self) -> tuple[int, int]:
        """Return the coins of seller and buyer."""
        one, two = self.chain.balances(self.coin, [self.maker.address, self.payer.address])
        return one, two

    def settlement(self, transfer: str) -> dict[str, object]:
        rows = self.app.desk.market.settlements(offering=self.offering, most=99)
        return next(dict(row) for row in rows if row["request_id"] == transfer)

    def watched(self) -> None:
        self.app.watch_token(self.offering)


@pytest.fixture
def pair(world: World) -> Settling:
    return Settling(world)


def test_units_and_money_move_in_one_transaction(pair: Settling) -> None:
    (gave, _), (took, _) = pair.units()
    seller, buyer = pair.coins()
    transfer = pair.sold(1)
    swap = pair.offered(1)
    pair.watched()
    # Between the legs there is nothing: the offer of a swap moves neither.
    assert (pair.units()[0], pair.coins()) == ((gave, gave), (seller, buyer))
    receipt = pair.taken(swap)
    assert receipt.status == 1
    assert pair.coins() == (seller + _PAYING, buyer - _PAYING)
    pair.watched()
    assert pair.state(transfer) == "registered"
    assert pair.units() == [(gave - 1,) * 2, (took + 1,) * 2]
    found = pair.settlement(transfer)
    assert (found["status"], found["paid_hash"]) == ("settled", receipt.hash.hex())
    pair.watched()
    assert pair.units() == [(gave - 1,) * 2, (took + 1,) * 2]


def test_the_calls_that_are_prepared_carry_a_sale_to_the_register(pair: Settling) -> None:
    (gave, _), (took, _) = pair.units()
    seller, buyer = pair.coins()
    transfer = pair.sold(1)
    swap = registry.swap_over(registry.legs_of(pair.app.desk.market, (pair.offering, transfer)), pair.manager)
    (number,) = pair.chain.read([abi.Read(pair.manager, abi.selector("txNonce()"), abi.read_int)])
    for call in swap.offered():
        assert pair.act(pair.maker, call.to, call.data).status == 1
    for call in swap.taken(number):
        assert pair.act(pair.payer, call.to, call.data).status == 1
    pair.watched()
    assert pair.state(transfer) == "registered"
    assert pair.units() == [(gave - 1,) * 2, (took + 1,) * 2]
    assert pair.coins() == (seller + _PAYING, buyer - _PAYING)


@pytest.mark.parametrize("missing", ["the coin", "the units"])
def test_a_leg_that_fails_takes_the_other_back(pair: Settling, missing: str) -> None:
    before = (pair.units(), pair.coins())
    transfer = pair.sold(1)
    swap = pair.offered(1)
    if missing == "the units":
        pair.act(pair.maker, pair.token(), abi.call_data(_APPROVE, pair.manager, 0))
    receipt = pair.taken(swap, _PAYING - (missing == "the coin"))
    assert receipt.status == 0
    pair.watched()
    assert (pair.units(), pair.coins()) == before
    assert (pair.state(transfer), pair.settlement(transfer)["status"]) == ("approved", "agreed")
    with pytest.raises(Refused, match="approved_settlement_ends_by_its_time"):
        pair.app.desk.transfers.end_transfer(
            actor="agent.theo", offering=pair.offering, transfer=transfer, status="withdrawn", reasons=[]
        )
    # No later test takes this sale for its own: the buyer pays it alone, and gets its coin back.
    _pay_and_return(pair)
    assert pair.settlement(transfer)["status"] == "returned"


def test_units_that_go_alone_are_posted_to_nobody_and_go_back(pair: Settling) -> None:
    (gave, _), (took, _) = pair.units()
    transfer = pair.sold(1)
    pair.send(pair.payer.address, 1)
    pair.watched()
    found = pair.settlement(transfer)
    assert (found["status"], found["paid_hash"], pair.state(transfer)) == ("parted", None, "rejected")
    assert [held for held, _ in pair.units()] == [gave, took]
    on = {"offering": pair.offering, "observed": found["observed_id"]}
    told = {"paper_sha256": b"\1" * 32, "because": "the payment never came"}
    desk = pair.app.desk.transfers
    with pytest.raises(Refused, match="parted_units_go_back"):
        desk.explain_observed(actor="agent.theo", **on, ending="post", **told)
    desk.explain_observed(actor="agent.theo", **on, ending="reversed", **told)
    desk.resolve_observed(actor="agent.tess", **on, is_agreed=True)
    assert pair.settlement(transfer)["status"] == "returned"
    back = abi.call_data("transfer(address,uint256)", pair.maker.address, 1)
    assert pair.act(pair.payer, pair.token(), back).status == 1
    assert pair.units() == [(gave,) * 2, (took,) * 2]


def test_money_that_goes_alone_is_named_with_its_return(pair: Settling) -> None:
    transfer = pair.sold(1)
    there, again = _pay_and_return(pair)
    found = pair.settlement(transfer)
    assert (found["status"], found["observed_id"]) == ("returned", None)
    assert (found["paid_hash"], found["returned_hash"]) == (there, again)


def test_units_and_coin_in_two_transactions_are_posted_by_two_people(pair: Settling) -> None:
    (gave, _), (took, _) = pair.units()
    transfer = pair.sold(1)
    pair.send(pair.payer.address, 1)
    pair.watched()
    pay = abi.call_data("transfer(address,uint256)", pair.maker.address, _PAYING)
    there = pair.act(pair.payer, pair.coin, pay)
    pair.watched()
    found = pair.settlement(transfer)
    assert (found["status"], found["paid_hash"]) == ("parted", there.hash.hex())
    _end(pair, transfer, "post")
    assert pair.settlement(transfer)["status"] == "settled"
    assert pair.units() == [(gave - 1,) * 2, (took + 1,) * 2]


def test_another_price_in_the_same_transaction_pays_nothing(pair: Settling) -> None:
    transfer = pair.sold(1)
    assert pair.taken(pair.offered(1, _PAYING - 1)).status == 1
    pair.watched()
    found = pair.settlement(transfer)
    assert (pair.state(transfer), found["status"]) == ("rejected", "parted")
    assert found["paid_hash"] == found["observed_hash"] is not None
    _end(pair, transfer, "post")
    assert pair.settlement(transfer)["status"] == "settled"


def _pay_and_return(pair: Settling) -> tuple[str, str]:
    """Let the coin of a sale go alone and come back, each seen by the register."""
    hashes = []
    for giver, taker in ((pair.payer, pair.maker), (pair.maker, pair.payer)):
        call = abi.call_data("transfer(address,uint256)", taker.address, _PAYING)
        hashes.append(pair.act(giver, pair.coin, call).hash.hex())
        pair.watched()
    return hashes[0], hashes[1]


def _end(pair: Settling, transfer: str, ending: str) -> None:
    """Let two people end the units of a parted sale."""
    on = {"offering": pair.offering, "observed": pair.settlement(transfer)["observed_id"]}
    told = {"ending": ending, "paper_sha256": b"\1" * 32, "because": "both sides wrote so"}
    pair.app.desk.transfers.explain_observed(actor="agent.theo", **on, **told)
    pair.app.desk.transfers.resolve_observed(actor="agent.tess", **on, is_agreed=True)


def test_a_kill_between_the_records_of_both_legs_leaves_both_or_none(pair: Settling) -> None:
    """The reader of the chain dies with both facts written and nothing committed."""
    transfer = pair.sold(1)
    before = pair.units()
    receipt = pair.taken(pair.offered(1))
    (unit,) = [
        log
        for log in pair.chain.transfer_logs(pair.token(), receipt.block_number, receipt.block_number)
        if log.transaction_hash == receipt.hash
    ]
    (paid,) = pair.chain.transfer_logs(pair.coin, receipt.block_number, receipt.block_number)
    log = {"id": "obs_killed", "chain_id": pair.chain.chain_id(), "hash": receipt.hash.hex()}
    log |= {"ordinal": unit.ordinal, "block": receipt.block_number, "mined_at": clock.now().isoformat()}
    log |= {"from": unit.sender.hex(), "to": unit.receiver.hex(), "units": 1}
    leg = {"coin": pair.coin.hex(), "from": paid.sender.hex(), "to": paid.receiver.hex()}
    log["paid"] = [leg | {"amount": str(paid.amount), "ordinal": paid.ordinal}]
    call = "select registry.observe_transfer('p', 'r', %s, %s, 'itm_killed', %s)"
    said = [pair.offering, json.dumps(log), json.dumps(registry.item_clock(None))]
    dsn = pair.world.endpoint.dsn("registry")
    with subprocess.Popen(
        [sys.executable, "-c", _OBSERVER, dsn, call, *said], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as observer:
        assert observer.stdout is not None
        assert observer.stdout.readline() == b"matched\n"
        observer.send_signal(signal.SIGKILL)
    assert (pair.state(transfer), pair.settlement(transfer)["status"]) == ("approved", "agreed")
    assert [held for held, _ in pair.units()] == [held for held, _ in before]
    pair.watched()
    assert (pair.state(transfer), pair.settlement(transfer)["status"]) == ("registered", "settled")
    with psycopg.connect(pair.world.endpoint.admin_dsn()) as admin:
        kinds = admin.execute(
            "select kind from audit.event where kind like 'settlement.%%' and subject = %s order by version",
            [f"stl_{transfer[4:]}"],
        ).fetchall()
    assert [kind for (kind,) in kinds] == ["settlement.agreed", "settlement.settled"]


def test_no_statement_registers_units_without_their_money(pair: Settling) -> None:
    transfer = pair.sold(1)
    with (
        psycopg.connect(pair.world.endpoint.dsn("registry")) as keeper,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        keeper.execute("update registry.settlement set status = 'settled'")
    with psycopg.connect(pair.world.endpoint.admin_dsn()) as admin:
        admin.execute(EVERY_RIGHT.format("registry").encode())
        admin.execute(NAMED.encode())
        with pytest.raises(psycopg.Error) as refused:
            admin.execute(
                "update registry.transfer_request set status = 'registered', movement_id ="
                " (select min(movement_id) from registry.movement) where request_id = %s",
                [transfer],
            )
        assert refused.value.diag.constraint_name == "units_move_with_their_money"
        admin.rollback()


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"route": "agent"}, "holders_settle_their_own_sale"),
        ({"coin": "11" * 20}, "settlement_is_in_an_accepted_coin"),
    ],
)
def test_a_coin_pays_for_a_sale_of_holders_alone(pair: Settling, changed: dict[str, str], rule: str) -> None:
    asked = {"route": "holder", "coin": pair.coin.hex()} | changed
    with pytest.raises(Refused, match=rule):
        pair.ask(asked["route"], 1, coin=asked["coin"])
