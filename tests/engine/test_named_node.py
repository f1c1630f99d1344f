"""An installation that was told of a node does not go on without it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import SecretStr

from bookrunner.adapters.chain.evm import EvmChain
from bookrunner.app import Application, open_keys
from bookrunner.app.settings import Settings, diagnose_chain
from bookrunner.core.errors import ConfigurationError, Unavailable
from bookrunner.db import Endpoint
from tests.attack.world import CHAIN, Connect
from tests.chain.test_rpc import serving
from tests.treasury.escrow import Escrow


@pytest.mark.parametrize("written", ["", " ", ",", " , "])
def test_a_setting_that_names_no_endpoint_is_not_the_sandbox(written: str) -> None:
    settings = Settings(rpc_url=SecretStr(written))
    with pytest.raises(ConfigurationError, match="BOOKRUNNER_RPC_URL names no endpoint"):
        assert settings.rpc_urls == []
    assert diagnose_chain(settings) == ["BOOKRUNNER_RPC_URL names no endpoint"]


def test_endpoints_are_asked_in_the_order_of_writing() -> None:
    assert Settings(rpc_url=SecretStr("http://b, http://a,")).rpc_urls == ["http://b", "http://a"]


def _final_block_is_gone(body: bytes) -> tuple[int, bytes]:
    """Answer as a node that names a final block and does not give it, and supplies of nothing."""
    asked = json.loads(body)
    answers = []
    for call in asked if isinstance(asked, list) else [asked]:
        result: object = "0x" + "00" * 32
        if call["method"] == "eth_getBlockByNumber":
            result = {"number": "0x5"} if call["params"][0] in {"finalized", "latest"} else None
        answers.append({"jsonrpc": "2.0", "id": call["id"], "result": result})
    return 200, json.dumps(answers if isinstance(asked, list) else answers[0]).encode()


def test_records_are_not_compared_without_the_chain(
    connect: Connect, endpoint: Endpoint, tmp_path: Path
) -> None:
    world = Escrow(connect)
    world.build("published")
    keys = open_keys(tmp_path / "keys", CHAIN, embedded=True)
    with serving(_final_block_is_gone) as url, EvmChain(url) as chain:
        app = Application(endpoint, chain, keys, pause=lambda: None)
        with pytest.raises(Unavailable, match="does not give the block that it calls final"):
            app.compare_records(world.offering, actor="usr_first")
        app.close()
