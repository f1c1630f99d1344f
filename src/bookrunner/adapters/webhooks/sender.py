"""One try of sending one message: resolve once, check every address, connect to one of them, never follow."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import ssl
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from ipaddress import IPv6Address
from typing import Final, Literal, Self

import httpx

from bookrunner.adapters.webhooks.address import (
    HTTPS_PORT,
    AddressRefused,
    Target,
    check_address,
    parse_target,
)

SECONDS: Final = 15
ANSWER_BYTES_MAX: Final = 64 * 1024
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
Places = Sequence[tuple[object, object, object, object, tuple[object, ...]]]
Ask = Callable[[str, int], Places]


class Outcome(StrEnum):
    """What became of one try."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    REDIRECTED = "redirected"
    TIMED_OUT = "timed_out"
    UNREACHABLE = "unreachable"
    FORBIDDEN_ADDRESS = "forbidden_address"


@dataclass(frozen=True, slots=True)
class Answer:
    """A try and its answer: the status, how long it took, the SHA-256 of its first 64 KiB; no text of it."""

    outcome: Outcome
    duration_ms: int
    status_code: int | None = None
    answer_sha256: str | None = None


def _ask_system(host: str, port: int) -> Places:
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)


class Names:
    """Resolves names, each on a thread of its own, once at a time however many ask.

    The system's look-up cannot be called off. So a name that nobody answers for keeps the one thread that
    asks for it, and what is asked again meanwhile waits for that answer: no other name has to wait.
    """

    def __init__(self, ask: Ask = _ask_system) -> None:
        self._ask = ask
        self._guard = threading.Lock()
        self._asked: dict[tuple[str, int], Future[Places]] = {}

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """Return every address of a name; raises OSError."""
        found = await asyncio.wrap_future(self._under_way(host, port))
        return list(dict.fromkeys(str(place[0]) for *_, place in found))

    def _under_way(self, host: str, port: int) -> Future[Places]:
        with self._guard:
            asked = self._asked.get((host, port))
            if asked is None:
                asked = Future()
                # What runs cannot be cancelled: who waits may go away, and the answer is for everybody.
                asked.set_running_or_notify_cancel()
                # A daemon: a process that stops waits for no name.
                threading.Thread(target=self._look, args=(host, port), daemon=True, name="names").start()
                self._asked[host, port] = asked
            return asked

    def _look(self, host: str, port: int) -> None:
        with _LookUp(self._taken_off, (host, port)) as look_up:
            look_up.found = self._ask(host, port)

    def _taken_off(self, name: tuple[str, int]) -> Future[Places]:
        with self._guard:
            return self._asked.pop(name)


class _LookUp:
    """One look-up on its thread: however it ends, whoever waits for the name is told."""

    def __init__(self, take_off: Callable[[tuple[str, int]], Future[Places]], name: tuple[str, int]) -> None:
        self.found: Places = []
        self._take_off = take_off
        self._name = name

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self, _: type[BaseException] | None, fault: BaseException | None, __: object
    ) -> Literal[True]:
        """Hand the answer over; what is neither of the system nor of the name comes as an OSError."""
        asked = self._take_off(self._name)
        if fault is None:
            asked.set_result(self.found)
        elif isinstance(fault, OSError | UnicodeError):
            asked.set_exception(fault)
        else:
            asked.set_exception(OSError(f"a look-up ended by {type(fault).__name__}"))
        return True


resolve: Final = Names()
"""Resolves names as the system does, for every sender of the process."""


class Sender:
    """Posts messages; ``seconds`` is for a whole try, from the name to the end of the answer.

    ``loopback`` lets a sandbox's own receiver be reached. ``trusted`` is the TLS context, the system's
    authorities when it is not given.
    """

    def __init__(
        self,
        *,
        loopback: bool = False,
        trusted: ssl.SSLContext | None = None,
        resolving: Resolve = resolve,
        seconds: int = SECONDS,
    ) -> None:
        self._loopback = loopback
        self._trusted = trusted or ssl.create_default_context()
        self._resolve = resolving
        self._seconds = seconds

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send once and say what came of it; nothing that a receiver does raises."""
        began = time.monotonic_ns()
        status: int | None = None
        digest: str | None = None
        try:
            async with asyncio.timeout(self._seconds):
                target = parse_target(url, loopback=self._loopback)
                status, digest = await self._posted(target, await self._address(target), body, headers)
            outcome = _outcome(status)
        except AddressRefused:
            outcome = Outcome.FORBIDDEN_ADDRESS
        except (TimeoutError, httpx.TimeoutException):
            outcome = Outcome.TIMED_OUT
        except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError):
            outcome = Outcome.UNREACHABLE
        return Answer(outcome, (time.monotonic_ns() - began) // 1_000_000, status, digest)

    async def _address(self, target: Target) -> str:
        """Return the address to connect to; one forbidden address among several refuses the name."""
        found = [
            check_address(text, loopback=self._loopback)
            for text in await self._resolve(target.host, target.port)
        ]
        if not found:
            raise OSError("the name has no address")
        return f"[{found[0]}]" if isinstance(found[0], IPv6Address) else str(found[0])

    async def _posted(
        self, target: Target, address: str, body: bytes, headers: Mapping[str, str]
    ) -> tuple[int, str]:
        """Post to the address under the name: for TLS and in the Host header it is the name that counts."""
        host = target.host if target.port == HTTPS_PORT else f"{target.host}:{target.port}"
        said = {**headers, "host": host, "accept-encoding": "identity", "user-agent": "bookrunner-webhooks"}
        async with (
            httpx.AsyncClient(
                verify=self._trusted, timeout=self._seconds, trust_env=False, follow_redirects=False
            ) as client,
            client.stream(
                "POST",
                f"https://{address}:{target.port}{target.path}",
                content=body,
                headers=said,
                extensions={"sni_hostname": target.host},
            ) as answer,
        ):
            return answer.status_code, await _digest(answer)


async def _digest(answer: httpx.Response) -> str:
    seen, taken = hashlib.sha256(), 0
    async for piece in answer.aiter_raw():
        seen.update(piece[: ANSWER_BYTES_MAX - taken])
        taken += len(piece)
        if taken >= ANSWER_BYTES_MAX:
            break
    return seen.hexdigest()


def _outcome(status: int) -> Outcome:
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Outcome.ACCEPTED
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return Outcome.REDIRECTED
    return Outcome.REFUSED
