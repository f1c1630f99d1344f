"""Addresses as people write them, and proofs of control."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct
from eth_utils.address import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st

from bookrunner.adapters.chain.wallets import (
    Challenge,
    checksum,
    contract_accepts,
    message_digest,
    new_nonce,
    parse_address,
    recover,
)
from bookrunner.core.errors import Refused

from .conftest import open_key

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
# From the text of EIP-55.
WRITTEN = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
ISSUED = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)


def _challenge(address: bytes, **changes: object) -> Challenge:
    fields: dict[str, object] = {
        "domain": "portal.example",
        "address": address,
        "statement": "Link this wallet to profile prf_1 for offering ofr_1.",
        "uri": "https://portal.example/wallets",
        "chain_id": 1,
        "nonce": new_nonce(),
        "issued_at": ISSUED,
        "expires_at": ISSUED + timedelta(minutes=10),
    }
    return Challenge(**(fields | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("text", [WRITTEN, WRITTEN.lower(), "0x" + WRITTEN[2:].upper()])
def test_an_address_is_read_in_its_three_written_forms(text: str) -> None:
    assert parse_address(text) == bytes.fromhex(WRITTEN[2:])


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (WRITTEN[2:], "wallet_address_is_well_formed"),
        (WRITTEN[:-1], "wallet_address_is_well_formed"),
        (WRITTEN + "0", "wallet_address_is_well_formed"),
        (WRITTEN + "\n", "wallet_address_is_well_formed"),
        ("0X" + WRITTEN[2:], "wallet_address_is_well_formed"),
        (WRITTEN.replace("5", "g", 1), "wallet_address_is_well_formed"),
        (WRITTEN.replace("aA", "Aa"), "wallet_checksum_is_valid"),
        (WRITTEN.replace("d", "e"), "wallet_checksum_is_valid"),
        ("0x" + "0" * 40, "wallet_is_not_zero"),
    ],
)
def test_a_wrong_address_is_refused_under_its_rule(text: str, rule: str) -> None:
    with pytest.raises(Refused) as refusal:
        parse_address(text)
    assert refusal.value.rule == rule


def test_an_address_of_the_offering_itself_is_refused() -> None:
    with pytest.raises(Refused, match="wallet_is_not_reserved"):
        parse_address(WRITTEN, reserved={bytes.fromhex(WRITTEN[2:])})


@given(st.binary(min_size=20, max_size=20))
def test_the_checksum_is_the_one_that_others_compute(address: bytes) -> None:
    assert checksum(address) == to_checksum_address(address)


def test_a_challenge_has_the_text_of_the_standard() -> None:
    text = _challenge(bytes.fromhex(WRITTEN[2:]), nonce="abcd1234").text()
    assert text == (
        "portal.example wants you to sign in with your Ethereum account:\n"
        f"{WRITTEN}\n"
        "\n"
        "Link this wallet to profile prf_1 for offering ofr_1.\n"
        "\n"
        "URI: https://portal.example/wallets\n"
        "Version: 1\n"
        "Chain ID: 1\n"
        "Nonce: abcd1234\n"
        "Issued At: 2026-01-15T09:30:00Z\n"
        "Expiration Time: 2026-01-15T09:40:00Z"
    )


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"statement": "two\nlines"}, "challenge_fields_are_single_lines"),
        ({"domain": "a b"}, "challenge_fields_are_single_lines"),
        ({"uri": ""}, "challenge_fields_are_single_lines"),
        ({"nonce": "short"}, "challenge_nonce_is_random_text"),
        ({"expires_at": ISSUED}, "challenge_expires_after_issue"),
    ],
)
def test_a_challenge_that_could_mislead_is_refused(changes: dict[str, object], rule: str) -> None:
    with pytest.raises(Refused) as refusal:
        _challenge(b"\1" * 20, **changes).text()
    assert refusal.value.rule == rule


def test_the_signer_of_a_challenge_is_recovered() -> None:
    wallet = Account.create()
    address = bytes.fromhex(wallet.address[2:])
    text = _challenge(address).text()
    signature = bytes(wallet.sign_message(encode_defunct(text=text)).signature)
    assert recover(text, signature) == address
    assert recover(text, signature[:64] + bytes([signature[64] - 27])) == address
    assert recover(text + " ", signature) != address


def test_a_local_key_signs_a_challenge(tmp_path: Path) -> None:
    key = open_key(tmp_path, "investor")
    text = _challenge(key.address).text()
    assert recover(text, key.sign_text(text)) == key.address


def test_a_signature_in_another_form_is_refused() -> None:
    wallet = Account.create()
    text = _challenge(bytes.fromhex(wallet.address[2:])).text()
    signature = bytes(wallet.sign_message(encode_defunct(text=text)).signature)
    s = int.from_bytes(signature[32:64])
    twin = signature[:32] + (ORDER - s).to_bytes(32) + bytes([55 - signature[64]])
    forms = {
        twin: "wallet_signature_is_low_s",
        signature[:64]: "wallet_signature_is_65_bytes",
        signature + b"\0": "wallet_signature_is_65_bytes",
        signature[:64] + b"\x1d": "wallet_signature_is_recoverable",
        bytes(64) + b"\x1b": "wallet_signature_is_recoverable",
    }
    for form, rule in forms.items():
        with pytest.raises(Refused) as refusal:
            recover(text, form)
        assert refusal.value.rule == rule


@given(st.binary(min_size=65, max_size=65))
def test_any_65_bytes_give_an_address_or_a_refusal(signature: bytes) -> None:
    try:
        address = recover("text", signature)
    except Refused:
        return
    assert len(address) == 20


def test_only_the_padded_magic_word_is_a_contracts_yes() -> None:
    read = contract_accepts(secrets.token_bytes(20), "text", bytes(65))
    assert read.data[4:36] == message_digest("text")
    assert read.decode(bytes.fromhex("1626ba7e") + bytes(28))
    for answer in (b"", bytes.fromhex("1626ba7e"), bytes(32), b"\xff" * 32):
        assert not read.decode(answer)
