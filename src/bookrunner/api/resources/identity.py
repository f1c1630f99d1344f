"""Messages of identity providers: no API key is asked for, the signature decides."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from fastapi import APIRouter, Request

from bookrunner.adapters.identity.providers import PROVIDERS
from bookrunner.adapters.identity.scheme import BODY_BYTES_MAX
from bookrunner.api.gateway import Gateway
from bookrunner.core.errors import UnknownRecord
from bookrunner.engine import Desk
from bookrunner.engine.intake import receive_identity

Secrets = Mapping[str, Mapping[str, bytes]]
"""The active secrets of each provider, by key id."""


def routes(gateway: Gateway, secrets: Secrets) -> APIRouter:
    """Return the route below ``/v1/webhooks/identity``; a provider without secrets has none."""
    router = APIRouter(prefix="/v1/webhooks/identity", tags=["identity"])
    desk = Desk(gateway.database)

    @router.post("/{provider}", operation_id="receive_identity", status_code=202)
    async def receive(provider: str, request: Request) -> dict[str, bool]:
        """Keep one signed message and tell the compliance book; ``fresh`` is false where it came before."""
        if provider not in PROVIDERS or not secrets.get(provider):
            raise UnknownRecord("identity_provider_is_known", "no provider of this name is set up")
        body = bytearray()
        async for piece in request.stream():
            body += piece
            # One byte more than the limit is enough to refuse it; the rest is not read.
            if len(body) > BODY_BYTES_MAX:
                break
        message = request.headers.items(), bytes(body)
        work = partial(receive_identity, desk, PROVIDERS[provider], message, secrets[provider])
        return {"fresh": await gateway.run(work)}

    return router
