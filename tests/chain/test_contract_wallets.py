"""Contract wallets answer for a signature at a final block of a real chain (EIP-1271)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bookrunner.adapters.chain import keccak
from bookrunner.adapters.chain.abi import created_address
from bookrunner.core import clock
from bookrunner.core.errors import Refused
from bookrunner.engine.intake import ask_contract, prove_again, wallet_proof

from .conftest import World, open_key

# Code that answers every call with the magic word of EIP-1271, and code that answers with nothing of use.
ACCEPTING = bytes.fromhex("631626ba7e60e01b60005260206000f3")
REFUSING = bytes.fromhex("60206000f3")
REVERTING = bytes.fromhex("60006000fd")
SIGNATURE = b"\x05" * 97


def _deployed(world: World, folder: Path, code: bytes) -> bytes:
    key = open_key(folder, "owner")
    world.node.fund(key.address, 10**24)
    nonce = sum(sender == key.address for sender, _ in world.stored)
    size = f"{len(code):02x}"
    creation = bytes.fromhex(f"60{size}600c60003960{size}6000f3") + code
    (receipt,) = world.settle([world.sign(key, None, creation, 1_000_000)])
    assert receipt.status == 1
    return created_address(key.address, nonce)


def _asked(wallet: bytes) -> dict[str, object]:
    return {"address": wallet, "message": "a text", "expires_at": clock.now() + timedelta(minutes=1)}


def test_a_contract_that_accepts_is_a_proof_at_its_block(world: World, tmp_path: Path) -> None:
    wallet = _deployed(world, tmp_path, ACCEPTING)
    proof = wallet_proof(_asked(wallet), SIGNATURE, world.chain)
    assert proof["proof_kind"] == "contract"
    witness = proof["witness"]
    assert isinstance(witness, dict)
    assert witness["code_hash"] == keccak(ACCEPTING).hex()
    assert world.chain.canonical([witness["block_number"]]) == [bytes.fromhex(witness["block_hash"])]
    mapping, kept = {"proof_kind": "contract", "address": wallet}, {**_asked(wallet), **proof}
    again = prove_again(world.chain, mapping, kept)
    assert again is not None
    assert again["code_hash"] == witness["code_hash"]


@pytest.mark.parametrize("code", [REFUSING, REVERTING])
def test_a_contract_that_refuses_is_none(world: World, tmp_path: Path, code: bytes) -> None:
    wallet = _deployed(world, tmp_path, code)
    with pytest.raises(Refused, match="wallet_proof_is_valid"):
        wallet_proof(_asked(wallet), SIGNATURE, world.chain)


def test_an_address_without_code_or_a_chain_to_ask_proves_nothing(world: World, tmp_path: Path) -> None:
    stranger = b"\x77" * 20
    assert ask_contract(world.chain, stranger, ("a text", SIGNATURE)) is None
    for chain in (world.chain, None):
        with pytest.raises(Refused, match="wallet_signature_is_65_bytes"):
            wallet_proof(_asked(stranger), SIGNATURE, chain)
    wallet = _deployed(world, tmp_path, ACCEPTING)
    with pytest.raises(Refused, match="wallet_signature_is_65_bytes"):
        wallet_proof(_asked(wallet), SIGNATURE)
