"""Wallets that investors claim, on their way into the portal book."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from datetime import timedelta

from bookrunner.adapters.chain import Challenge, new_nonce, parse_address, recover
from bookrunner.core import clock
from bookrunner.core.errors import Refused
from bookrunner.core.ids import new_id
from bookrunner.db import Arguments, Row

VALID_FOR = timedelta(minutes=10)


def wallet_challenge(
    offer: Row, investor: str, written: str, *, domain: str, ours: Collection[bytes]
) -> Challenge:
    """Return what the wallet has to sign, for an address as a person wrote it.

    Refuses what `parse_address` refuses; no holder may name the offer's own addresses or those in ``ours``.
    """
    named = (offer["token_address"], offer["treasury_address"])
    reserved = {*ours, *(bytes(address) for address in named if address is not None)}
    now = clock.now()
    return Challenge(
        domain=domain,
        address=parse_address(written, reserved=reserved),
        statement=_statement((offer["offering_id"], investor)),
        uri=f"https://{domain}/wallets",
        chain_id=offer["chain_id"],
        nonce=new_nonce(),
        issued_at=now,
        expires_at=now + VALID_FOR,
    )


def wallet_claim(claimant: tuple[str, str], challenge: Challenge, signature: bytes) -> Arguments:
    """Return what the portal records of a wallet whose key signed the challenge.

    ``claimant`` is offering and investor. Refuses ``challenge_names_investor_and_offer``,
    ``challenge_has_not_expired``, ``wallet_proof_is_valid`` and what `recover` refuses.
    """
    if challenge.statement != _statement(claimant):
        raise Refused("challenge_names_investor_and_offer", "it was made for another claim")
    if clock.now() > challenge.expires_at:
        raise Refused("challenge_has_not_expired", "ask for a new one")
    text = challenge.text()
    if recover(text, signature) != challenge.address:
        raise Refused("wallet_proof_is_valid", "another key signed the challenge")
    offering, investor = claimant
    return {
        "actor": investor,
        "offering": offering,
        "claim": new_id("wcl"),
        "investor": investor,
        "chain_id": challenge.chain_id,
        "address": challenge.address,
        "challenge_sha256": hashlib.sha256(text.encode()).digest(),
        "signature": signature,
    }


def _statement(claimant: tuple[str, str]) -> str:
    offering, investor = claimant
    return f"I claim this wallet for {investor} in {offering}."
