"""What a call may raise: each refusal of the server as a class of its own, with everything that it said."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Final

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

from bookrunner.core import errors
from bookrunner.core.errors import Missing


class ShapeFault(BaseModel):
    """One fault of what was sent: where it is (RFC 6901), and what is wrong."""

    model_config = ConfigDict(frozen=True)

    pointer: str
    detail: str


class _Condition(BaseModel):
    condition: str
    keeper: str
    since: datetime
    investment: str | None = None


class _Gate(BaseModel):
    act: str
    missing: tuple[_Condition, ...]


class Problem(BaseModel):
    """A refusal as the server wrote it (RFC 9457); ``request_id`` finds the call in its log."""

    model_config = ConfigDict(frozen=True)

    status: int
    code: str
    title: str = ""
    detail: str = ""
    instance: str = ""
    request_id: str = ""
    errors: tuple[ShapeFault, ...] = ()
    gate: _Gate | None = None


class ApiRefused(errors.Refused):
    """The server refused the call; nothing was changed, save where a class below says otherwise.

    ``rule`` is the stable name of the broken rule, ``problem`` all that the server said, ``idempotency_key``
    what a write was sent under.
    """

    idempotency_key: str | None = None

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code, problem.detail)
        self.problem = problem


class GateClosed(ApiRefused, errors.GateClosed):
    """A gate is closed; ``missing`` names each condition, its keeper and since when, in the order to fix."""

    def __init__(self, problem: Problem) -> None:
        gate = problem.gate or _Gate(act="", missing=())
        errors.GateClosed.__init__(
            self,
            gate.act,
            [Missing(m.condition, m.keeper, m.since, m.investment or "") for m in gate.missing],
        )
        self.problem = problem


class HeaderMissing(ApiRefused, errors.HeaderMissing):
    """A header of the call is missing or cannot be read."""


class NotAuthenticated(ApiRefused, errors.NotAuthenticated):
    """No key was sent, or it is not in force."""


class NotAllowed(ApiRefused, errors.NotAllowed):
    """The key is known, and another authority decides this."""


class NotFound(ApiRefused, errors.UnknownRecord):
    """The record does not exist, or is not for this key to see."""


class StillRunning(ApiRefused, errors.StillRunning):
    """The same request is being carried out; its answer can be had with the same key a little later."""


class VersionChanged(ApiRefused, errors.VersionChanged):
    """The record is no longer the one that the decision was made on: read it again, then decide."""


class Malformed(ApiRefused, errors.Malformed):
    """What was sent has not the agreed shape (``problem.errors``), or its key was used for something else."""


class VersionNotNamed(ApiRefused, errors.VersionNotNamed):
    """The decision does not say which version it is made on."""


class TooManyRequests(ApiRefused, errors.Unavailable):
    """The key has made more calls than it may at this time."""


class NotReady(ApiRefused, errors.NotReady):
    """The server can say nothing now; the same call may succeed later."""


class ServerFault(ApiRefused):
    """The server failed, or answered what is no refusal of Bookrunner's.

    Whether a write had an effect is not known: send it again under ``idempotency_key``.
    """


class Unreachable(errors.Unavailable):
    """No answer came; whether a write had an effect is not known.

    Send it again under ``idempotency_key``: it happens once, and its answer comes back.
    """

    def __init__(self, because: str, idempotency_key: str | None) -> None:
        super().__init__(because)
        self.idempotency_key = idempotency_key


_BY_STATUS: Final[dict[int, type[ApiRefused]]] = {
    HTTPStatus.BAD_REQUEST: HeaderMissing,
    HTTPStatus.UNAUTHORIZED: NotAuthenticated,
    HTTPStatus.FORBIDDEN: NotAllowed,
    HTTPStatus.NOT_FOUND: NotFound,
    HTTPStatus.CONFLICT: ApiRefused,
    HTTPStatus.PRECONDITION_FAILED: VersionChanged,
    HTTPStatus.UNPROCESSABLE_ENTITY: Malformed,
    HTTPStatus.PRECONDITION_REQUIRED: VersionNotNamed,
    HTTPStatus.TOO_MANY_REQUESTS: TooManyRequests,
    HTTPStatus.SERVICE_UNAVAILABLE: NotReady,
}


def refusal(answer: httpx.Response) -> ApiRefused:
    """Return the error that an answer of status 300 or above is."""
    try:
        problem = Problem.model_validate_json(answer.content)
    except ValidationError:
        problem = Problem(status=answer.status_code, code="server_can_answer", detail=answer.reason_phrase)
        return _BY_STATUS.get(answer.status_code, ServerFault)(problem)
    if problem.gate is not None:
        return GateClosed(problem)
    if answer.status_code == HTTPStatus.CONFLICT and "retry-after" in answer.headers:
        return StillRunning(problem)
    return _BY_STATUS.get(answer.status_code, ServerFault)(problem)
