"""The API's description (OpenAPI 3.1): what each operation reads from headers, and every answer it has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from bookrunner.api.caller import caller, decision, repeatable, versioned, write
from bookrunner.api.hooks.kinds import described, hint_schemas
from bookrunner.api.problems import MEDIA_TYPE, Problem
from bookrunner.api.routing import Operation
from bookrunner.api.shapes import reader
from bookrunner.api.shapes.examples import BODIES

_ABOUT = (
    "Runs a tokenized offering over five books as one gated workflow. Money is a text with its currency,"
    " units are texts of digits, moments are RFC 3339 in UTC. Every refusal is problem details (RFC 9457)."
)
_KEY = "key"
_IDEMPOTENCY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "Chosen by the caller, once for each act; the same again returns the stored answer.",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9._:-]{1,128}$"},
    "example": "2026-03-02-close-1",
}
_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": True,
    "description": "The ETag of the version that is decided on, as it came.",
    "schema": {"type": "string", "pattern": '^"[0-9a-f.]{1,64}"$'},
    "example": '"3"',
}
_WRITES = {write, versioned, decision}
_KEYED = {caller, *_WRITES}
_TEXT = {"schema": {"type": "string"}}
_SECONDS = {"description": "Seconds after which to send the same again.", "schema": {"type": "integer"}}
_ANSWERED = {
    "ETag": {"description": "The version that the next decision names.", **_TEXT},
    "Idempotent-Replayed": {"description": "`true` when this is the stored answer of a repetition.", **_TEXT},
}
_LIMITED = {
    "RateLimit-Policy": {
        "description": "The limit: calls (`q`) in seconds (`w`), by key or address.",
        **_TEXT,
    },
    "RateLimit": {"description": "Calls that are left (`r`), and seconds until all are back (`t`).", **_TEXT},
}
_SAID = {
    400: "A header is missing or cannot be read.",
    401: "No key or signature is given, or it is not in force.",
    403: "Another keeper decides this.",
    404: "There is no such record.",
    409: "A gate is closed (`gate`), another rule is broken, or the same request still runs.",
    412: "The version has changed since it was seen.",
    422: "The shape is wrong (`errors`), or the key was used for another request.",
    428: "The version that is decided on is not named.",
    429: "The key or the address has used up its calls; nothing was done.",
    503: "Nothing can be said now; send the same again.",
}


def describe(app: FastAPI) -> None:
    """Have ``app`` describe its operations with what the calls read and answer beside their bodies.

    The same is a page to read at ``/docs``.
    """

    def told() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _described(app)
        return app.openapi_schema

    app.openapi = told  # type: ignore[method-assign]
    app.include_router(reader.routes(app))


def offered(app: FastAPI, path: str) -> list[str]:
    """Return the methods that some operation offers at a path."""
    found: set[str] = set()
    for route in app.routes:
        if isinstance(route, Operation) and route.include_in_schema and route.path_regex.fullmatch(path):
            found |= route.methods or set()
    return sorted(found)


def writes(app: FastAPI) -> Mapping[str, tuple[str, str]]:
    """Return method and path of each write that a key makes, by its operation."""
    return {
        str(route.operation_id): (method, str(route.path_format))
        for route in _operations(app)
        if set(_calls(route.dependant)) & _WRITES
        for method in sorted(route.methods or ())
    }


def _operations(app: FastAPI) -> Iterator[APIRoute]:
    for route in app.routes:
        if isinstance(route, Operation) and route.include_in_schema:
            yield route.analysed


def _described(app: FastAPI) -> dict[str, Any]:
    served = list(_operations(app))
    text = get_openapi(title=app.title, version=app.version, description=_ABOUT, routes=served)
    parts = text.setdefault("components", {})
    parts.setdefault("schemas", {}).update(_problem() | hint_schemas())
    text["webhooks"] = described()
    parts["securitySchemes"] = {
        _KEY: {"type": "http", "scheme": "bearer", "description": "A key that `bookrunner key` issued."}
    }
    parts["responses"] = {str(status): _refusal(status, said) for status, said in _SAID.items()}
    parts["responses"]["Taken"] = {"description": "The message is taken; anything else is tried again."}
    for unused in ("HTTPValidationError", "ValidationError"):
        parts["schemas"].pop(unused, None)
    for route in served:
        for method in sorted(route.methods or ()):
            _complete(text["paths"][str(route.path_format)][method.lower()], route)
    return text


def _problem() -> dict[str, Any]:
    """Return the schemas of a refusal, each under its name."""
    whole: dict[str, Any] = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    inner: dict[str, Any] = whole.pop("$defs")
    return inner | {"Problem": whole}


def _complete(operation: dict[str, Any], route: APIRoute) -> None:
    """Add to one operation what its dependencies read and refuse."""
    reads = set(_calls(route.dependant))
    is_write, decides, is_ours = bool(reads & _WRITES), decision in reads, bool(reads & _KEYED)
    answers: dict[str, Any] = operation["responses"]
    operation["summary"] = str(operation["operationId"]).replace("_", " ").capitalize()
    if example := BODIES.get(operation["operationId"]):
        operation["requestBody"]["content"]["application/json"]["example"] = example
    answers.pop("422", None)
    statuses = {503} | {int(status) for status in answers if status.startswith("4")}
    if is_ours:
        operation["security"] = [{_KEY: []}]
        statuses |= {401, 403}
    if operation.get("parameters") or "requestBody" in operation:
        statuses.add(422)
    if "{" in str(route.path_format) or is_write:
        statuses.add(404)
    if is_write or repeatable in reads:
        operation.setdefault("parameters", []).append(_IDEMPOTENCY)
        statuses |= {400, 409, 422}
        _done(answers)["headers"] = _ANSWERED
    if decides:
        operation["parameters"].append(_IF_MATCH)
        statuses |= {412, 428}
    if versioned in reads:
        operation["parameters"].append(_IF_MATCH | {"required": False})
        statuses.add(412)
    if is_ours or str(route.path_format).startswith("/v1/"):
        statuses.add(429)
        done = _done(answers)
        done["headers"] = done.get("headers", {}) | _LIMITED
    for status in sorted(statuses):
        answers[str(status)] = {"$ref": f"#/components/responses/{status}"}


def _done(answers: dict[str, Any]) -> dict[str, Any]:
    """Return the answer of an operation that was carried out."""
    answer: dict[str, Any] = next(answer for status, answer in answers.items() if status.startswith("2"))
    return answer


def _calls(dependant: Dependant) -> Iterator[object]:
    yield dependant.call
    for inner in dependant.dependencies:
        yield from _calls(inner)


def _refusal(status: int, said: str) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "description": f"{HTTPStatus(status).phrase}. {said}",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if status == HTTPStatus.UNAUTHORIZED:
        answer["headers"] = {"WWW-Authenticate": {"description": "`Bearer`", **_TEXT}}
    if status in (HTTPStatus.CONFLICT, HTTPStatus.SERVICE_UNAVAILABLE):
        answer["headers"] = {"Retry-After": _SECONDS}
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        answer["headers"] = {"Retry-After": _SECONDS} | _LIMITED
    return answer
