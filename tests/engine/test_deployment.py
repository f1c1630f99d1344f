"""A deployment that is killed again and again is made once; a second offer has the same factory."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import psycopg
import pytest

from bookrunner.adapters.chain import Transaction, identity_registry, is_registered, paused, total_supply
from bookrunner.adapters.chain.evm import EvmChain
from bookrunner.app import Application, open_keys
from bookrunner.core.errors import Refused
from bookrunner.db import Endpoint
from bookrunner.sandbox import toolchain
from bookrunner.sandbox.node import Node
from tests.engine.battered import battered
from tests.engine.submitting import Run, Work

pytestmark = pytest.mark.chain

CHAIN = 31337
SEED = int(os.environ.get("BOOKRUNNER_TEST_SEED", "1"))
UNITS = 5_000
SIGNED = b"select purpose, count(*) from registry.chain_transaction group by 1 order by 1"


def accept(app: Application, offering: str) -> str:
    """Open an offer and have counsel accept it."""
    terms = {
        "issuer_id": "iss_deployed",
        "name": "Harbor Street Credit Fund II",
        "exemption": "506(c)",
        "currency": "USD",
        "unit_price_minor": 10_000,
        "units_total": UNITS,
        "minimum_units": 1,
        "agreement_form": "canonical",
    }
    app.desk.engine.open_offer(actor="issuer.iris", offering=offering, terms=terms)
    for status in ("legal_review", "legal_accepted"):
        app.desk.engine.move_offer(actor="counsel.carl", offering=offering, status=status)
    return offering


def test_a_deployment_that_is_killed_is_made_once(endpoint: Endpoint, tmp_path: Path) -> None:
    chance = random.Random(SEED)
    keys = open_keys(tmp_path / "keys", CHAIN, embedded=True)
    with battered(CHAIN) as chain, EvmChain(chain.node.url) as direct:
        for key in (keys.agent, keys.treasury):
            chain.node.fund(key.address, 10**24)
        app = Application(endpoint, direct, keys, pause=lambda: None)
        offering = accept(app, "ofr_killed")
        work = Work(endpoint, (chain.node.url,), tmp_path / "keys", offering, units=UNITS)
        killed, longest = 0, 0.3
        while (run := Run(work)).process.is_alive():
            time.sleep(chance.uniform(0, longest))
            if killed >= 8 or not run.kill():
                break
            killed, longest = killed + 1, longest * 1.3
        assert run.wait() == 0, run.said
        assert killed >= 3
        token = bytes(app.desk.offer(offering)["token_address"])
        (registry,) = direct.read([identity_registry(token)])
        assert direct.read([total_supply(token)]) == [UNITS]
        assert direct.balances(token, [keys.treasury.address]) == [UNITS]
        assert direct.read([paused(token)]) == [False]
        assert direct.read([is_registered(registry, keys.treasury.address)]) == [True]
        with psycopg.connect(endpoint.owner_dsn()) as connection:
            signed = dict(connection.execute(SIGNED).fetchall())
        assert signed == {"deploy": 17, "identity": 1, "mint": 1, "unpause": 1}
        assert app.deploy_token(toolchain.ensure().artifacts, offering, UNITS) == token
        app.close()


def test_a_further_offer_has_its_suite_from_the_same_factory(endpoint: Endpoint, tmp_path: Path) -> None:
    keys = open_keys(tmp_path / "keys", CHAIN, embedded=True)
    tools = toolchain.ensure()
    with Node.start(tools, chain_id=CHAIN) as node, EvmChain(node.url) as chain:
        for key in (keys.agent, keys.treasury):
            node.fund(key.address, 10**24)
        app = Application(endpoint, chain, keys, pause=node.pulse)
        first = app.deploy_token(tools.artifacts, accept(app, "ofr_first"), UNITS)
        second = app.deploy_token(tools.artifacts, accept(app, "ofr_second"), UNITS)
        assert first != second
        assert chain.read([total_supply(first), total_supply(second)]) == [UNITS, UNITS]
        assert chain.nonce(keys.agent.address) == 24
        app.close()


def test_a_key_that_was_used_without_us_deploys_nothing(endpoint: Endpoint, tmp_path: Path) -> None:
    keys = open_keys(tmp_path / "keys", CHAIN, embedded=True)
    tools = toolchain.ensure()
    with Node.start(tools, chain_id=CHAIN) as node, EvmChain(node.url) as chain:
        node.fund(keys.agent.address, 10**24)
        stray = Transaction(CHAIN, 0, keys.agent.address, b"", 21_000, chain.fees(), 1)
        chain.send([keys.agent.sign(stray).raw])
        app = Application(endpoint, chain, keys, pause=node.pulse)
        with pytest.raises(Refused, match="deployer_is_fresh"):
            app.deploy_token(tools.artifacts, accept(app, "ofr_used"), UNITS)
        app.close()
