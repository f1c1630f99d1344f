"""The one place that gives an error its HTTP status, for the API and for the pages."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from bookrunner.core.errors import (
    BookrunnerError,
    GateClosed,
    HeaderMissing,
    Malformed,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    NotReady,
    Refused,
    StillRunning,
    TooManyCalls,
    Unavailable,
    VersionChanged,
    VersionNotNamed,
)

STATUS: Final[Mapping[type[BookrunnerError], HTTPStatus]] = {
    HeaderMissing: HTTPStatus.BAD_REQUEST,
    NotAuthenticated: HTTPStatus.UNAUTHORIZED,
    NotAllowed: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    NotReady: HTTPStatus.SERVICE_UNAVAILABLE,
    GateClosed: HTTPStatus.CONFLICT,
    StillRunning: HTTPStatus.CONFLICT,
    Refused: HTTPStatus.CONFLICT,
    VersionChanged: HTTPStatus.PRECONDITION_FAILED,
    Malformed: HTTPStatus.UNPROCESSABLE_ENTITY,
    VersionNotNamed: HTTPStatus.PRECONDITION_REQUIRED,
    TooManyCalls: HTTPStatus.TOO_MANY_REQUESTS,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    BookrunnerError: HTTPStatus.INTERNAL_SERVER_ERROR,
}


def status_of(error: BookrunnerError) -> HTTPStatus:
    """Return the status of an error: that of its nearest class in ``STATUS``; not found wins over refused."""
    if isinstance(error, NotFound):
        return STATUS[NotFound]
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
