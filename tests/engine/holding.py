"""A raise on the real chain whose first holders may sell: one installation for each module."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import psycopg
import pytest

from bookrunner.adapters.chain import Fees, Transaction, abi
from bookrunner.adapters.chain.keys import LocalKey
from bookrunner.app.settings import Settings
from bookrunner.books import registry
from bookrunner.core import clock
from bookrunner.sandbox.entering import Person
from bookrunner.sandbox.story import Story
from bookrunner.sandbox.world import World, opened
from tests.patience import PATIENT
from tests.stages import Install

INVESTORS = 12
OLDER = "update registry.lot set acquired_on = acquired_on - 400, period_from = period_from - 400"


@pytest.fixture(scope="module")
def holders_state(state_root: Path, install_at: Install, request: pytest.FixtureRequest) -> Path:
    """Return the state directory of the module's own installation, whose raise waits for its close."""
    folder = state_root / request.module.__name__.rsplit(".", 1)[-1]
    install_at(folder, INVESTORS)
    return folder


@pytest.fixture(scope="module")
def world(holders_state: Path) -> Iterator[World]:
    """Carry the first closing of a raise, with lots as old as their period."""
    with opened(Settings(state_dir=holders_state)) as running:
        app = running.application
        story = Story(app, investors=INVESTORS)
        closing = app.close_offer(story.offering, actor="operator.otto", ready=True)
        assert app.run_closing(story.offering, closing) == 8
        with psycopg.connect(running.endpoint.admin_dsn(), autocommit=True) as admin, admin.transaction():
            admin.execute(b"alter table registry.lot disable trigger aa_append_only")
            admin.execute(OLDER.encode())
            admin.execute(b"alter table registry.lot enable always trigger aa_append_only")
        yield running


class Holders:
    """Two registered holders of the raise, with their keys."""

    def __init__(self, world: World) -> None:
        self.world, self.app = world, world.application
        self.story = Story(self.app, investors=INVESTORS)
        self.offering = self.story.offering
        self.giver, self.taker = self.story.people[6], self.story.people[7]

    def wallet(self, person: Person) -> LocalKey:
        return LocalKey(person.wallet_secret, chain_id=self.app.chain.chain_id())

    def token(self) -> bytes:
        return bytes(self.app.desk.offer(self.offering)["token_address"])

    def ask(self, route: str, units: int, **more: str) -> str:
        """Ask with all papers; both sides are screened by the event alone."""
        named = ("transfer_instruction", "purchase_agreement")
        papers = [{"paper": name, "sha256": hashlib.sha256(name.encode()).hexdigest()} for name in named]
        said = {"kind": "sale", "route": route, "units": units, "price_minor": 9_900, "currency": "USD"}
        said |= {"seller": self.giver.investor, "buyer": self.taker.investor} | more
        transfer = registry.request_transfer(
            self.app.desk.transfers, (self.offering, self.giver.investor), said, papers
        )
        self.app.answer()
        assert self.state(transfer) == "screened"
        until = clock.now() + timedelta(days=1)
        self.app.desk.transfers.approve_transfer(
            actor="agent.theo", offering=self.offering, transfer=transfer, until=until
        )
        return transfer

    def state(self, transfer: str) -> str:
        found = self.app.desk.transfers.transfer(offering=self.offering, transfer=transfer)
        return str(found["status"])

    def node(self, method: str, *params: str) -> None:
        """Ask the sandbox node for what only it can do."""
        asked = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        httpx.post(self.world.node_url, json=asked, timeout=PATIENT).raise_for_status()

    def send(self, receiver: bytes, units: int) -> None:
        """Let the giver itself move units on chain, and wait until that is final."""
        key, chain = self.wallet(self.giver), self.app.chain
        self.node("anvil_setBalance", "0x" + key.address.hex(), hex(10**20))
        data = abi.call_data("transfer(address,uint256)", receiver, units)
        nonce = chain.nonce(key.address)
        signed = key.sign(
            Transaction(chain.chain_id(), nonce, self.token(), data, 500_000, Fees(10**11, 10**9))
        )
        chain.send([signed.raw])
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            (receipt,) = chain.receipts([signed.hash])
            if receipt is not None and receipt.block_number <= chain.block_numbers().finalized:
                assert receipt.status == 1
                return
            self.node("evm_mine")
        pytest.fail("the transfer did not become final")

    def units(self) -> list[tuple[int, int]]:
        """Return the units of giver and taker, in the register and on chain."""
        rows = self.app.desk.registry.register_as_of(offering=self.offering, day=clock.today())
        held = {row["investor_id"]: row["units"] for row in rows}
        wallets = [self.wallet(person).address for person in (self.giver, self.taker)]
        on_chain = self.app.chain.balances(self.token(), wallets)
        return list(zip((held[self.giver.investor], held[self.taker.investor]), on_chain, strict=True))
