"""Messages of identity providers: no API key is asked for, the signature decides."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from fastapi import APIRouter, Request

from bookrunner.adapters.identity import BODY_BYTES_MAX, IdentityProvider
from bookrunner.api.gateway import Gateway
from bookrunner.api.routing import Router
from bookrunner.api.shapes.papers import Fresh
from bookrunner.core.errors import UnknownRecord
from bookrunner.engine import Desk
from bookrunner.engine.intake import receive_identity

Providers = Mapping[str, tuple[IdentityProvider, Mapping[str, bytes]]]
"""The providers that may post, by name, each with its active secrets by key id."""


def routes(gateway: Gateway, providers: Providers) -> APIRouter:
    """Return the route below ``/v1/webhooks/identity``; a provider that is not set up has none."""
    router = Router(prefix="/v1/webhooks/identity", tags=["identity"])
    desk = Desk(gateway.database)

    @router.post("/{provider}", operation_id="receive_identity", status_code=202)
    async def receive(provider: str, request: Request) -> Fresh:
        """Keep one signed message and tell the compliance book; ``fresh`` is false where it came before."""
        if provider not in providers:
            raise UnknownRecord("identity_provider_is_known", "no provider of this name is set up")
        body = bytearray()
        async for piece in request.stream():
            body += piece
            # One byte more than the limit is enough to refuse it; the rest is not read.
            if len(body) > BODY_BYTES_MAX:
                break
        message = request.headers.items(), bytes(body)
        scheme, secrets = providers[provider]
        work = partial(receive_identity, desk, scheme, message, secrets)
        return {"fresh": await gateway.run(work)}

    return router
