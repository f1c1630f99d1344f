"""Wallet addresses as people write them, and the proof that a person controls one."""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from bookrunner.adapters.chain import abi
from bookrunner.core.errors import Refused

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}", re.ASCII)
_DOMAIN = re.compile(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?", re.ASCII)
_NONCE = re.compile(r"[A-Za-z0-9]{8,}", re.ASCII)
_PRINTABLE = re.compile(r"[ -~]+", re.ASCII)
_NONCE_LENGTH = 22

_SIGNATURE_BYTES = 65
_CURVE_ORDER = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
_RECOVERY_IDS = {0: 0, 1: 1, 27: 0, 28: 1}
_CONTRACT_ACCEPTS = bytes.fromhex("1626ba7e").ljust(abi.WORD, b"\0")


def parse_address(text: str, *, reserved: Collection[bytes] = ()) -> bytes:
    """Return the 20 bytes of an address written by a person.

    All-lower and all-upper digits are accepted; mixed case must carry the right checksum
    (EIP-55). ``reserved`` are addresses that no holder may name: the token, its registry, our own.

    Refused, in this order: ``wallet_address_is_well_formed``, ``wallet_checksum_is_valid``,
    ``wallet_is_not_zero``, ``wallet_is_not_reserved``.
    """
    if not _ADDRESS.fullmatch(text):
        raise Refused("wallet_address_is_well_formed", "0x and 40 hexadecimal digits are needed")
    address = bytes.fromhex(text[2:])
    digits = text[2:]
    if digits not in {digits.lower(), digits.upper()} and text != checksum(address):
        raise Refused("wallet_checksum_is_valid", "capital letters show a mistyped digit")
    if not any(address):
        raise Refused("wallet_is_not_zero", "nobody controls the zero address")
    if address in reserved:
        raise Refused("wallet_is_not_reserved", "the address belongs to the offering itself")
    return address


def checksum(address: bytes) -> str:
    """Return the address with the capital letters that EIP-55 asks for."""
    if len(address) != abi.ADDRESS_BYTES:
        raise Refused("wallet_address_is_well_formed", "20 bytes are needed")
    digits = address.hex()
    nibbles = abi.keccak(digits.encode()).hex()
    marked = zip(digits, nibbles, strict=False)
    return "0x" + "".join(digit.upper() if nibble >= "8" else digit for digit, nibble in marked)


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a wallet is asked to sign (EIP-4361).

    ``statement`` names the offer, the profile and the purpose; ``nonce`` serves once; the times
    carry a zone. ``chain_id`` is where a contract wallet would be asked.
    """

    domain: str
    address: bytes
    statement: str
    uri: str
    chain_id: int
    nonce: str
    issued_at: datetime
    expires_at: datetime

    def text(self) -> str:
        """Return the exact text to show, store and verify against.

        Refused: ``challenge_fields_are_single_lines``, ``challenge_nonce_is_random_text``,
        ``challenge_expires_after_issue``.
        """
        lines = (self.statement, self.uri)
        if not _DOMAIN.fullmatch(self.domain) or not all(map(_PRINTABLE.fullmatch, lines)):
            raise Refused("challenge_fields_are_single_lines", "a field holds other signs")
        if not _NONCE.fullmatch(self.nonce):
            raise Refused("challenge_nonce_is_random_text", "8 or more letters and digits")
        if self.expires_at <= self.issued_at:
            raise Refused("challenge_expires_after_issue", "the challenge would never be valid")
        return (
            f"{self.domain} wants you to sign in with your Ethereum account:\n"
            f"{checksum(self.address)}\n\n{self.statement}\n\n"
            f"URI: {self.uri}\nVersion: 1\nChain ID: {self.chain_id}\nNonce: {self.nonce}\n"
            f"Issued At: {_instant(self.issued_at)}\n"
            f"Expiration Time: {_instant(self.expires_at)}"
        )


def new_nonce() -> str:
    """Return 22 random letters and digits, about 131 bits."""
    signs = string.ascii_letters + string.digits
    return "".join(secrets.choice(signs) for _ in range(_NONCE_LENGTH))


def message_digest(challenge: str) -> bytes:
    """Return the 32 bytes that a wallet signs for this text (EIP-191, version 0x45)."""
    body = challenge.encode()
    return abi.keccak(b"\x19Ethereum Signed Message:\n" + str(len(body)).encode() + body)


def recover(challenge: str, signature: bytes) -> bytes:
    """Return the address whose key signed exactly this text.

    A signature proves nothing about replay: the challenge's nonce must serve once.

    Refused: ``wallet_signature_is_65_bytes``, ``wallet_signature_is_low_s`` (EIP-2),
    ``wallet_signature_is_recoverable``.
    """
    if len(signature) != _SIGNATURE_BYTES:
        raise Refused("wallet_signature_is_65_bytes", f"{len(signature)} bytes were given")
    if int.from_bytes(signature[32:64]) > _CURVE_ORDER // 2:
        raise Refused("wallet_signature_is_low_s", "the signature has a second, refused form")
    if signature[64] not in _RECOVERY_IDS:
        raise Refused("wallet_signature_is_recoverable", "the last byte is not 0, 1, 27 or 28")
    from coincurve import PublicKey

    compact = signature[:64] + bytes([_RECOVERY_IDS[signature[64]]])
    try:
        key = PublicKey.from_signature_and_message(compact, message_digest(challenge), hasher=None)
    except ValueError:
        raise Refused("wallet_signature_is_recoverable", "no key can have signed this") from None
    return abi.keccak(key.format(compressed=False)[1:])[-abi.ADDRESS_BYTES :]


def contract_accepts(wallet: bytes, challenge: str, signature: bytes) -> abi.Read[bool]:
    """Ask a contract wallet whether it accepts a signature (EIP-1271).

    True only for the padded magic word: an address without code answers nothing, which is no.
    The answer holds at a block and must be asked again when the wallet is linked.
    """
    question = abi.call_data("isValidSignature(bytes32,bytes)", message_digest(challenge), signature)
    return abi.Read(wallet, question, lambda answer: answer == _CONTRACT_ACCEPTS)


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
