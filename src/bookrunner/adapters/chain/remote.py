"""Keys that stand elsewhere: behind JSON-RPC, as Web3Signer's do, or in a service that signs digests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from bookrunner.adapters.chain import Fees, SignedTransaction, Transaction, wallets
from bookrunner.adapters.chain.abi import keccak
from bookrunner.adapters.chain.keys import terms_of, typed_fields
from bookrunner.adapters.chain.rpc import NodeRefused, Rpc, octets
from bookrunner.core.errors import Refused

# The order of secp256k1: of a signature and its twin with N - s the chain takes the lower one (EIP-2).
_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141

# The caller holds row locks while it waits for a signature.
TIMEOUT_SECONDS = 5.0


class RemoteKey:
    """One key of a signing service, asked by ``eth_signTransaction``.

    What comes back is read: it must say what was asked, under a signature of this very key.
    """

    def __init__(self, url: str, address: bytes, *, chain_id: int) -> None:
        """Note where the service is; nothing is sent yet."""
        self._url = url
        self._address = address
        self._chain_id = chain_id

    @property
    def address(self) -> bytes:
        """The 20 bytes of the key's address."""
        return self._address

    def __repr__(self) -> str:
        """Show the address and nothing else."""
        return f"RemoteKey({wallets.checksum(self._address)})"

    def sign(self, transaction: Transaction) -> SignedTransaction:
        """Have a type-2 transaction signed.

        Raises ChainUnreachable when the service does not answer. Refused: ``key_signs_for_its_own_chain``,
        ``signing_service_signs`` when it says no, ``signature_is_of_what_was_asked``.
        """
        if transaction.chain_id != self._chain_id:
            raise Refused("key_signs_for_its_own_chain", f"the key's chain is {self._chain_id}")
        fields = {
            "from": wallets.checksum(self._address),
            "to": None if transaction.to is None else wallets.checksum(transaction.to),
            "gas": hex(transaction.gas),
            "maxFeePerGas": hex(transaction.fees.max_fee),
            "maxPriorityFeePerGas": hex(transaction.fees.priority_fee),
            "value": hex(transaction.value),
            "data": "0x" + transaction.data.hex(),
            "nonce": hex(transaction.nonce),
            "chainId": hex(transaction.chain_id),
        }
        try:
            with Rpc(self._url, timeout=TIMEOUT_SECONDS) as rpc:
                answer = rpc.call("eth_signTransaction", {k: v for k, v in fields.items() if v is not None})
        except NodeRefused as fault:
            raise Refused("signing_service_signs", str(fault)) from None
        raw = octets(answer)
        if _signer_of(raw) != self._address or terms_of(raw) != transaction:
            raise Refused("signature_is_of_what_was_asked", "the service signed something else")
        return SignedTransaction(raw, keccak(raw))

    def sign_again(self, raw: bytes, fees: Fees) -> SignedTransaction:
        """Have the same signed again, at the same nonce, with other fees; refuses as `sign` does."""
        return self.sign(replace(terms_of(raw), fees=fees))


class DigestKey:
    """One key of a management service that signs digests: DER, without a recovery id, and s may be high.

    ``sign_digest`` takes the 32 bytes and returns the signature, other bytes each time it is asked; it
    raises ChainUnreachable when its service is silent.
    """

    def __init__(self, sign_digest: Callable[[bytes], bytes], address: bytes, *, chain_id: int) -> None:
        """Note whom to ask; nothing is asked yet."""
        self._sign_digest = sign_digest
        self._address = address
        self._chain_id = chain_id

    @property
    def address(self) -> bytes:
        """The 20 bytes of the key's address."""
        return self._address

    def __repr__(self) -> str:
        """Show the address and nothing else."""
        return f"DigestKey({wallets.checksum(self._address)})"

    def sign(self, transaction: Transaction) -> SignedTransaction:
        """Have the digest of a type-2 transaction signed and find whose signature it is.

        Refused: ``key_signs_for_its_own_chain``, ``signature_is_of_what_was_asked``.
        """
        from eth_account.typed_transactions.typed_transaction import TypedTransaction

        if transaction.chain_id != self._chain_id:
            raise Refused("key_signs_for_its_own_chain", f"the key's chain is {self._chain_id}")
        fields = typed_fields(transaction)
        digest = bytes(TypedTransaction.from_dict(fields).hash())
        parity, r, s = self._recovered(digest, self._sign_digest(digest))
        raw = bytes(TypedTransaction.from_dict(fields | {"v": parity, "r": r, "s": s}).encode())
        return SignedTransaction(raw, keccak(raw))

    def sign_again(self, raw: bytes, fees: Fees) -> SignedTransaction:
        """Have the same signed again, at the same nonce, with other fees; refuses as `sign` does."""
        return self.sign(replace(terms_of(raw), fees=fees))

    def _recovered(self, digest: bytes, der: bytes) -> tuple[int, int, int]:
        """Return parity, r and the low s under which the digest is signed by this very key."""
        from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
        from eth_keys.datatypes import Signature
        from eth_keys.exceptions import BadSignature
        from eth_utils.exceptions import ValidationError

        try:
            r, s = decode_dss_signature(der)
            low = min(s, _ORDER - s)
            for parity in (0, 1):
                public = Signature(vrs=(parity, r, low)).recover_public_key_from_msg_hash(digest)
                if public.to_canonical_address() == self._address:
                    return parity, r, low
        except (ValueError, BadSignature, ValidationError):
            pass
        raise Refused("signature_is_of_what_was_asked", "the service signed something else")


def _signer_of(raw: bytes) -> bytes | None:
    """Return who signed the bytes; None when they are no signed transaction."""
    from eth_account import Account
    from eth_keys.exceptions import BadSignature
    from rlp.exceptions import RLPException

    try:
        return bytes.fromhex(Account.recover_transaction(raw)[2:])
    except (ValueError, TypeError, BadSignature, RLPException):
        return None
