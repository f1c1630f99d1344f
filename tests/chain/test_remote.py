"""A key behind JSON-RPC: the node's own account signs, as a signing service does."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bookrunner.adapters.chain import ChainUnreachable, Fees, SendOutcome, Transaction
from bookrunner.adapters.chain.evm import EvmChain
from bookrunner.adapters.chain.remote import RemoteKey
from bookrunner.adapters.chain.rpc import Rpc
from bookrunner.app import remote_keys
from bookrunner.app.settings import SigningService
from bookrunner.core.errors import ConfigurationError, Refused
from bookrunner.sandbox import toolchain
from bookrunner.sandbox.node import Node
from tests.chain.conftest import CHAIN_ID, open_key
from tests.chain.test_rpc import serving

pytestmark = pytest.mark.chain

RECEIVER = b"\x99" * 20
FEES = Fees(3 * 10**9, 10**9)
PAYMENT = Transaction(CHAIN_ID, 0, RECEIVER, b"", 50_000, FEES, 7)
AGENT, TREASURY = ("0x" + digit * 40 for digit in "12")


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    with Node.start(toolchain.ensure(), chain_id=CHAIN_ID) as started:
        yield started


@pytest.fixture(scope="module")
def key(node: Node) -> RemoteKey:
    """Return the account that the node itself signs for."""
    with Rpc(node.url) as rpc:
        (account,) = rpc.call("eth_accounts")  # type: ignore[misc]
    return RemoteKey(node.url, bytes.fromhex(str(account)[2:]), chain_id=CHAIN_ID)


def _answering(raw: bytes) -> Any:  # noqa: ANN401 - an answer of the test server
    return lambda _: (200, json.dumps({"jsonrpc": "2.0", "id": 0, "result": "0x" + raw.hex()}).encode())


def test_the_chain_takes_what_the_service_signed(node: Node, key: RemoteKey) -> None:
    signed = key.sign(PAYMENT)
    with EvmChain(node.url) as chain:
        (hint,) = chain.send([signed.raw])
        assert hint.outcome is SendOutcome.ACCEPTED
        deadline = time.monotonic() + 10
        while chain.receipts([signed.hash]) == [None]:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert chain.balance(RECEIVER) == 7


def test_a_contract_is_made_and_fees_are_raised(key: RemoteKey, tmp_path: Path) -> None:
    making = Transaction(CHAIN_ID, 1, None, b"\x60\x00", 100_000, FEES)
    first = key.sign(making)
    again = key.sign_again(first.raw, Fees(6 * 10**9, 2 * 10**9))
    assert again.hash != first.hash
    assert key.sign_again(again.raw, FEES).hash == first.hash
    foreign = open_key(tmp_path, "agent").sign(making).raw
    assert key.sign_again(foreign, FEES).raw != foreign, "the terms count, the key is always the own"


def test_what_the_service_signed_instead_is_refused(key: RemoteKey, tmp_path: Path) -> None:
    other = Transaction(CHAIN_ID, 0, RECEIVER, b"", 50_000, FEES, 8)
    ours, stranger = key.sign(other).raw, open_key(tmp_path, "agent").sign(PAYMENT).raw
    for answer in (ours, stranger, b"\x02\x01", b""):
        with serving(_answering(answer)) as url, pytest.raises(Refused) as refused:
            RemoteKey(url, key.address, chain_id=CHAIN_ID).sign(PAYMENT)
        assert refused.value.rule == "signature_is_of_what_was_asked"


def test_a_service_without_the_key_says_no(node: Node) -> None:
    with pytest.raises(Refused, match="signing_service_signs"):
        RemoteKey(node.url, b"\x11" * 20, chain_id=CHAIN_ID).sign(PAYMENT)


def test_a_silent_service_and_another_chain(key: RemoteKey) -> None:
    with pytest.raises(ChainUnreachable):
        RemoteKey("http://127.0.0.1:1", key.address, chain_id=CHAIN_ID).sign(PAYMENT)
    with pytest.raises(Refused, match="key_signs_for_its_own_chain"):
        key.sign(Transaction(1, 0, RECEIVER, b"", 50_000, FEES))


@pytest.mark.parametrize(
    ("named", "says"),
    [
        ({"agent": AGENT}, "an agent and a treasury"),
        ({"agent": AGENT, "treasury": AGENT}, "one address twice"),
    ],
)
def test_both_keys_are_named_apart(named: dict[str, str], says: str) -> None:
    at = {
        name: SigningService.model_validate({"url": "http://127.0.0.1:1", "address": address})
        for name, address in named.items()
    }
    with pytest.raises(ConfigurationError, match=says):
        remote_keys(at, 1)


def test_the_keys_of_services_serve_any_chain() -> None:
    at = {
        name: SigningService.model_validate({"url": "http://127.0.0.1:1", "address": address})
        for name, address in {"agent": AGENT, "treasury": TREASURY}.items()
    }
    assert remote_keys(at, 1).agent.address.hex() == AGENT[2:]
