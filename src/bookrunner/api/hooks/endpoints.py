"""Endpoints of subscribers: registered, rotated, disabled and enabled, tested, and what was sent to them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response

from bookrunner.adapters.vault import Vault
from bookrunner.adapters.webhooks import SecretKeys, make_secret, parse_target, public_text
from bookrunner.api.caller import Called, Caller, Decided, Write, Written
from bookrunner.api.gateway import Gateway, T
from bookrunner.api.hooks import shapes
from bookrunner.api.hooks.shapes import DeliveryId, EndpointId
from bookrunner.api.routing import Router
from bookrunner.api.shapes import PAGE
from bookrunner.api.shapes.moments import instant
from bookrunner.core import clock
from bookrunner.core.credentials import ISSUER
from bookrunner.core.errors import Malformed, NotAllowed, UnknownRecord
from bookrunner.core.ids import new_id
from bookrunner.db import Row, Within
from bookrunner.db.pools.lanes import Value

_ENGINE: Final = "engine"
_WRITERS: Final = (_ENGINE, ISSUER)
_READERS: Final = (*_WRITERS, "audit")
_Limit = Annotated[int, Query(ge=1, le=PAGE)]


def routes(gateway: Gateway) -> APIRouter:
    """Return the routes of webhook endpoints.

    Keys of the engine and of issuers register, each issuer for its own offers; keys of audit read.
    """
    router = Router(prefix="/v1/webhooks/endpoints", tags=["endpoints"])
    _reads(router, gateway)
    _registers(router, gateway)
    _switches(router, gateway)
    _sends(router, gateway)
    return router


def _reads(router: APIRouter, gateway: Gateway) -> None:
    @router.get("", operation_id="list_webhook_endpoints")
    async def listed(caller: Called, after: EndpointId | None = None, limit: _Limit = 50) -> shapes.Endpoints:
        """List endpoints by id; ``next`` continues the list as ``after``, and is null at its end."""

        def work(of: Within) -> tuple[list[Row], list[Row]]:
            rows = list(of.webhook_endpoints(after=after, most=limit))
            return rows, list(of.webhook_secrets(endpoints=[row["endpoint_id"] for row in rows]))

        rows, secrets = await _looked(gateway, caller, work)
        following = rows[-1]["endpoint_id"] if len(rows) == limit else None
        return {"endpoints": [_shown(row, secrets) for row in rows], "next": following}

    @router.get("/{endpoint}", operation_id="read_webhook_endpoint")
    async def one(caller: Called, endpoint: EndpointId, response: Response) -> shapes.Endpoint:
        """Return one endpoint with its secrets' states and public keys."""

        def work(of: Within) -> tuple[Row, list[Row]]:
            return _required(of, endpoint), list(of.webhook_secrets(endpoints=[endpoint]))

        row, secrets = await _looked(gateway, caller, work)
        response.headers["ETag"] = f'"{row["version"]}"'
        return _shown(row, secrets)

    @router.get("/{endpoint}/deliveries", operation_id="list_webhook_deliveries")
    async def deliveries(
        caller: Called,
        endpoint: EndpointId,
        *,
        before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
        status: shapes.State | None = None,
        limit: _Limit = 50,
    ) -> shapes.Deliveries:
        """List what was sent to an endpoint or waits, the newest first, each with its last try."""

        def work(of: Within) -> list[Row]:
            _required(of, endpoint)
            return list(of.webhook_deliveries(endpoint=endpoint, before=before, status=status, most=limit))

        rows = await _looked(gateway, caller, work)
        following = rows[-1]["delivery_no"] if len(rows) == limit else None
        return {
            "deliveries": [_delivery(row, [] if row["attempt_no"] is None else [row]) for row in rows],
            "next": following,
        }

    @router.get("/{endpoint}/deliveries/{delivery}", operation_id="read_webhook_delivery")
    async def delivery(caller: Called, endpoint: EndpointId, delivery: DeliveryId) -> shapes.Delivery:
        """Return one message with every try."""

        def work(of: Within) -> tuple[Row, list[Row]]:
            found: Row | None = of.webhook_delivery(endpoint=endpoint, delivery=delivery)
            if found is None:
                raise UnknownRecord("webhook_delivery_exists", f"there is no {delivery} for {endpoint}")
            return found, list(of.webhook_attempts(delivery=delivery))

        row, attempts = await _looked(gateway, caller, work)
        return _delivery(row, attempts)


