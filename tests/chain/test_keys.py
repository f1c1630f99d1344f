"""Key files, and the transactions that they sign."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from eth_account import Account
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from hexbytes import HexBytes

from bookrunner.adapters.chain import Fees, Transaction, abi
from bookrunner.adapters.chain.keys import LocalKey
from bookrunner.core.errors import ConfigurationError, Refused

from .conftest import CHAIN_ID, open_key


def _transaction(chain_id: int = CHAIN_ID, to: bytes | None = b"\1" * 20) -> Transaction:
    return Transaction(chain_id, 3, to, b"\xab", 50_000, Fees(20, 10), 5)


def test_a_key_file_opens_again_and_is_private(tmp_path: Path) -> None:
    first = open_key(tmp_path / "keys", "agent")
    began = time.perf_counter()
    again = open_key(tmp_path / "keys", "agent")
    assert time.perf_counter() - began < 1
    assert again.address == first.address
    files = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "keys").iterdir()}
    assert files == {"agent.json": 0o600, "keys.secret": 0o600}
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700


def test_the_key_is_not_readable_in_its_file_or_its_name(tmp_path: Path) -> None:
    key = open_key(tmp_path, "agent")
    sealed = json.loads((tmp_path / "agent.json").read_text())
    secret = Account.decrypt(sealed, (tmp_path / "keys.secret").read_text())
    assert bytes(secret).hex() not in (tmp_path / "agent.json").read_text() + repr(key)


def test_two_names_are_two_keys(tmp_path: Path) -> None:
    assert open_key(tmp_path, "one").address != open_key(tmp_path, "two").address


def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    open_key(tmp_path, "agent")
    (tmp_path / "agent.json").chmod(0o640)
    with pytest.raises(Refused, match="secret_file_is_private"):
        open_key(tmp_path, "agent")


def test_a_local_key_is_refused_on_any_other_chain(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="local_key_serves_the_embedded_chain_only"):
        LocalKey.open(tmp_path, "agent", chain_id=1, embedded=False)
    with pytest.raises(Refused, match="key_signs_for_its_own_chain"):
        open_key(tmp_path, "agent").sign(_transaction(chain_id=1))


def test_a_wrong_password_is_named(tmp_path: Path) -> None:
    open_key(tmp_path, "agent")
    (tmp_path / "keys.secret").write_text("another")
    with pytest.raises(ConfigurationError):
        open_key(tmp_path, "agent")


@pytest.mark.parametrize("to", [b"\1" * 20, None])
def test_signed_bytes_carry_the_transaction_and_its_signer(tmp_path: Path, to: bytes | None) -> None:
    key = open_key(tmp_path, "agent")
    signed = key.sign(_transaction(to=to))
    assert signed.raw[0] == 2
    assert signed.hash == abi.keccak(signed.raw)
    assert bytes.fromhex(Account.recover_transaction(signed.raw)[2:]) == key.address
    fields = TypedTransaction.from_bytes(HexBytes(signed.raw)).as_dict()
    assert (fields["nonce"], fields["gas"], fields["value"]) == (3, 50_000, 5)
    assert (fields["maxFeePerGas"], fields["maxPriorityFeePerGas"]) == (20, 10)
    assert bytes(fields["to"]) == (to or b"")
