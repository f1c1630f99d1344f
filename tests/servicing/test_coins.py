"""Lines that are paid in tokens on a real node: each once, to the wallet of the register, whoever dies."""

from __future__ import annotations

import json
import multiprocessing
import signal
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from bookrunner.adapters.chain import Fees
from bookrunner.adapters.chain.evm import EvmChain
from bookrunner.app import open_keys
from bookrunner.core.errors import Refused
from bookrunner.db import Database, Endpoint
from bookrunner.engine.issuance import Submitter
from bookrunner.engine.life.servicing.distributions import Distributions
from bookrunner.engine.life.servicing.distributions.coins import CoinPayments
from bookrunner.sandbox.node import Node
from tests.allocation.test_illegal import every_right
from tests.attack.world import CHAIN, Connect, digest
from tests.servicing.coin_worker import pay_until_killed
from tests.servicing.paying import DAY, POOL, Payer, payer, pool
from tests.treasury import coin
from tests.treasury.escrow import refused
from tests.treasury.test_deposits import CENT, CLEARED_AFTER, Bench, node
from tests.treasury.test_returned_entries import Desktop, moved

__all__ = ["node"]

pytestmark = pytest.mark.chain

NET, WITHHELD = 700_00, 300_00


class Purse:
    """An offer whose three payees are paid in a token of six decimals, and whoever pays them."""

    def __init__(self, bench: Bench, world: Payer, runs: Distributions, keys: Path) -> None:
        self.bench, self.world, self.runs, self.folder = bench, world, runs, keys
        self.keys = open_keys(keys, CHAIN, embedded=True)
        key = self.keys.payers(world.offering)
        assert key is not None
        self.payer = key.address
        bench.node.fund(self.payer, 10**20)
        bench.accept()
        self.payments = self.worker()
        wallet = self.payments.propose_wallet(world.offering, None, actor="usr_first")
        with pytest.raises(Exception, match="needs_two_people"):
            self.payments.decide_wallet(world.offering, wallet, is_agreed=True, seen=1, actor="usr_first")
        self.payments.decide_wallet(world.offering, wallet, is_agreed=True, seen=1, actor="usr_second")
        bench.watch()
        for n in world.numbers:
            bench.screen(world.address(n))
            self.prefer(n)

    def worker(self, chain: EvmChain | None = None) -> CoinPayments:
        """Return a worker that knows nothing but what the database says, on this node or another."""
        asked = chain or self.bench.chain
        submitter = Submitter(self.bench.desk.registry, asked, self.keys, pause=self.bench.node.pulse)
        return CoinPayments(self.bench.desk, asked, self.keys, submitter)

    def prefer(self, n: int, way: str = "stablecoin", source: str | None = None, name: str = "pac_") -> None:
        """Let two people say by which rail a payee is paid."""
        of, account = self.world.id("ivr", n), f"{name}{n}"
        self.world.call("treasury.propose_payee_account", of, account, way, source, "asked in writing")
        if way != "stablecoin":
            self.runs.screen_payee(of, actor="usr_first")
            self.world.screen()
        self.world.call("treasury.decide_payee_account", of, account, "true", 1, actor="usr_second")

    def arrive(self, minor: int) -> str:
        """Let the issuer send tokens to the paying wallet; return the receipt that they make."""
        self.bench.send(self.bench.owner, self.bench.token, coin.transfer(self.payer, minor * CENT))
        self.bench.screen(self.bench.owner.address)
        self.bench.mine(CLEARED_AFTER)
        self.bench.watch()
        self.bench.watch()
        asked = "select receipt_id from treasury.receipt where rail = 'stablecoin' and status = 'unmatched'"
        return str(self.world.ask(asked)[0][0])

    def fund(self, distribution: str, receipt: str) -> None:
        """Take a receipt of tokens as the issuer's money."""
        ((seen,),) = self.world.ask("select version from treasury.receipt where receipt_id = %s", receipt)
        self.world.call("treasury.fund_distribution", self.world.offering, distribution, receipt, seen)

    def ready(self, coins: int = NET) -> str:
        """Draft, screen, approve and fund a distribution, its tax by the bank; return its id."""
        w = self.world
        distribution = self.runs.draft(w.offering, pool(), actor="usr_first")
        w.screen()
        w.approve(distribution)
        self.fund(distribution, self.arrive(coins))
        w.fund(distribution, POOL - coins)
        return distribution

    def start(self, coins: int = NET) -> str:
        """Start the payment of a distribution."""
        distribution = self.ready(coins)
        self.runs.start(self.world.offering, distribution, actor="usr_first")
        return distribution

    def holds(self, address: bytes) -> int:
        """Return the tokens of an address, in cents."""
        asked = {"to": f"0x{self.bench.token.hex()}", "data": f"0x70a08231{address.hex():0>64}"}
        return int(self.bench.rpc.call("eth_call", asked, "latest"), 16) // CENT

    def set_balance(self, address: bytes, minor: int) -> None:
        """Give an address so many tokens, as if by its issuer."""
        slot, value = f"0x{address.hex():0>64}", f"0x{minor * CENT:064x}"
        self.bench.rpc.call("anvil_setStorageAt", f"0x{self.bench.token.hex()}", slot, value)

    def net(self, n: int) -> int:
        """Return what one line pays."""
        asked = "select amount_minor from treasury.disbursement where disbursement_id = %s"
        return int(self.world.ask(asked, self.world.line(n))[0][0])

    def held(self) -> dict[str, str]:
        """Return why lines are held, by investor."""
        asked = "select investor_id, held_because from treasury.disbursement where status = 'held'"
        return dict(self.world.ask(asked))


