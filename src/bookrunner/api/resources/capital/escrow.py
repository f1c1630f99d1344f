"""Opening the escrow of a reviewed allocation, by a program that an OpenID provider vouches for."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from bookrunner.adapters.identity import Claims, TokenVerifier
from bookrunner.api.caller import Repeatable, repeatable
from bookrunner.api.gateway import Gateway
from bookrunner.api.routing import Router
from bookrunner.api.shapes import InstitutionalId, InvestmentId, OfferId, Shape
from bookrunner.api.shapes.acts import EscrowOpened
from bookrunner.api.shapes.moments import Moment
from bookrunner.core.errors import NotAuthenticated, NotReady
from bookrunner.engine.allocation.capital import Intakes

SCOPE = "escrow:initiate"
_CREATED = 201


class NewEscrow(Shape):
    """Which allocation, the entity's confirmed investment in it, and by when its money settles."""

    offer: OfferId
    allocation: InstitutionalId
    investment: InvestmentId
    settlement_due_at: Moment


def routes(gateway: Gateway, intakes: Intakes, tokens: TokenVerifier | None) -> APIRouter:
    """Return the route; without an issuer of tokens nobody may call it."""

    async def vouched(request: Request) -> None:
        if tokens is None:
            raise NotReady("token_issuer_is_configured", "no OpenID provider is set up for this installation")
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise NotAuthenticated("credential_is_given", "send Authorization: Bearer and a token")
        request.state.vouched = await tokens.verify(token, SCOPE)

    # A caller that nobody vouches for learns nothing of what a body should look like.
    router = Router(prefix="/v1/escrow-initiation", tags=["institutions"], dependencies=[Depends(vouched)])

    @router.post("", operation_id="initiate_escrow", response_model=EscrowOpened, status_code=_CREATED)
    async def initiated(
        request: Request, said: Annotated[Repeatable, Depends(repeatable)], body: NewEscrow
    ) -> Response:
        """Open the escrow of an allocation under internal review; the same key again changes nothing."""
        asked = {
            "offering": body.offer,
            "allocation": body.allocation,
            "investment": body.investment,
            "settlement_due_at": body.settlement_due_at.isoformat(),
        }
        who: Claims = request.state.vouched
        answer, is_replay = await gateway.run(
            lambda: intakes.initiate_escrow(f"oidc:{who.subject}", said.request, said.body_sha256, asked)
        )
        headers = {"Idempotent-Replayed": "true"} if is_replay else {}
        return Response(answer, _CREATED, headers, "application/json")

    return router
