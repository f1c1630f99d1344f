"""A worker that issues reinvested units in a process of its own and dies at a step of its books."""

from __future__ import annotations

from pathlib import Path

import httpx

from bookrunner.adapters.chain.evm import EvmChain
from bookrunner.app import open_keys
from bookrunner.db import Endpoint
from bookrunner.db.endpoint import Secrets
from bookrunner.engine.desk import Desk
from bookrunner.engine.issuance import Submitter
from bookrunner.engine.life.servicing.reinvestment import Reinvestments
from tests.life.end_worker import MortalDatabase
from tests.patience import PATIENT

WALLETS_AT_ONCE = 4


def carry_until_killed(where: tuple[str, str, str, str], offering: str, steps: int) -> None:
    """Issue what an offer owes in units; a process that survives has nothing left to do.

    ``where`` is database, folder of secrets, folder of keys and node; it dies before the commit of a
    transaction or right after one, after so many steps.
    """
    dsn, secrets, keys, url = where

    def mine() -> None:
        asked = {"jsonrpc": "2.0", "id": 1, "method": "evm_mine", "params": []}
        httpx.post(url, json=asked, timeout=PATIENT).raise_for_status()

    database = MortalDatabase(Endpoint(dsn, Secrets(Path(secrets))), steps)
    with EvmChain(url) as chain:
        desk = Desk(database)
        signing = open_keys(Path(keys), chain.chain_id(), embedded=True)
        submitter = Submitter(desk.registry, chain, signing, pause=mine)
        Reinvestments(desk, chain, signing, submitter, most=WALLETS_AT_ONCE).carry(offering)
    database.close()
