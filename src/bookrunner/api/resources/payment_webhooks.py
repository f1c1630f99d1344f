"""Signed notices of payment providers: no key of ours, the signature over the raw body is the credential."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from fastapi import APIRouter, Request

from bookrunner.adapters.identity import WebhookRefused, WebhookRule
from bookrunner.api.gateway import Gateway
from bookrunner.core.errors import Malformed, NotAuthenticated

BODY_BYTES_MAX = 1024 * 1024
_UNSIGNED = frozenset(
    {
        WebhookRule.HEADERS_ARE_COMPLETE.value,
        WebhookRule.TIMESTAMP_IS_RECENT.value,
        WebhookRule.SIGNATURE_MATCHES.value,
    }
)

Hear = Callable[[str, Iterable[tuple[str, str]], bytes], str]


def routes(gateway: Gateway, hear: Hear) -> APIRouter:
    """Return the route; ``hear`` takes provider, headers as they came and raw body, and says what it did."""
    router = APIRouter(prefix="/v1/webhooks/payments", tags=["webhooks"])

    @router.post("/{provider}", operation_id="hear_payment")
    async def heard(provider: str, request: Request) -> dict[str, Any]:
        """Take one notice; a repetition is answered like the first time and has no effect."""
        body = await _raw(request)
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw]
        try:
            result = await gateway.run(lambda: hear(provider, headers, body))
        except WebhookRefused as refused:
            kind = NotAuthenticated if refused.rule in _UNSIGNED else Malformed
            raise kind(refused.rule, refused.detail) from None
        return {"result": result}

    return router


async def _raw(request: Request) -> bytes:
    """Read the body as it came; one that is too long is not read to its end."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > BODY_BYTES_MAX:
            raise Malformed(WebhookRule.BODY_FITS_LIMIT.value, "more than 1 MiB")
    return bytes(body)
