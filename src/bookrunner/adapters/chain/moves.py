"""Moves of units that the agent's key makes for a holder."""

from __future__ import annotations

from bookrunner.adapters.chain import abi


def forced_transfer(sender: bytes, receiver: bytes, units: int) -> bytes:
    """Return the call that moves units between wallets, from a token agent; the receiver must be registered.

    It goes to the token, asks none of its transfer rules, and thaws what it needs of a frozen part.
    """
    return abi.call_data("forcedTransfer(address,address,uint256)", sender, receiver, units)
