"""Every refusal as problem details (RFC 9457)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import AwareDatetime, BaseModel
from starlette.exceptions import HTTPException

from bookrunner.api.shapes.moments import instant
from bookrunner.core.credentials import read_key
from bookrunner.core.errors import (
    BookrunnerError,
    GateClosed,
    NotAuthenticated,
    NotReady,
    Refused,
    StillRunning,
    TooManyCalls,
)
from bookrunner.core.ids import new_id
from bookrunner.core.log import mark, tell, warn
from bookrunner.core.status import status_of

MEDIA_TYPE = "application/problem+json"
METADATA = "/.well-known/oauth-protected-resource"


class MissingCondition(BaseModel):
    """One condition that a gate waits for: whose it is, and since when it has been open."""

    condition: str
    keeper: str
    since: AwareDatetime
    investment: str | None


class ClosedGate(BaseModel):
    """The act that a gate keeps from happening, and what it waits for, in the order to fix it."""

    act: str
    missing: list[MissingCondition]


class ShapeFault(BaseModel):
    """One fault of a request's shape: where it is (RFC 6901), and what is wrong."""

    pointer: str
    detail: str


class Problem(BaseModel):
    """A refusal (RFC 9457): ``code`` is the broken rule and stays; ``request_id`` finds the call in a log."""

    type: str
    title: str
    status: int
    code: str
    instance: str
    request_id: str
    detail: str = ""
    errors: list[ShapeFault] = []
    gate: ClosedGate | None = None


def install(app: FastAPI) -> None:
    """Make ``app`` answer every refusal and fault as problem details."""

    @app.exception_handler(BookrunnerError)
    async def ours(request: Request, error: BookrunnerError) -> Response:
        return answer(request, error)

    @app.exception_handler(RequestValidationError)
    async def misshapen(request: Request, error: RequestValidationError) -> Response:
        # The input itself is not repeated: it may hold personal data.
        errors = [{"pointer": _pointer(one["loc"]), "detail": one["msg"]} for one in error.errors()]
        return _problem(request, 422, "request_has_the_agreed_shape", {"errors": errors})

    @app.exception_handler(HTTPException)
    async def unrouted(request: Request, error: HTTPException) -> Response:
        code = "path_exists" if error.status_code == HTTPStatus.NOT_FOUND else "method_is_offered"
        return _problem(request, error.status_code, code, {}, headers=error.headers)


def answer(request: Request, error: BookrunnerError) -> Response:
    """Return the problem that an error is."""
    status = status_of(error)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR and not isinstance(error, NotReady):
        warn("a request failed", kind=type(error).__name__)
        headers = {"Retry-After": "1"} if status == HTTPStatus.SERVICE_UNAVAILABLE else {}
        return _problem(request, status, "server_can_answer", {}, headers=headers)
    code = error.rule if isinstance(error, Refused) else "record_exists"
    extra: dict[str, object] = {"detail": error.detail if isinstance(error, Refused) else str(error)}
    headers = (
        {} if (challenge := _challenge(request, status, code)) is None else {"WWW-Authenticate": challenge}
    )
    if isinstance(error, StillRunning | NotReady):
        headers["Retry-After"] = "1"
    if isinstance(error, TooManyCalls):
        headers["Retry-After"] = str(error.seconds)
    if isinstance(error, GateClosed):
        extra["gate"] = gate(error)
    return _problem(request, status, code, extra, headers=headers)


def _challenge(request: Request, status: HTTPStatus, code: str) -> str | None:
    """Return what to authenticate with (RFC 6750, 3), and where that is described (RFC 9728, 5.1)."""
    said = []
    if status == HTTPStatus.UNAUTHORIZED and "authorization" in request.headers:
        said.append('error="invalid_token"')
    elif status == HTTPStatus.FORBIDDEN and code == "token_has_the_scope":
        said.append('error="insufficient_scope"')
    elif status != HTTPStatus.UNAUTHORIZED:
        return None
    door = getattr(request.app.state, "door", None) if "app" in request.scope else None
    if door is not None and door.tokens is not None:
        said.append(f'resource_metadata="{str(request.base_url).rstrip("/")}{METADATA}"')
    return f"Bearer {', '.join(said)}".rstrip()


def too_long(request: Request) -> Response:
    """Return the problem of a request longer than this API reads."""
    return _problem(request, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "request_fits_its_limit", {})


def gate(closed: GateClosed) -> dict[str, object]:
    """Return what a closed gate waits for, in the order to fix it."""
    return {
        "act": closed.act,
        "missing": [
            {
                "condition": m.condition,
                "keeper": m.keeper,
                "since": instant(m.since),
                "investment": m.investment_id,
            }
            for m in closed.missing
        ],
    }


def _problem(
    request: Request,
    status: int,
    code: str,
    extra: Mapping[str, object],
    *,
    headers: Mapping[str, str] | None = None,
) -> Response:
    asked = request.headers.get("idempotency-key") or new_id("req")
    if status < HTTPStatus.INTERNAL_SERVER_ERROR:
        tell("a call is refused", rule=code, status=int(status), request=asked, **_seen(request))
    body = {
        "type": f"urn:bookrunner:refusal:{code}",
        "title": HTTPStatus(status).phrase,
        "status": int(status),
        "code": code,
        "instance": request.url.path,
        "request_id": asked,
        **extra,
    }
    return Response(json.dumps(body), status, dict(headers or {}), MEDIA_TYPE)


def _seen(request: Request) -> dict[str, str]:
    """Return the operation that was asked for, and the mark of a key of ours; of anything else nothing."""
    operation = request.scope.get("operation") or getattr(request.scope.get("route"), "operation_id", None)
    seen = {} if operation is None else {"operation": operation}
    try:
        key_sha256 = read_key(request.headers.get("authorization", "").partition(" ")[2])[1]
    except NotAuthenticated:
        return seen
    return seen | {"credential": mark(key_sha256)}


def _pointer(place: tuple[int | str, ...]) -> str:
    return "/" + "/".join(str(part).replace("~", "~0").replace("/", "~1") for part in place)