def _registers(router: APIRouter, gateway: Gateway) -> None:
    @router.post(
        "",
        operation_id="register_webhook_endpoint",
        response_model=shapes.Registered,
        status_code=HTTPStatus.CREATED,
    )
    async def registered(write: Written, body: shapes.NewEndpoint, request: Request) -> Response:
        """Register an endpoint; its secret is in this answer and never again."""
        parse_target(body.url, loopback=request.app.state.hooks_on_loopback)
        endpoint, keys = new_id("whe"), make_secret()
        said = json.dumps(body.model_dump(mode="json", exclude_none=True))
        secret = _sealed(gateway, endpoint, keys)
        answer = await _written(
            gateway, write, "register_webhook", endpoint=endpoint, said=said, secret=secret
        )
        return _with_secret(answer, keys, HTTPStatus.CREATED)

    @router.post(
        "/{endpoint}/rotations",
        operation_id="rotate_webhook_secret",
        response_model=shapes.Registered,
        status_code=HTTPStatus.CREATED,
    )
    async def rotated(write: Decided, endpoint: EndpointId, body: shapes.Rotation) -> Response:
        """Make a new secret; the earlier ones sign beside it until the overlap is over."""
        keys = make_secret()
        starts = None if body.starts_at is None else instant(body.starts_at)
        answer = await _written(
            gateway,
            write,
            "rotate_webhook",
            endpoint=endpoint,
            version=write.decided_on,
            secret=_sealed(gateway, endpoint, keys),
            starts=starts,
            overlap_hours=body.overlap_hours,
        )
        return _with_secret(answer, keys, HTTPStatus.CREATED)


def _switches(router: APIRouter, gateway: Gateway) -> None:
    @router.post(
        "/{endpoint}/disablements", operation_id="disable_webhook_endpoint", response_model=shapes.Switched
    )
    async def disabled(write: Decided, endpoint: EndpointId, body: shapes.Disablement) -> Response:
        """Send nothing to an endpoint any more."""
        version = write.decided_on
        return await _written(
            gateway, write, "switch_webhook", endpoint=endpoint, version=version, because=body.because
        )

    @router.post(
        "/{endpoint}/enablements", operation_id="enable_webhook_endpoint", response_model=shapes.Switched
    )
    async def enabled(write: Decided, endpoint: EndpointId) -> Response:
        """Send to an endpoint again, from the end of the feed on."""
        version = write.decided_on
        return await _written(
            gateway, write, "switch_webhook", endpoint=endpoint, version=version, because=None
        )


def _sends(router: APIRouter, gateway: Gateway) -> None:
    @router.post(
        "/{endpoint}/tests",
        operation_id="test_webhook_endpoint",
        response_model=shapes.Tested,
        status_code=HTTPStatus.CREATED,
    )
    async def tested(write: Written, endpoint: EndpointId) -> Response:
        """Have a message of no event sent."""
        answer = await _written(gateway, write, "test_webhook", endpoint=endpoint, delivery=new_id("whd"))
        answer.status_code = HTTPStatus.CREATED
        return answer

    @router.post(
        "/{endpoint}/deliveries/{delivery}/resends",
        operation_id="resend_webhook_delivery",
        response_model=shapes.Resent,
    )
    async def resent(write: Written, endpoint: EndpointId, delivery: DeliveryId) -> Response:
        """Have one message sent again, under the same id."""
        return await _written(
            gateway, write, "send_webhook", endpoint=endpoint, delivery=delivery, first=None, last=None
        )

    @router.post(
        "/{endpoint}/resends", operation_id="resend_webhook_deliveries", response_model=shapes.Resent
    )
    async def all_resent(write: Written, endpoint: EndpointId, body: shapes.Span) -> Response:
        """Have the messages of a part of the feed sent again, also of events that the endpoint missed."""
        if not 0 <= body.last - body.first < shapes.SPAN:
            raise Malformed("resend_spans_at_most_a_thousand_events", "first to last")
        return await _written(
            gateway,
            write,
            "send_webhook",
            endpoint=endpoint,
            delivery=None,
            first=body.first,
            last=body.last,
        )


async def _written(gateway: Gateway, asked: Write, verb: str, **arguments: Value) -> Response:
    """Carry a write out under the engine's login, for a key that its own login has judged."""
    actor = await gateway.admitted(asked.caller, *_WRITERS)
    return await gateway.write_for(asked, actor, _ENGINE, verb, **arguments)