@pytest.fixture
def purse(connect: Connect, database: Database, node: Node, tmp_path: Path) -> Iterator[Purse]:
    world, runs = payer(connect, database)
    with EvmChain(node.url) as chain:
        bench = Bench(world, database, node, chain)
        yield Purse(bench, world, runs, tmp_path / "keys")
        bench.rpc.close()


def test_each_line_goes_once_to_its_registered_wallet(purse: Purse) -> None:
    w = purse.world
    distribution = purse.start()
    assert purse.bench.coins() == NET
    assert purse.payments.carry(w.offering) == 3
    paid = {n: purse.holds(w.address(n)) for n in w.numbers}
    assert paid == {n: purse.net(n) for n in w.numbers}
    assert set(w.states().values()) == {"paid"}
    assert (purse.bench.coins(), purse.holds(purse.payer)) == (0, 0)
    assert purse.worker().carry(w.offering) == 0
    assert purse.payments.carry_announced(None) is None
    assert {n: purse.holds(w.address(n)) for n in w.numbers} == paid
    assert w.ask("select count(*) from treasury.paid_disbursement where paid_on is not null") == [(3,)]
    assert purse.runs.look(pool().pay_on) == 1
    assert purse.runs.standing(w.offering, distribution)["status"] == "paid"
    w.check()


def test_a_worker_that_dies_at_any_step_pays_each_line_once(purse: Purse, endpoint: Endpoint) -> None:
    w = purse.world
    purse.start()
    where = (endpoint.admin_dsn(), str(endpoint.secrets.folder), str(purse.folder), purse.bench.node.url)
    forks = multiprocessing.get_context("forkserver")
    forks.set_forkserver_preload(["tests.servicing.coin_worker"])
    died = 0
    for steps in count():
        worker = forks.Process(target=pay_until_killed, args=(where, w.offering, steps))
        worker.start()
        worker.join()
        if worker.exitcode == 0:
            break
        assert worker.exitcode == -signal.SIGKILL
        died += 1
        w.check()
        assert all(purse.holds(w.address(n)) in {0, purse.net(n)} for n in w.numbers)
    assert died > 5, "what each worker left done makes the next one shorter, but not that short"
    assert {n: purse.holds(w.address(n)) for n in w.numbers} == {n: purse.net(n) for n in w.numbers}
    assert set(w.states().values()) == {"paid"}
    asked = "select count(*) from registry.chain_transaction where purpose = 'pay' and status = 'final'"
    assert w.ask(asked) == [(3,)]
    w.check()


def _move_wallet(purse: Purse, n: int, name: str) -> tuple[bytes, list[object]]:
    """Let a holder claim another wallet; return it with what its next steps name."""
    w = purse.world
    address = digest(name)[:20]
    mapping: list[object] = [w.offering, f"wmp_{name}"]
    w.call("registry.open_mapping", *mapping, w.id("ivr", n), CHAIN, address, f"wlc_{name}@1", "key")
    return address, mapping


