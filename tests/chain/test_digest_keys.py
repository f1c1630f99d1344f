"""A key service that signs digests with a random nonce each time: high s, no recovery id, DER."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from eth_account import Account

from bookrunner.adapters.chain import Fees, Transaction, keccak
from bookrunner.adapters.chain.keys import terms_of
from bookrunner.adapters.chain.remote import DigestKey
from bookrunner.core.errors import Refused
from tests.chain.conftest import CHAIN_ID, World

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
SIGNATURES = 64


@dataclass
class Service:
    """Stands in for a key service: the key never leaves it, and no two signatures are alike."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256K1()))
    high: int = 0

    def sign(self, digest: bytes) -> bytes:
        """Return a DER signature of 32 bytes."""
        der = self.key.sign(digest, ec.ECDSA(Prehashed(SHA256())))
        self.high += decode_dss_signature(der)[1] > ORDER // 2
        return der

    def address(self) -> bytes:
        """Return the address of the key."""
        point = self.key.public_key().public_numbers()
        return keccak(point.x.to_bytes(32, "big") + point.y.to_bytes(32, "big"))[12:]


def terms(nonce: int = 0, to: bytes | None = b"\1" * 20) -> Transaction:
    return Transaction(CHAIN_ID, nonce, to, b"", 50_000, Fees(20 * 10**9, 10**9), 5)


def test_every_signature_is_brought_into_the_form_of_the_chain() -> None:
    service = Service()
    key = DigestKey(service.sign, service.address(), chain_id=CHAIN_ID)
    signed = [key.sign(terms(to=None if n % 2 else b"\1" * 20)) for n in range(SIGNATURES)]
    assert 0 < service.high < SIGNATURES, "both forms were to be met"
    for n, one in enumerate(signed):
        assert one.hash == keccak(one.raw)
        assert bytes.fromhex(Account.recover_transaction(one.raw)[2:]) == service.address()
        assert terms_of(one.raw) == terms(to=None if n % 2 else b"\1" * 20)
    assert len({one.hash for one in signed}) == SIGNATURES, "signing again is another transaction"


def test_what_was_signed_again_offers_more_for_the_same() -> None:
    service = Service()
    key = DigestKey(service.sign, service.address(), chain_id=CHAIN_ID)
    again = key.sign_again(key.sign(terms(7)).raw, Fees(40 * 10**9, 2 * 10**9))
    assert (terms_of(again.raw).nonce, terms_of(again.raw).fees) == (7, Fees(40 * 10**9, 2 * 10**9))


def test_the_signature_of_another_key_or_digest_is_refused() -> None:
    service, other = Service(), Service()
    for answer in (other.sign, lambda _: service.sign(b"\2" * 32), lambda _: b"\x30\x00", lambda _: b""):
        key = DigestKey(answer, service.address(), chain_id=CHAIN_ID)
        with pytest.raises(Refused, match="signature_is_of_what_was_asked"):
            key.sign(terms())


def test_a_digest_key_signs_for_its_own_chain() -> None:
    service = Service()
    key = DigestKey(service.sign, service.address(), chain_id=1)
    with pytest.raises(Refused, match="key_signs_for_its_own_chain"):
        key.sign(terms())
    assert repr(key).startswith("DigestKey(0x")


@pytest.mark.chain
def test_a_node_takes_what_the_service_signed(world: World) -> None:
    service = Service()
    key = DigestKey(service.sign, service.address(), chain_id=CHAIN_ID)
    world.node.fund(key.address, 10**20)
    receipts = world.settle([key.sign(terms(nonce)).raw for nonce in range(8)])
    assert [receipt.status for receipt in receipts] == [1] * 8
    assert world.chain.nonce(key.address) == 8
