"""A small ERC-20 of these tests, assembled by hand: balances, transfers, decimals, and nothing else."""

from __future__ import annotations

from bookrunner.adapters.chain import abi, trex

_STOP_IF = {
    "decimals()": "decimals",
    "balanceOf(address)": "balance",
    "transfer(address,uint256)": "transfer",
}


def code(decimals: int, supply: int) -> bytes:
    """Return the creation code; the creator owns the supply, in base units."""
    runtime = _runtime(decimals)
    # The supply is stored under the creator's address, then the runtime is returned.
    head = (
        b"\x7f" + supply.to_bytes(32) + bytes.fromhex("335560") + bytes([len(runtime)]) + bytes.fromhex("80")
    )
    tail = bytes.fromhex("5f395ff3")
    place = len(head) + 2 + len(tail)
    return head + bytes([0x60, place]) + tail + runtime


def transfer(receiver: bytes, amount: int) -> bytes:
    """Return the call that moves base units to a receiver."""
    return abi.call_data("transfer(address,uint256)", receiver, amount)


def _runtime(decimals: int) -> bytes:
    blocks = {
        "decimals": bytes([0x5B, 0x60, decimals]) + bytes.fromhex("5f5260205ff3"),
        "balance": bytes.fromhex("5b600435545f5260205ff3"),
        "transfer": _moved(),
    }
    head_length = 5 + 10 * len(_STOP_IF) + 3
    places, place = {}, head_length
    for name, block in blocks.items():
        places[name] = place
        place += len(block)
    head = bytes.fromhex("5f3560e01c")
    for signature, name in _STOP_IF.items():
        head += b"\x80\x63" + abi.selector(signature) + b"\x14\x60" + bytes([places[name]]) + b"\x57"
    head += bytes.fromhex("5f5ffd")
    assert len(head) == head_length
    return head + b"".join(blocks.values())


def _moved() -> bytes:
    """Return the block of a transfer; a balance that is too small jumps nowhere, which reverts."""
    taken = bytes.fromhex("5b6024353354818110600057") + bytes.fromhex("8190033355")
    given = bytes.fromhex("80600435540160043555")
    logged = bytes.fromhex("5f5260043533") + b"\x7f" + abi.topic(trex.TRANSFER) + bytes.fromhex("60205fa3")
    return taken + given + logged + bytes.fromhex("60015f5260205ff3")
