"""How a call goes out: time limits, repetition of what is safe to repeat, and answers as records."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from ipaddress import ip_address
from types import TracebackType
from typing import Final, NamedTuple, Self, TypeVar
from urllib.parse import quote

import httpx
from pydantic import JsonValue, TypeAdapter, ValidationError

from bookrunner import __version__
from bookrunner.client.errors import Unreachable, refusal
from bookrunner.client.records import ETag, Record, Sent
from bookrunner.core.errors import Refused, VersionNotNamed
from bookrunner.core.ids import new_id

R = TypeVar("R", bound=Record)
Place = TypeVar("Place", str, int)

CONNECT_SECONDS: Final = 5
ANSWER_SECONDS: Final = 30
ATTEMPTS: Final = 4
_FIRST_PAUSE_SECONDS: Final = 0.2
_LONGEST_PAUSE_SECONDS: Final = 10
_LATER: Final = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
_JSON: Final[TypeAdapter[JsonValue]] = TypeAdapter(JsonValue)


class Operation(NamedTuple):
    """One operation of the description: its method, its path, what its calls carry in headers and query."""

    method: str
    path: str
    is_keyed: bool = False
    names_version: bool = False
    query: tuple[str, ...] = ()

    @property
    def is_repeatable(self) -> bool:
        """Whether sending the same again changes nothing more."""
        return self.method == "GET" or self.is_keyed


@dataclass(frozen=True, slots=True)
class Call:
    """What fills an operation: parts of the path, the query, the body and the headers of a write."""

    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str | int | datetime | None] = field(default_factory=dict)
    body: Sent | JsonValue = None
    if_match: ETag | None = None
    idempotency_key: str | None = None


def fresh_key() -> str:
    """Return an idempotency key for one act; keep it to make the same act again."""
    return new_id("req")


class Transport:
    """Sends calls to one server under one key, over connections that it keeps."""

    def __init__(
        self,
        url: str,
        key: str | None = None,
        *,
        answer_seconds: float = ANSWER_SECONDS,
        attempts: int = ATTEMPTS,
        pause: Callable[[float], None] = time.sleep,
        in_the_clear_to: str | None = None,
        trust_environment: bool = False,
    ) -> None:
        """Call the server at ``url`` with an API key; ``pause`` is what waits before a repetition.

        Without TLS a key goes to the loopback alone, or to the host that ``in_the_clear_to`` names; anything
        else is refused: ``key_goes_over_tls``. Proxies and credentials of the environment are used only when
        ``trust_environment`` says so.
        """
        if key is not None:
            _require_cover(url, in_the_clear_to)
        headers = {"User-Agent": f"bookrunner-python/{__version__}"}
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        limits = httpx.Timeout(answer_seconds, connect=min(CONNECT_SECONDS, answer_seconds))
        self._http = httpx.Client(
            base_url=url.rstrip("/"), headers=headers, timeout=limits, trust_env=trust_environment
        )
        self._attempts = attempts
        self._pause = pause

    def __enter__(self) -> Self:
        """Lend the connections to a block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def record(self, shape: type[R], operation: Operation, call: Call) -> R:
        """Return the answer as a record of ``shape`` with its version; raises as :meth:`send`."""
        answer = self.send(operation, call)
        try:
            found = shape.model_validate_json(answer.content)
            if "etag" in answer.headers:
                # Whatever compresses an answer on its way calls its version weak; the version is the same.
                strong = answer.headers["etag"].removeprefix("W/")
                found._etag = ETag(strong)  # noqa: SLF001 - the record's own module reads it
        except (ValidationError, Refused) as fault:
            raise _unreadable(answer) from fault
        found._replayed = answer.headers.get("idempotent-replayed") == "true"  # noqa: SLF001 - as above
        return found

    def content(self, operation: Operation, call: Call) -> bytes:
        """Return the bytes of an answer that is no record; raises as :meth:`send`."""
        return self.send(operation, call).content

    def value(self, operation: Operation, call: Call) -> JsonValue:
        """Return the answer as plain JSON; raises as :meth:`send`."""
        answer = self.send(operation, call)
        try:
            return _JSON.validate_json(answer.content)
        except ValidationError as fault:
            raise _unreadable(answer) from fault

    def send(self, operation: Operation, call: Call) -> httpx.Response:
        """Make a call, again where that is safe, and return its answer.

        A read, and a write under its idempotency key, is repeated when no answer came, when the server asks
        to come back later, and while the same request still runs. Raises Unreachable, or the ApiRefused that
        the last answer is; refuses ``path_part_is_one_segment`` and ``decision_names_its_version``.
        """
        request = self._request(operation, call)
        attempts = self._attempts if operation.is_repeatable else 1
        for number in range(1, attempts + 1):
            try:
                answer = self._http.send(request)
            except (httpx.TransportError, httpx.DecodingError) as error:
                if number == attempts:
                    sent = request.headers.get("idempotency-key")
                    raise Unreachable(f"{type(error).__name__}: no answer", sent) from error
                self._pause(_pause_seconds(number, None))
                continue
            if answer.is_success:
                return answer
            if number == attempts or not _asks_for_later(answer):
                refused = refusal(answer)
                refused.idempotency_key = request.headers.get("idempotency-key")
                raise refused
            self._pause(_pause_seconds(number, answer.headers.get("retry-after")))
        raise AssertionError("the last attempt returns or raises")

    def _request(self, operation: Operation, call: Call) -> httpx.Request:
        parts = {name: _segment(value) for name, value in call.path.items()}
        headers: dict[str, str] = {}
        if operation.is_keyed:
            headers["Idempotency-Key"] = call.idempotency_key or fresh_key()
        if call.if_match is not None:
            headers["If-Match"] = call.if_match.text
        elif operation.names_version:
            raise VersionNotNamed("decision_names_its_version", "pass if_match=record.etag")
        body = call.body
        sent = (
            body.model_dump(mode="json", by_alias=True, exclude_unset=True)
            if isinstance(body, Sent)
            else body
        )
        query = {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in call.query.items()
            if value is not None
        }
        return self._http.build_request(
            operation.method, operation.path.format(**parts), params=query, json=sent, headers=headers
        )


