"""A wallet that nobody registered is frozen on the token, and thawed when its break is explained."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import pytest

from bookrunner.adapters.chain import trex
from bookrunner.adapters.chain.control import transfer
from bookrunner.books.registry import item_clock
from bookrunner.core import clock
from tests.chain.conftest import CHAIN_ID
from tests.chain.sides import TREASURY, Sides

pytestmark = pytest.mark.chain


def test_units_in_an_unknown_wallet_stay_where_they_are(sides: Callable[[str], Sides]) -> None:
    held = sides(f"unk{secrets.token_hex(4)}")
    first, strange = held.holders[0], held.wallets[held.holders[1]][3]
    held.as_agent(held.of.registry, trex.register_batch([(strange.address, strange.address, 840)]))
    held.as_holder(TREASURY, held.of.token, transfer(held.address(first), 100))
    held.issue(first, 100)
    held.as_holder(first, held.of.token, transfer(strange.address, 40))
    log = {
        "id": "obs_strange",
        "chain_id": CHAIN_ID,
        "hash": "ab" * 32,
        "ordinal": 0,
        "block": 12,
        "units": 40,
    }
    log |= {"mined_at": clock.now().isoformat(), "from": held.address(first).hex()}
    log |= {"to": strange.address.hex()}
    timed = item_clock(None, is_routine=False)
    seen = held.world.call("registry.observe_transfer", held.offering, log, "itm_strange", timed)
    assert seen == "unmapped"
    held.control("freeze_unknown", observed="obs_strange")
    back = transfer(held.address(first), 40)
    assert not held.accepts(held.of.token, back, strange.address)
    assert held.chain.read([trex.is_frozen(held.of.token, strange.address)]) == [True]
    held.control("thaw_unknown", observed="obs_strange")
    assert held.accepts(held.of.token, back, strange.address)
