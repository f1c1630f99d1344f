# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Calls: wallets."""

from __future__ import annotations

from bookrunner.client.generated.operations import OPERATIONS
from bookrunner.client.generated.shapes.wallets import (
    Asked,
    ChallengeIssued,
    Signed,
    WalletClaimed,
    WalletLink,
    WalletMoved,
    WalletRefusal,
    Wallets,
)
from bookrunner.client.records import ETag
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

    def approve_wallet(
        self, offer: str, mapping: str, *, if_match: ETag, idempotency_key: str | None = None
    ) -> WalletMoved:
        """Record the issuer's consent to a screened wallet; another person links it."""
        return self._transport.record(
            WalletMoved,
            OPERATIONS["approve_wallet"],
            Call(
                path={"offer": offer, "mapping": mapping}, if_match=if_match, idempotency_key=idempotency_key
            ),
        )

    def link_wallet(
        self,
        offer: str,
        mapping: str,
        body: WalletLink,
        *,
        if_match: ETag,
        idempotency_key: str | None = None,
    ) -> WalletMoved:
        """Make an approved wallet effective; its proof is computed again, and a contract is asked again."""
        return self._transport.record(
            WalletMoved,
            OPERATIONS["link_wallet"],
            Call(
                path={"offer": offer, "mapping": mapping},
                body=body,
                if_match=if_match,
                idempotency_key=idempotency_key,
            ),
        )

    def reject_wallet(
        self,
        offer: str,
        mapping: str,
        body: WalletRefusal,
        *,
        if_match: ETag,
        idempotency_key: str | None = None,
    ) -> WalletMoved:
        """Refuse a wallet before it is linked, with the reason."""
        return self._transport.record(
            WalletMoved,
            OPERATIONS["reject_wallet"],
            Call(
                path={"offer": offer, "mapping": mapping},
                body=body,
                if_match=if_match,
                idempotency_key=idempotency_key,
            ),
        )
