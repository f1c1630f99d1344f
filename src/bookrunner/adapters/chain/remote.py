"""A key that stands elsewhere and signs by JSON-RPC, as Web3Signer does before a key service."""

from __future__ import annotations

from dataclasses import replace

from bookrunner.adapters.chain import Fees, SignedTransaction, Transaction, wallets
from bookrunner.adapters.chain.abi import keccak
from bookrunner.adapters.chain.keys import terms_of
from bookrunner.adapters.chain.rpc import NodeRefused, Rpc, octets
from bookrunner.core.errors import Refused

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


def _signer_of(raw: bytes) -> bytes | None:
    """Return who signed the bytes; None when they are no signed transaction."""
    from eth_account import Account
    from eth_keys.exceptions import BadSignature
    from rlp.exceptions import RLPException

    try:
        return bytes.fromhex(Account.recover_transaction(raw)[2:])
    except (ValueError, TypeError, BadSignature, RLPException):
        return None
