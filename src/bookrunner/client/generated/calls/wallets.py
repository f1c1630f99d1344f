# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Calls: wallets."""

from __future__ import annotations

from bookrunner.client.generated.operations import OPERATIONS
from bookrunner.client.generated.shapes.wallets import Asked, ChallengeIssued, Signed, WalletClaimed, Wallets
from bookrunner.client.transport import Call, Transport


class WalletsCalls:
    """The operations of wallets."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def ask_wallet(self, offer: str, body: Asked, *, idempotency_key: str | None = None) -> ChallengeIssued:
        """Return the text that the wallet has to sign within minutes; it serves one claim."""
        return self._transport.record(
            ChallengeIssued,
            OPERATIONS["ask_wallet"],
            Call(path={"offer": offer}, body=body, idempotency_key=idempotency_key),
        )

    def list_wallets(self, offer: str, *, address: str | None = None, investor: str | None = None) -> Wallets:
        """List the wallets of an offer, of one address or of one holder, with dates and states."""
        return self._transport.record(
            Wallets,
            OPERATIONS["list_wallets"],
            Call(path={"offer": offer}, query={"address": address, "investor": investor}),
        )

    def claim_wallet(self, offer: str, body: Signed, *, idempotency_key: str | None = None) -> WalletClaimed:
        """Claim a wallet by the signature of its challenge."""
        return self._transport.record(
            WalletClaimed,
            OPERATIONS["claim_wallet"],
            Call(path={"offer": offer}, body=body, idempotency_key=idempotency_key),
        )