def test_a_wallet_change_in_progress_holds_that_line(purse: Purse) -> None:
    w = purse.world
    distribution = purse.start()
    address, mapping = _move_wallet(purse, 1, "other")
    assert purse.payments.carry(w.offering) == 2
    assert purse.held() == {w.id("ivr", 1): "wallet_change_in_progress"}
    assert w.balance(f"liab:distribution:{distribution}") == purse.net(1)
    purse.bench.screen(address)
    w.call("registry.mark_screened", *mapping, "scr@1")
    w.call("registry.approve_wallet", *mapping)
    w.call("registry.link_wallet", *mapping, actor="usr_agent")
    w.call("treasury.retry_disbursements", w.offering, distribution, None)
    assert purse.payments.carry(w.offering) == 0
    assert purse.held() == {w.id("ivr", 1): "wallet_changed_since_the_record_date"}
    assert (purse.holds(w.address(1)), purse.holds(address)) == (0, 0)
    purse.prefer(1, name="pac_again")
    w.call("treasury.retry_disbursements", w.offering, distribution, [w.line(1)])
    assert purse.payments.carry(w.offering) == 1
    assert (purse.holds(w.address(1)), purse.holds(address)) == (0, purse.net(1))
    w.check()


def test_an_order_that_is_not_signed_follows_its_payee(purse: Purse) -> None:
    w = purse.world
    distribution = purse.start()
    names = ["pyo_a", "pyo_b", "pyo_c"]
    assert w.call("treasury.store_coin_payments", w.offering, distribution, names) == 3
    _move_wallet(purse, 2, "third")
    assert purse.payments.carry(w.offering) == 2
    assert w.states()[w.id("ivr", 2)] == "owed"
    assert w.ask("select count(*) from treasury.payout where status = 'withdrawn'") == [(1,)]
    assert purse.payments.carry(w.offering) == 0
    assert purse.held() == {w.id("ivr", 2): "wallet_change_in_progress"}
    w.check()


def test_tokens_pay_no_line_of_the_bank_and_no_tax(purse: Purse) -> None:
    w = purse.world
    purse.prefer(3, "bank", w.id("src", 3), "pac_bank")
    distribution = purse.runs.draft(w.offering, pool(), actor="usr_first")
    w.screen()
    w.approve(distribution)
    tokens = purse.arrive(NET + 1)
    with refused("tokens_pay_lines_alone"):
        purse.fund(distribution, tokens)
    purse.fund(distribution, purse_receipt(purse, NET))
    w.fund(distribution, WITHHELD)
    purse.runs.start(w.offering, distribution, actor="usr_first")
    assert w.send(distribution) == []
    assert purse.held() == {w.id("ivr", 3): "money_is_on_another_rail"}
    with refused("payout_has_money_on_its_rail"):
        w.call("treasury.retry_disbursements", w.offering, distribution, None)
        w.call("treasury.store_disbursements", w.offering, "pyo_x", b"bytes", [w.line(3)])
    assert purse.payments.carry(w.offering) == 2
    purse.prefer(3, name="pac_token")
    assert purse.payments.carry(w.offering) == 1
    w.check()


def purse_receipt(purse: Purse, minor: int) -> str:
    """Let tokens arrive beside those that wait; return the receipt of this amount."""
    purse.arrive(minor)
    asked = "select receipt_id from treasury.receipt where status = 'unmatched' and amount_minor = %s"
    return str(purse.world.ask(asked, minor)[0][0])


def test_a_payment_that_the_token_refuses_holds_its_line_alone(purse: Purse) -> None:
    w = purse.world
    distribution = purse.start()
    purse.set_balance(purse.payer, purse.net(1))
    assert purse.payments.carry(w.offering) == 1
    assert purse.held() == {w.id("ivr", n): "chain_refuses_the_payment" for n in (2, 3)}
    w.check()
    purse.set_balance(purse.payer, NET - purse.net(1))
    w.call("treasury.retry_disbursements", w.offering, distribution, [w.line(2)])
    assert purse.payments.carry(w.offering) == 1
    w.call("treasury.retry_disbursements", w.offering, distribution, None)
    assert purse.payments.carry(w.offering) == 1
    assert {n: purse.holds(w.address(n)) for n in w.numbers} == {n: purse.net(n) for n in w.numbers}
    w.check()


