"""Signed notices of providers: no key of ours, the signature over the raw body is the credential."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, TypeVar

from fastapi import APIRouter, Request
from pydantic import StringConstraints

from bookrunner.adapters.identity import BODY_BYTES_MAX, WebhookRefused, WebhookRule
from bookrunner.api.gateway import Gateway
from bookrunner.api.routing import Router
from bookrunner.api.shapes import OfferId
from bookrunner.api.shapes.papers import Envelopes, NoticeHeard, TradeHeard
from bookrunner.core.errors import Malformed, NotAuthenticated

if TYPE_CHECKING:
    from bookrunner.books.subscription import Heard
    from bookrunner.engine.intake.trades import Heard as Trade

_UNSIGNED = frozenset(
    {
        WebhookRule.HEADERS_ARE_COMPLETE.value,
        WebhookRule.TIMESTAMP_IS_RECENT.value,
        WebhookRule.SIGNATURE_MATCHES.value,
    }
)

VenueId = Annotated[str, StringConstraints(pattern="^vnu_[0-9A-Za-z_]{1,64}$")]
T = TypeVar("T")
Headers = Iterable[tuple[str, str]]
HearSettlement = Callable[[Headers, bytes], str]
HearPayment = Callable[[str, Headers, bytes], str]
HearTrade = Callable[[tuple[str, str], Headers, bytes], "Trade"]
HearSignature = Callable[[str, Headers, bytes], Sequence["Heard"]]


def payments(gateway: Gateway, hear: HearPayment) -> APIRouter:
    """Return the route; ``hear`` takes provider, headers as they came and raw body, and says what it did."""
    router = Router(prefix="/v1/webhooks/payments", tags=["webhooks"])

    @router.post("/{provider}", operation_id="hear_payment")
    async def heard(provider: str, request: Request) -> NoticeHeard:
        """Take one notice; a repetition is answered like the first time and has no effect."""
        return {"result": await _heard(gateway, provider, request, hear)}

    return router


def settlements(gateway: Gateway, hear: HearSettlement) -> APIRouter:
    """Return the route; ``hear`` takes headers as they came and raw body, and says what it did."""
    router = Router(prefix="/v1/webhooks/settlements", tags=["webhooks"])

    @router.post("", operation_id="hear_settlement")
    async def heard(request: Request) -> NoticeHeard:
        """Take one settlement; a repetition is answered ``known`` and has no effect."""
        said = await _heard(gateway, "", request, lambda _, headers, body: hear(headers, body))
        return {"result": said}

    return router


def trades(gateway: Gateway, hear: HearTrade) -> APIRouter:
    """Return the route; ``hear`` takes offer and venue, headers as they came and raw body."""
    router = Router(prefix="/v1/webhooks/trades", tags=["webhooks"])

    @router.post("/{offer}/{venue}", operation_id="hear_trade")
    async def heard(offer: OfferId, venue: VenueId, request: Request) -> TradeHeard:
        """Take one executed trade; ``rejected`` names the rules, and a repetition tells how it stands now."""
        on = (offer, venue)
        said = await _heard(gateway, "", request, lambda _, *sent: hear(on, *sent))
        return {**said}

    return router


def signatures(gateway: Gateway, hear: HearSignature) -> APIRouter:
    """Return the route; ``hear`` looks at each envelope that a message names and says where it stands."""
    router = Router(prefix="/v1/webhooks/signatures", tags=["webhooks"])

    @router.post("/{provider}", operation_id="hear_signature")
    async def heard(provider: str, request: Request) -> Envelopes:
        """Take one message as a hint to look; what it says moves nothing, and it may come again."""
        found = await _heard(gateway, provider, request, hear)
        return {
            "envelopes": [{"ref": each.ref, "state": each.state, "refused": each.refused} for each in found]
        }

    return router


async def _heard(
    gateway: Gateway, provider: str, request: Request, hear: Callable[[str, Headers, bytes], T]
) -> T:
    body = await _raw(request)
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw]
    try:
        return await gateway.run(lambda: hear(provider, headers, body))
    except WebhookRefused as refused:
        kind = NotAuthenticated if refused.rule in _UNSIGNED else Malformed
        raise kind(refused.rule, refused.detail) from None


async def _raw(request: Request) -> bytes:
    """Read the body as it came; one that is too long is not read to its end."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > BODY_BYTES_MAX:
            raise Malformed(WebhookRule.BODY_FITS_LIMIT.value, "more than 1 MiB")
    return bytes(body)
