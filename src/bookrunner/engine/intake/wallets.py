"""Wallets that investors claim: what they are asked to sign, and the proof on its way into the portal."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Final

from bookrunner.adapters.chain import (
    Chain,
    Challenge,
    NodeRefused,
    contract_accepts,
    keccak,
    new_nonce,
    parse_address,
    recover,
)
from bookrunner.core import clock
from bookrunner.core.errors import Refused, UnknownRecord
from bookrunner.core.ids import new_id
from bookrunner.db import Arguments, Row
from bookrunner.engine.desk import Desk

VALID_FOR: Final = timedelta(minutes=10)
_NO_CODE: Final = keccak(b"")


def wallet_challenge(
    offer: Row, investor: str, written: str, *, domain: str, ours: Collection[bytes]
) -> Challenge:
    """Return what the wallet has to sign, for an address as a person wrote it.

    Refuses what `parse_address` refuses; no holder may name the offer's own addresses or those in ``ours``.
    """
    named = (offer["token_address"], offer["treasury_address"])
    reserved = {*ours, *(bytes(address) for address in named if address is not None)}
    now = clock.now().replace(microsecond=0)
    return Challenge(
        domain=domain,
        address=parse_address(written, reserved=reserved),
        statement=f"I claim this wallet for {investor} in {offer['offering_id']}.",
        uri=f"https://{domain}/wallets",
        chain_id=offer["chain_id"],
        nonce=new_nonce(),
        issued_at=now,
        expires_at=now + VALID_FOR,
    )


def challenge_facts(claimant: tuple[str, str], challenge: Challenge) -> Arguments:
    """Return what the portal keeps of a challenge; ``claimant`` is offering and investor."""
    offering, investor = claimant
    return {
        "actor": investor,
        "offering": offering,
        "challenge": new_id("wch"),
        "investor": investor,
        "asked": {
            "chain_id": challenge.chain_id,
            "address": challenge.address.hex(),
            "nonce": challenge.nonce,
            "message": challenge.text(),
            "issued_at": challenge.issued_at.isoformat(),
            "expires_at": challenge.expires_at.isoformat(),
        },
    }


def wallet_proof(asked: Row, signature: bytes, chain: Chain | None = None) -> Arguments:
    """Return how a signature proves control of the wallet of a kept challenge.

    A key signs for itself (EIP-191). Where another or no key signed and ``chain`` shows code at the address,
    the contract is asked (EIP-1271); the witness names block and code. Refuses ``wallet_proof_is_valid`` and
    what `recover` refuses; the portal judges whether the challenge is open still.
    """
    address, text = bytes(asked["address"]), str(asked["message"])
    try:
        if recover(text, signature) == address:
            return {"signature": signature, "proof_kind": "key", "witness": None}
        fault = Refused("wallet_proof_is_valid", "another key signed the challenge")
    except Refused as refused:
        fault = refused
    witness = None if chain is None else ask_contract(chain, address, (text, signature))
    if witness is None:
        raise fault
    return {"signature": signature, "proof_kind": "contract", "witness": witness}


def ask_contract(chain: Chain, wallet: bytes, signed: tuple[str, bytes]) -> Arguments | None:
    """Ask a contract wallet at the newest final block whether it accepts (text, signature).

    Returns block number, block hash and the hash of its code now, or None for an address without code.
    Refuses ``wallet_proof_is_valid`` when the contract says no, or reverts as many do instead.
    """
    code = chain.code_hash(wallet)
    if code == _NO_CODE:
        return None
    number = chain.block_numbers().finalized
    (block,) = chain.canonical([number])
    try:
        (is_accepted,) = chain.read([contract_accepts(wallet, *signed)], number)
    except NodeRefused:
        is_accepted = False
    if not is_accepted or block is None:
        raise Refused("wallet_proof_is_valid", "the contract does not accept the signature")
    return {"block_number": number, "block_hash": block.hex(), "code_hash": code.hex()}


def prove_again(chain: Chain | None, mapping: Row, kept: Row | None) -> Arguments | None:
    """Return what a contract says now, or None for a key, whose kept proof is computed again.

    ``mapping`` is the wallet about to be linked, ``kept`` the proof of its claim with message, signature,
    address and proof_kind. Refuses ``wallet_proof_is_valid``.
    """
    if kept is None or bytes(kept["address"]) != bytes(mapping["address"]):
        raise Refused("wallet_proof_is_valid", "no proof of that address was kept")
    text, signature = str(kept["message"]), bytes(kept["signature"])
    if mapping["proof_kind"] == "contract":
        witness = None if chain is None else ask_contract(chain, bytes(kept["address"]), (text, signature))
        if witness is None:
            raise Refused("wallet_proof_is_valid", "the contract is gone, or no node is asked for it")
        return witness
    if recover(text, signature) != bytes(kept["address"]):
        raise Refused("wallet_proof_is_valid", "the kept signature is of another key")
    return None


def asked_again(desk: Desk, chain: Chain | None, offering: str, mapping: str) -> Arguments | None:
    """Return what `prove_again` does for a wallet of the register; refuses ``wallet_exists`` beside."""
    found: Row | None = desk.registry.mapping(offering=offering, mapping=mapping)
    if found is None:
        raise UnknownRecord("wallet_exists", f"there is no wallet {mapping} in {offering}")
    claim = str(found["claim_fact"]).partition("@")[0]
    return prove_again(chain, found, desk.portal.wallet_proof(offering=offering, claim=claim))