def _require_cover(url: str, named: str | None) -> None:
    """Refuse an address to which a key would go for everybody on the way to read."""
    parts = httpx.URL(url)
    if parts.scheme == "https" or parts.host == named or _is_loopback(parts.host):
        return
    raise Refused("key_goes_over_tls", "use https, or name the host by in_the_clear_to")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _unreadable(answer: httpx.Response) -> Unreachable:
    sent = answer.request.headers.get("idempotency-key")
    return Unreachable(f"{answer.status_code}, and the answer is no record of Bookrunner's", sent)


def every(page: Callable[[Place | None], tuple[list[R], Place | None]]) -> Iterator[R]:
    """Yield the records of all pages; ``page`` returns those after a place, and the next place."""
    at: Place | None = None
    while True:
        records, after = page(at)
        yield from records
        if not records or after is None or after == at:
            return
        at = after


def _segment(value: str) -> str:
    """Write a part of a path; one that would name another path is refused: %2F is read as a slash."""
    if value in {"", ".", ".."} or "/" in value:
        raise Refused("path_part_is_one_segment", "ids have no slash")
    return quote(value, safe="")


def _asks_for_later(answer: httpx.Response) -> bool:
    runs = answer.status_code == HTTPStatus.CONFLICT and "retry-after" in answer.headers
    return runs or answer.status_code in _LATER


def _pause_seconds(number: int, told: str | None) -> float:
    """Return how long to wait: what the server said, else twice as long each time, with jitter."""
    if told is not None and told.isdecimal():
        return min(float(told), _LONGEST_PAUSE_SECONDS)
    # Jitter only spreads the rivals; nothing secret depends on it.
    most: float = min(_FIRST_PAUSE_SECONDS * 2**number, _LONGEST_PAUSE_SECONDS)
    return random.uniform(most / 2, most)  # noqa: S311