async def _looked(gateway: Gateway, caller: Caller, work: Callable[[Within], T]) -> T:
    """Read under the caller's own login; an issuer reads its own endpoints behind row security."""

    def seen(of: Within) -> T:
        if caller.keeper not in _READERS:
            raise NotAllowed("key_serves_this_keeper", f"{' or '.join(_READERS)} reads this")
        return work(of)

    return await gateway.read(caller, seen)


def _required(of: Within, endpoint: str) -> Row:
    found: Row | None = of.webhook_endpoint(endpoint=endpoint)
    if found is None:
        raise UnknownRecord("webhook_endpoint_exists", f"there is no {endpoint}")
    return found


def _sealed(gateway: Gateway, endpoint: str, keys: SecretKeys) -> str:
    """Return what is kept of a secret: sealed under a key of its own, with the public key beside it."""
    vault, secret = Vault.of(gateway.database.endpoint.secrets), new_id("whs")
    wrapped = vault.new_key(endpoint)
    sealed = vault.seal(wrapped, endpoint, f"webhook/{secret}", keys.pack())
    kept = {"id": secret, "wrapped": wrapped.hex(), "sealed": sealed.hex(), "public_key": keys.public.hex()}
    return json.dumps(kept)


def _with_secret(answer: Response, keys: SecretKeys, status: int) -> Response:
    """Add the secret to the first answer; what is stored for repetitions does not have it."""
    said = json.loads(bytes(answer.body))
    is_first = "idempotent-replayed" not in answer.headers
    said["secret"] = keys.shown() if is_first else None
    said["public_key"] = public_text(keys.public) if is_first else None
    kept = {name: value for name, value in answer.headers.items() if name != "content-length"}
    return Response(json.dumps(said), status, headers={**kept, "cache-control": "no-store"})


def _shown(row: Row, secrets: list[Row]) -> shapes.Endpoint:
    own = [each for each in secrets if each["endpoint_id"] == row["endpoint_id"]]
    begun = [each["secret_id"] for each in own if each["valid_from"] <= clock.now()]
    return {
        "id": row["endpoint_id"],
        "status": row["status"],
        "url": row["url"],
        "kinds": row["kinds"],
        "offers": row["offers"],
        "form": row["form"],
        "issuer": row["issuer_id"],
        "registered_by": row["registered_by"],
        "held_by": row["held_by"],
        "registered_at": instant(row["registered_at"]),
        "disabled_because": row["disabled_because"],
        "failing_since": _moment(row["failing_since"]),
        "told_until": row["last_seq"],
        "waiting": row["waiting"],
        "parked": row["parked"],
        "secrets": [_secret(each, begun) for each in own],
        "version": str(row["version"]),
    }


def _secret(row: Row, begun: list[str]) -> shapes.SecretStanding:
    """Show a secret; of those that have ``begun`` to sign, the newest first, the first one is active."""
    secret = row["secret_id"]
    state = "next" if secret not in begun else "active" if secret == begun[0] else "retiring"
    return {
        "id": secret,
        "state": state,
        "public_key": public_text(bytes(row["public_key"])),
        "made_by": row["made_by"],
        "valid_from": instant(row["valid_from"]),
        "valid_until": _moment(row["valid_until"]),
        "last_used_at": _moment(row["last_used_at"]),
    }


def _delivery(row: Row, attempts: list[Row]) -> shapes.Delivery:
    return {
        "id": row["delivery_id"],
        "sequence": row["seq"],
        "kind": row["kind"],
        "scope": row["scope"],
        "subject": row["subject"],
        "version": row["version"],
        "status": row["status"],
        "tries": row["tries"],
        "due_at": instant(row["due_at"]) if row["status"] == "waiting" else None,
        "created_at": instant(row["created_at"]),
        "attempts": [_attempt(each) for each in attempts],
    }


def _attempt(row: Row) -> shapes.Attempt:
    return {
        "attempt": row["attempt_no"],
        "started_at": instant(row["started_at"]),
        "duration_ms": row["duration_ms"],
        "outcome": row["outcome"],
        "status_code": row["status_code"],
        "answer_sha256": None if row["answer_sha256"] is None else bytes(row["answer_sha256"]).hex(),
    }


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else instant(moment)
