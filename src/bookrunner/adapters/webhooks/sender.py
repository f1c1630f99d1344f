"""One try of sending one message: resolve once, check every address, connect to one of them, never follow."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from http import HTTPStatus
from ipaddress import IPv6Address
from typing import Final

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
# Threads of their own: a name that nobody answers for holds up none of the caller's.
_NAMES: Final = ThreadPoolExecutor(32, thread_name_prefix="names")
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


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


async def resolve(host: str, port: int) -> Sequence[str]:
    """Return every address of a name, as the system resolves it; raises OSError."""
    ask = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    found = await asyncio.get_running_loop().run_in_executor(_NAMES, ask)
    return list(dict.fromkeys(str(place[0]) for *_, place in found))


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