def test_a_payment_that_reverted_opens_its_line(purse: Purse) -> None:
    w = purse.world
    distribution = purse.start()
    assert w.call("treasury.store_coin_payments", w.offering, distribution, ["pyo_a", "pyo_b", "pyo_c"]) == 3
    for each in ("pyo_a", "pyo_b", "pyo_c"):
        content = bytes(w.call("treasury.take_payout", w.offering, each))
        key = purse.keys.payers(w.offering)
        assert key is not None
        purse.payments._signer(w.offering)
        quote = purse.payments.quote(w.offering, each, key)
        signed = purse.payments.sign((w.offering, each), json.loads(content), key, quote)
        w.call("treasury.mark_handed_over", w.offering, each, signed)
    with refused("returned_tokens_never_left"):
        w.call("treasury.return_coin_payment", w.offering, "pyo_a")
    purse.set_balance(purse.payer, 0)
    assert purse.payments.carry(w.offering) == 0
    assert set(w.states().values()) == {"returned"}
    assert w.ask("select distinct bounce_code from treasury.disbursement") == [("reverted",)]
    assert purse.bench.coins() == NET
    w.check()
    purse.set_balance(purse.payer, NET)
    w.call("treasury.retry_disbursements", w.offering, distribution, None)
    assert purse.payments.carry(w.offering) == 3
    assert set(w.states().values()) == {"paid"}
    assert w.ask("select distinct try_no from treasury.disbursement") == [(2,)]
    w.check()


def test_nobody_settles_a_line_by_hand(purse: Purse) -> None:
    w = purse.world
    distribution = purse.start()
    assert w.call("treasury.store_coin_payments", w.offering, distribution, ["pyo_a", "pyo_b", "pyo_c"]) == 3
    line, units = w.ask("select receiver, base_units from treasury.coin_payment where payout_id = 'pyo_a'")[0]
    said = {
        "hash": "11" * 32,
        "ordinal": 0,
        "number": 1,
        "block": "22" * 32,
        "token": purse.bench.token.hex(),
        "sender": purse.payer.hex(),
        "receiver": bytes(line).hex(),
        "units": str(units),
    }
    with refused("line_is_settled_by_its_own_transfer"):
        w.call("treasury.settle_coin_payment", w.offering, "pyo_a", said)
    with refused("returned_tokens_never_left"):
        w.call("treasury.return_coin_payment", w.offering, "pyo_a")
    asked = "select disbursement_id from treasury.disbursement where payout_id = 'pyo_a'"
    ((first,),) = w.ask(asked)
    with refused("returned_disbursement_was_sent"):
        w.call("treasury.return_disbursement", w.offering, first, "AC04", None)
    with refused("payout_carries_each_line_once"):
        w.call("treasury.store_disbursements", w.offering, "pyo_x", b"again", [first])
    for table in ("coin_payment", "coin_settlement"):
        with every_right(w, "treasury") as login, refused("history_is_append_only"):
            login.execute(f"truncate treasury.{table} cascade".encode())
    with every_right(w, "treasury") as login, refused("paying_wallet_stays_as_proposed"):
        login.execute(b"update treasury.paying_wallet set address = decode(repeat('99', 20), 'hex')")
    with refused("payee_account_names_an_account"):
        w.call(
            "treasury.propose_payee_account", w.id("ivr", 1), "pac_x", "stablecoin", w.id("src", 1), "both"
        )


def test_a_transfer_settles_one_line(purse: Purse) -> None:
    w = purse.world
    distribution = purse.start()
    assert w.call("treasury.store_coin_payments", w.offering, distribution, ["pyo_a", "pyo_b", "pyo_c"]) == 3
    _move_wallet(purse, 2, "fourth")
    assert purse.payments.carry(w.offering) == 2
    ((payout, units),) = w.ask(
        "select payout_id, base_units::text from treasury.coin_settlement"
        " join treasury.coin_payment using (offering_id, payout_id) order by 1 limit 1"
    )
    assert w.call("treasury.settle_coin_payment", w.offering, payout, {"units": units}) is False
    with every_right(w, "treasury") as login, refused("transfer_settles_one_line"):
        login.execute(
            b"insert into treasury.coin_settlement select s.offering_id, (select p.payout_id from"
            b" treasury.payout p where p.status = 'withdrawn'), chain_id, transaction_hash, ordinal,"
            b" block_number, block_hash from treasury.coin_settlement s limit 1"
        )


NAMES = ["pyo_a", "pyo_b", "pyo_c"]


