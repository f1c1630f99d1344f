"""The wallet that an offer pays holders from in tokens: proposed by its key, decided by another person."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from pydantic import StringConstraints

from bookrunner.adapters.chain import checksum
from bookrunner.api.caller import Called, Decided, Written
from bookrunner.api.gateway import Gateway
from bookrunner.api.resources.offers import required
from bookrunner.api.routing import Router
from bookrunner.api.shapes import OfferId, Shape
from bookrunner.api.shapes.servicing.payments import PayingWallet, PayingWallets, ServicingActed
from bookrunner.core.errors import NotReady
from bookrunner.core.ids import new_id
from bookrunner.db import Row, Within

_CREATED = 201
_KEEPER = "treasury"
_WalletId = Annotated[str, StringConstraints(pattern="^pwl_[0-9A-Za-z_]{1,64}$")]
_CoinId = Annotated[str, StringConstraints(pattern="^cin_[0-9A-Za-z_]{1,64}$")]


class NewPayingWallet(Shape):
    """The coin that holders are paid in; it may be left out where the offer takes one alone."""

    coin: _CoinId | None = None


class PayingWalletDecision(Shape):
    """A second person's word."""

    decision: Literal["approved", "declined"]


def routes(gateway: Gateway) -> APIRouter:
    """Return the routes of paying wallets, for keys of the treasury."""
    router = Router(prefix="/v1/offers/{offer}/paying_wallets", tags=["servicing"])

    @router.get("", operation_id="list_paying_wallets")
    async def listed(caller: Called, offer: OfferId) -> PayingWallets:
        """List the wallets that an offer pays from, that in force first."""
        await gateway.admitted(caller, _KEEPER)

        def work(of: Within) -> list[Row]:
            required(of, offer)
            return list(of.paying_wallets(offering=offer))

        return {"paying_wallets": [_shown(row) for row in await gateway.read(caller, work)]}

    @router.post(
        "", operation_id="propose_paying_wallet", status_code=_CREATED, response_model=ServicingActed
    )
    async def proposed(write: Written, request: Request, offer: OfferId, body: NewPayingWallet) -> Response:
        """Propose the wallet whose key this installation holds for an offer; no caller names an address.

        Refuses ``payer_key_is_at_hand``, ``paying_wallet_pays_in_an_accepted_coin``,
        ``one_paying_wallet_is_proposed`` and ``lost_wallet_pays_no_more``.
        """
        await gateway.admitted(write.caller, _KEEPER)
        address_of: Callable[[str], bytes] | None = request.app.state.paying_address
        if address_of is None:
            raise NotReady("paying_wallets_have_their_keys", "nothing here holds the key of a wallet")

        def work(of: Within) -> str | None:
            required(of, offer)
            found: str | None = of.coin_accepted(offering=offer)
            return found

        coin = body.coin or await gateway.read(write.caller, work)
        address = await gateway.run(partial(address_of, offer))
        answer = await gateway.write(
            write,
            _KEEPER,
            "act_on_paying_wallet",
            offering=offer,
            subject=new_id("pwl"),
            version=None,
            act="proposed",
            said=json.dumps({"coin": coin, "address": address.hex()}),
        )
        answer.status_code = _CREATED
        return answer

    @router.post("/{wallet}/decisions", operation_id="decide_paying_wallet", response_model=ServicingActed)
    async def decided(
        write: Decided, offer: OfferId, wallet: _WalletId, body: PayingWalletDecision
    ) -> Response:
        """Put a wallet in force as another person, in the place of the one before it, or decline it.

        Refuses ``paying_wallet_needs_two_people``, ``paying_wallet_serves_one_offer`` and
        ``replaced_paying_wallet_funds_nothing``.
        """
        return await gateway.write(
            write,
            _KEEPER,
            "act_on_paying_wallet",
            offering=offer,
            subject=wallet,
            version=write.decided_on,
            act=body.decision,
            said="{}",
        )

    return router


def _shown(row: Row) -> PayingWallet:
    return {
        "id": row["wallet_id"],
        "status": row["status"],
        "coin": row["coin_id"],
        "chain": row["chain_id"],
        "address": checksum(bytes(row["address"])),
        "proposed_by": row["proposed_by"],
        "decided_by": row["decided_by"],
        "version": str(row["version"]),
    }
