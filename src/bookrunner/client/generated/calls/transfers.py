# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Calls: transfers."""

from __future__ import annotations

from bookrunner.client.generated.operations import OPERATIONS
from bookrunner.client.generated.shapes.transfers import (
    Approval,
    Board,
    InterestActed,
    MorePapers,
    NewInterest,
    NewTransfer,
    Refusal,
    Swap,
    Taker,
    Transfer,
    TransferActed,
    TransferRefusals,
    Transfers,
)
from bookrunner.client.records import ETag
from bookrunner.client.transport import Call, Transport


class TransfersCalls:
    """The operations of transfers."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list_interests(self, offer: str, *, investor: str | None = None) -> Board:
        """List what stands on the board; for the registry each with its poster and what became of it."""
        return self._transport.record(
            Board, OPERATIONS["list_interests"], Call(path={"offer": offer}, query={"investor": investor})
        )

    def post_interest(
        self, offer: str, body: NewInterest, *, idempotency_key: str | None = None
    ) -> InterestActed:
        """Post what an investor would buy or sell; others see it without its name."""
        return self._transport.record(
            InterestActed,
            OPERATIONS["post_interest"],
            Call(path={"offer": offer}, body=body, idempotency_key=idempotency_key),
        )

    def match_interest(
        self, offer: str, interest: str, body: Taker, *, idempotency_key: str | None = None
    ) -> InterestActed:
        """Take an interest as a whole: a transfer is asked for, and goes its way."""
        return self._transport.record(
            InterestActed,
            OPERATIONS["match_interest"],
            Call(path={"offer": offer, "interest": interest}, body=body, idempotency_key=idempotency_key),
        )

    def withdraw_interest(
        self, offer: str, interest: str, body: Taker, *, idempotency_key: str | None = None
    ) -> InterestActed:
        """Take an interest of an investor off the board."""
        return self._transport.record(
            InterestActed,
            OPERATIONS["withdraw_interest"],
            Call(path={"offer": offer, "interest": interest}, body=body, idempotency_key=idempotency_key),
        )

    def why_not_transfer(self, offer: str, *, seller: str, buyer: str, units: str) -> TransferRefusals:
        """Return every rule that keeps these units from going now; none means that they may.

        A key of the portal is told what its holder's own side lacks, and never that the units may go.
        """
        return self._transport.record(
            TransferRefusals,
            OPERATIONS["why_not_transfer"],
            Call(path={"offer": offer}, query={"seller": seller, "buyer": buyer, "units": units}),
        )

    def list_transfers(self, offer: str, *, investor: str | None = None) -> Transfers:
        """List the requests of an offer, or of one holder, those that wait first."""
        return self._transport.record(
            Transfers, OPERATIONS["list_transfers"], Call(path={"offer": offer}, query={"investor": investor})
        )

    def request_transfer(
        self, offer: str, body: NewTransfer, *, idempotency_key: str | None = None
    ) -> TransferActed:
        """Take a request of a holder with its papers; its clock runs from its receipt."""
        return self._transport.record(
            TransferActed,
            OPERATIONS["request_transfer"],
            Call(path={"offer": offer}, body=body, idempotency_key=idempotency_key),
        )

    def read_transfer(self, offer: str, transfer: str, *, investor: str | None = None) -> Transfer:
        """Return one request with its papers, what is missing and its clock; of the holder that is named."""
        return self._transport.record(
            Transfer,
            OPERATIONS["read_transfer"],
            Call(path={"offer": offer, "transfer": transfer}, query={"investor": investor}),
        )

    def approve_transfer(
        self, offer: str, transfer: str, body: Approval, *, if_match: ETag, idempotency_key: str | None = None
    ) -> TransferActed:
        """Approve a screened request for the wallets that are linked now; whoever asked does not."""
        return self._transport.record(
            TransferActed,
            OPERATIONS["approve_transfer"],
            Call(
                path={"offer": offer, "transfer": transfer},
                body=body,
                if_match=if_match,
                idempotency_key=idempotency_key,
            ),
        )

    def present_transfer_papers(
        self,
        offer: str,
        transfer: str,
        body: MorePapers,
        *,
        if_match: ETag,
        idempotency_key: str | None = None,
    ) -> TransferActed:
        """Add papers to a request, or present a returned one again; on the version that was seen."""
        return self._transport.record(
            TransferActed,
            OPERATIONS["present_transfer_papers"],
            Call(
                path={"offer": offer, "transfer": transfer},
                body=body,
                if_match=if_match,
                idempotency_key=idempotency_key,
            ),
        )

    def refuse_transfer(
        self, offer: str, transfer: str, body: Refusal, *, if_match: ETag, idempotency_key: str | None = None
    ) -> TransferActed:
        """Send a request back with what it lacks, reject it, or withdraw it for its holder.

        A key of the portal withdraws alone.
        """
        return self._transport.record(
            TransferActed,
            OPERATIONS["refuse_transfer"],
            Call(
                path={"offer": offer, "transfer": transfer},
                body=body,
                if_match=if_match,
                idempotency_key=idempotency_key,
            ),
        )

    def prepare_swap(
        self,
        offer: str,
        transfer: str,
        *,
        contract: str,
        number: int | None = None,
        investor: str | None = None,
    ) -> Swap:
        """Return the calls that seller and buyer of an approved sale against a coin sign, in their order.

        `contract` is a `DVDTransferManager` of the token suite; nothing is signed or sent here. With
        `number`, its `txNonce` when the seller's offer was mined, the buyer's last call is there too.
        """
        return self._transport.record(
            Swap,
            OPERATIONS["prepare_swap"],
            Call(
                path={"offer": offer, "transfer": transfer},
                query={"contract": contract, "number": number, "investor": investor},
            ),
        )