def stored(purse: Purse) -> str:
    """Start a payment and store an order for each line; return the distribution."""
    distribution = purse.start()
    assert purse.world.call("treasury.store_coin_payments", purse.world.offering, distribution, NAMES) == 3
    return distribution


def sign(purse: Purse, payout: str, **changed: object) -> str:
    """Sign an order as a worker that dies before it notes so."""
    asked = "select content from treasury.payout where payout_id = %s"
    ((content,),) = purse.world.ask(asked, payout)
    key = purse.payments._signer(purse.world.offering)
    said = json.loads(bytes(content)) | changed
    quote = purse.payments.quote(purse.world.offering, payout, key)
    return purse.payments.sign((purse.world.offering, payout), said, key, quote)


def test_a_signed_order_is_not_withdrawn(purse: Purse) -> None:
    w = purse.world
    stored(purse)
    sign(purse, "pyo_a")
    with refused("withdrawn_order_is_not_signed"):
        w.call("treasury.withdraw_payout", w.offering, "pyo_a")
    with every_right(w, "treasury") as login, refused("withdrawn_order_is_not_signed"):
        login.execute(b"update treasury.payout set status = 'withdrawn' where payout_id = 'pyo_a'")
    w.call("treasury.withdraw_payout", w.offering, "pyo_b")
    with pytest.raises(Refused, match="signed_order_is_not_withdrawn"):
        sign(purse, "pyo_b")
    with pytest.raises(Refused, match="order_is_signed_on_its_chain"):
        sign(purse, "pyo_c", chain=CHAIN + 1)
    assert purse.payments.carry(w.offering) == 3
    assert {n: purse.holds(w.address(n)) for n in w.numbers} == {n: purse.net(n) for n in w.numbers}
    assert w.ask("select count(*) from registry.chain_transaction where purpose = 'pay'") == [(3,)]
    w.check()


def test_who_signs_and_who_withdraws_wait_for_each_other(purse: Purse) -> None:
    w = purse.world
    stored(purse)
    admin, treasury = w.login("admin"), w.login("treasury")
    treasury.execute(b"set lock_timeout = '300ms'")
    with admin.transaction():
        admin.execute(b"select treasury.hold_order('pyo_a')")
        with refused("55P03"):
            w.call("treasury.withdraw_payout", w.offering, "pyo_a")
        w.call("treasury.withdraw_payout", w.offering, "pyo_b")
    # Whoever signs has the row of the order in another session, and does not wait for itself.
    with treasury.transaction():
        assert w.call("treasury.take_payout", w.offering, "pyo_a") is not None
        w.call("treasury.mark_handed_over", w.offering, "pyo_a", sign(purse, "pyo_a"))
    assert purse.payments.carry(w.offering) == 2
    assert set(w.states().values()) == {"paid"}
    w.check()


def test_every_verb_of_the_treasury_leaves_a_coin_line_to_its_transfer(
    purse: Purse, database: Database
) -> None:
    w = purse.world
    distribution = stored(purse)
    asked = "select disbursement_id, amount_minor from treasury.disbursement where payout_id = 'pyo_a'"
    ((line, minor),) = w.ask(asked)
    before = w.ask("select * from treasury.disbursement order by 1, 2")

    def refuse_all() -> None:
        with refused("returned_disbursement_was_sent"):
            w.call("treasury.return_disbursement", w.offering, line, "AC04", DAY)
        with refused("retried_line_failed"):
            w.call("treasury.retry_disbursements", w.offering, distribution, [line])
        with refused("payout_carries_each_line_once"):
            w.call("treasury.store_disbursements", w.offering, "pyo_x", b"again", [line])
        with refused("returned_tokens_never_left"):
            w.call("treasury.return_coin_payment", w.offering, "pyo_a")
        w.call("treasury.hold_disbursements", w.offering, [line], "chain_refuses_the_payment")
        w.call("treasury.book_ach_entry", w.offering, line, 1, "true", DAY)
        assert w.ask("select * from treasury.disbursement order by 1, 2") == before
        assert w.ask("select count(*) from treasury.booking where booking_id like %s", f"{line}%") == [(0,)]

    for rule in ("order_in_tokens_is_handed_over_signed", "line_is_settled_by_its_own_transfer"):
        with refused(rule):
            w.call("treasury.settle_disbursements", w.offering, [line], DAY)
        refuse_all()
        if rule.startswith("order"):
            with refused(rule):
                w.call("treasury.mark_handed_over", w.offering, "pyo_a", "by hand")
            sign(purse, "pyo_a")
    back = moved(minor, line, credit=True, return_reason="AC04")
    Desktop(w, database).take(moved(minor, line), back)
    assert w.ask("select * from treasury.disbursement order by 1, 2") == before
    with every_right(w, "treasury") as login, refused("line_is_settled_by_its_own_transfer"):
        login.execute(b"update treasury.disbursement set status = 'paid'")
    with every_right(w, "treasury") as login, refused("line_is_settled_by_its_own_transfer"):
        login.execute(b"update treasury.disbursement set status = 'returned', bounce_code = 'X'")
    assert purse.payments.carry(w.offering) == 3


