"""Keys that sign: an encrypted key file, which serves the embedded chain only."""

from __future__ import annotations

import json
import os
import secrets
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from bookrunner.adapters.chain import Fees, SignedTransaction, Transaction, wallets
from bookrunner.core.errors import ConfigurationError, Refused

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount
    from eth_account.types import TransactionDictType

_PASSWORD_FILE = "keys.secret"  # noqa: S105 - a file name
_PRIVATE = 0o600
# The password holds 256 random bits, so the derivation need not slow down a guesser.
_SCRYPT_N = 1024


class LocalKey:
    """A key in memory that signs for one chain."""

    def __init__(self, secret: bytes, *, chain_id: int) -> None:
        """Take the 32 secret bytes; raise `ConfigurationError` without the fast curve library."""
        from eth_account import Account

        _require_fast_curve()
        self._account: LocalAccount = Account.from_key(secret)
        self._chain_id = chain_id
        self._address = bytes.fromhex(self._account.address[2:])

    @classmethod
    def open(cls, folder: Path, name: str, *, chain_id: int, embedded: bool) -> Self:
        """Open the key file ``name`` in ``folder``, or make it on the first call.

        The files are readable by their owner only; the password of all key files stands beside
        them, so that folder is as secret as the keys.

        Refused: ``local_key_serves_the_embedded_chain_only``, ``secret_file_is_private``.
        """
        if not embedded:
            raise Refused("local_key_serves_the_embedded_chain_only", "use a key service or a Safe")
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        password = _secret_file(folder / _PASSWORD_FILE, lambda: secrets.token_hex(32).encode())
        sealed = _secret_file(folder / f"{name}.json", lambda: _sealed_key(password))
        return cls(_opened_key(sealed, password), chain_id=chain_id)

    @property
    def address(self) -> bytes:
        """The 20 bytes of the key's address."""
        return self._address

    def __repr__(self) -> str:
        """Show the address and nothing else."""
        return f"LocalKey({wallets.checksum(self._address)})"

    def sign(self, transaction: Transaction) -> SignedTransaction:
        """Sign a type-2 transaction.

        Refused: ``key_signs_for_its_own_chain``.
        """
        if transaction.chain_id != self._chain_id:
            raise Refused("key_signs_for_its_own_chain", f"the key's chain is {self._chain_id}")
        signed = self._account.sign_transaction(typed_fields(transaction))
        return SignedTransaction(bytes(signed.raw_transaction), bytes(signed.hash))

    def sign_again(self, raw: bytes, fees: Fees) -> SignedTransaction:
        """Sign what these signed bytes say, at the same nonce, with other fees.

        Refused: ``transaction_is_of_type_two``, ``key_signs_for_its_own_chain``.
        """
        return self.sign(replace(terms_of(raw), fees=fees))

    def sign_text(self, text: str) -> bytes:
        """Sign a challenge as a wallet does (EIP-191); 65 bytes."""
        from eth_account.messages import encode_defunct

        return bytes(self._account.sign_message(encode_defunct(text=text)).signature)


def open_secret(folder: Path, name: str, length: int) -> bytes:
    """Return the random bytes of a secret file, made on the first call.

    Refuses ``secret_file_is_private``.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept = _secret_file(folder / name, lambda: secrets.token_hex(length).encode())
    return bytes.fromhex(kept.decode("ascii"))


def _require_fast_curve() -> None:
    from eth_keys.backends import get_backend
    from eth_keys.backends.coincurve import CoinCurveECCBackend

    # Without coincurve the library silently signs ten times slower, and not in constant time.
    if not isinstance(get_backend(), CoinCurveECCBackend):
        raise ConfigurationError("coincurve is missing, or another signing backend was chosen")


def _secret_file(path: Path, make: Callable[[], bytes]) -> bytes:
    try:
        return _read_secret(path)
    except FileNotFoundError:
        _write_secret(path, make())
    return _read_secret(path)


def _read_secret(path: Path) -> bytes:
    with path.open("rb") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        if mode & ~_PRIVATE:
            raise Refused("secret_file_is_private", f"{path.name} has mode {mode:o}, not 600")
        return file.read()


def _write_secret(path: Path, content: bytes) -> None:
    """Write the whole file before its name appears; an existing file stays as it is."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        # Another process made the key at the same moment; its file is the key.
        return
    finally:
        draft.unlink()


def _sealed_key(password: bytes) -> bytes:
    from eth_account import Account

    account = Account.create()
    sealed = Account.encrypt(account.key, password.decode(), kdf="scrypt", iterations=_SCRYPT_N)
    return json.dumps(sealed).encode()


def _opened_key(sealed: bytes, password: bytes) -> bytes:
    from eth_account import Account

    try:
        return bytes(Account.decrypt(json.loads(sealed), password.decode()))
    except ValueError:
        raise ConfigurationError("a key file does not open with the password beside it") from None


def typed_fields(transaction: Transaction) -> TransactionDictType:
    """Return a transaction as the signing library takes it, of type 2 (EIP-1559)."""
    fields: TransactionDictType = {
        "type": 2,
        "chainId": transaction.chain_id,
        "nonce": transaction.nonce,
        "gas": transaction.gas,
        "maxFeePerGas": transaction.fees.max_fee,
        "maxPriorityFeePerGas": transaction.fees.priority_fee,
        "value": transaction.value,
        "data": transaction.data,
    }
    if transaction.to is not None:
        fields["to"] = transaction.to
    return fields


def terms_of(raw: bytes) -> Transaction:
    """Read what signed type-2 bytes say.

    Refused: ``transaction_is_of_type_two``.
    """
    from eth_account.typed_transactions.typed_transaction import TypedTransaction
    from hexbytes import HexBytes

    if raw[:1] != b"\x02":
        raise Refused("transaction_is_of_type_two", "the stored bytes are of another kind")
    fields = TypedTransaction.from_bytes(HexBytes(raw)).as_dict()
    to = bytes(fields["to"])
    return Transaction(
        chain_id=int(fields["chainId"]),
        nonce=int(fields["nonce"]),
        to=to or None,
        data=bytes(fields["data"]),
        gas=int(fields["gas"]),
        fees=Fees(int(fields["maxFeePerGas"]), int(fields["maxPriorityFeePerGas"])),
        value=int(fields["value"]),
    )