def _another_wallet(purse: Purse, name: str = "pwl_new") -> list[object]:
    w = purse.world
    ((coin_id,),) = w.ask("select coin_id from treasury.accepted_coin")
    w.call("treasury.propose_paying_wallet", w.offering, name, coin_id, digest(name)[:20])
    return ["treasury.decide_paying_wallet", w.offering, name, "true", 1]


def test_a_paying_wallet_that_funds_lines_is_not_replaced(purse: Purse) -> None:
    w = purse.world
    distribution = purse.ready()
    replace = _another_wallet(purse)
    with refused("replaced_paying_wallet_funds_nothing"):
        w.call(*replace, actor="usr_second")  # type: ignore[arg-type]
    purse.runs.start(w.offering, distribution, actor="usr_first")
    assert w.call("treasury.store_coin_payments", w.offering, distribution, NAMES) == 3
    with refused("replaced_paying_wallet_funds_nothing"):
        w.call(*replace, actor="usr_second")  # type: ignore[arg-type]
    with every_right(w, "treasury") as login, refused("replaced_paying_wallet_funds_nothing"):
        login.execute(b"update treasury.paying_wallet set status = 'superseded' where status = 'in_force'")
    assert purse.payments.carry(w.offering) == 3
    w.call(*replace, actor="usr_second")  # type: ignore[arg-type]
    w.check()


def test_orders_of_a_former_wallet_are_withdrawn(purse: Purse) -> None:
    w = purse.world
    stored(purse)
    replace = _another_wallet(purse)
    admin = w.login("admin")
    admin.execute(b"alter table treasury.paying_wallet disable trigger paying_wallet_is_free")
    w.call(*replace, actor="usr_second")  # type: ignore[arg-type]
    admin.execute(b"alter table treasury.paying_wallet enable always trigger paying_wallet_is_free")
    assert purse.payments.carry(w.offering) == 0
    assert set(w.states().values()) == {"owed"}
    assert w.ask("select count(*) from treasury.payout where status = 'withdrawn'") == [(3,)]
    w.check()


def test_a_final_payment_that_moved_nothing_is_a_finding(purse: Purse) -> None:
    w = purse.world
    distribution = stored(purse)
    # A token that says yes and moves nothing: the order is signed for a transfer of no unit.
    for payout in NAMES:
        sign(purse, payout, units="0")
    assert purse.payments.carry(w.offering) == 0
    lines = purse.runs.terms.distribution_lines(
        offering=w.offering, distribution=distribution, status=None, after="", most=10
    )
    assert {(row["status"], row["finding"]) for row in lines} == {("paying", "final_payment_is_not_settled")}


class Asking(EvmChain):
    """A node that is asked for fees while another worker takes the turn of the offer, without waiting."""

    def __init__(self, purse: Purse) -> None:
        super().__init__(purse.bench.node.url)
        self.world, self.asked = purse.world, 0

    def fees(self) -> Fees:
        self.world.login("treasury").execute(b"set lock_timeout = '100ms'")
        self.world.call("treasury.settle_disbursements", self.world.offering, [], DAY)
        self.asked += 1
        return super().fees()


def test_a_node_is_asked_while_the_ledger_is_free(purse: Purse) -> None:
    stored(purse)
    with Asking(purse) as chain:
        desk, node = purse.bench.desk, purse.bench.node
        submitter = Submitter(desk.registry, chain, purse.keys, pause=node.pulse)
        assert CoinPayments(desk, chain, purse.keys, submitter).carry(purse.world.offering) == 3
        assert chain.asked == 3
