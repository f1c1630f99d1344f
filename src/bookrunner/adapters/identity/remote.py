"""An identity provider that is asked over HTTP: one question, one answer, within one deadline."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

import httpx

from bookrunner.adapters.identity import BODY_BYTES_MAX, InquiryScheme, WebhookRefused, WebhookRule
from bookrunner.core import clock
from bookrunner.core.errors import ConfigurationError, Refused, Unavailable, UnknownRecord

SECONDS: Final = 10.0
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
# What is compressed could be far longer than it looks.
_PLAIN: Final = ("accept-encoding", "identity")
_STRANGERS: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})

_Answer = tuple[list[tuple[str, str]], bytes]


class ProviderSilent(Refused, Unavailable):
    """The provider gave no answer that can be used now; the same question may be asked again."""


class RemoteProvider:
    """One provider at its address, under our credential; nothing but that address is ever asked."""

    def __init__(
        self, scheme: InquiryScheme, address: str, credential: str, *, seconds: float = SECONDS
    ) -> None:
        """Raise ConfigurationError for an address that is not ``https``, or ``http`` on the loopback."""
        parts = urlsplit(address)
        is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
        if not is_safe or not parts.hostname or parts.username or parts.query:
            raise ConfigurationError(f"{scheme.name} is asked at an https address, or on the loopback")
        self.scheme = scheme
        self._address = address.rstrip("/")
        self._credential = credential
        self._seconds = seconds
        scheme.question("subject", credential, now=clock.now())

    def ask(self, subject: str) -> _Answer:
        """Return what the provider answers about a subject.

        Refuses ``identity_provider_answers`` (no answer within the deadline, or a fault of the provider),
        ``identity_provider_accepts_us``, ``inquiry_exists`` and ``body_fits_limit``. A redirection is not
        followed.
        """
        try:
            # In a thread of its own, because the caller's may have a loop that runs already.
            with ThreadPoolExecutor(1) as alone:
                return alone.submit(lambda: asyncio.run(self._asked(subject))).result()
        except TimeoutError:
            raise self._silent(f"no answer within {self._seconds:g} seconds") from None
        except httpx.HTTPError as fault:
            raise self._silent(type(fault).__name__) from None

    async def _asked(self, subject: str) -> _Answer:
        question = self.scheme.question(subject, self._credential, now=clock.now())
        url = f"{self._address}{question.path}"
        # The limits of the client are for each read; a provider that drips is stopped by the whole.
        async with (
            asyncio.timeout(self._seconds),
            httpx.AsyncClient(timeout=self._seconds, trust_env=False) as client,
            client.stream("GET", url, headers=[*question.headers, _PLAIN]) as answer,
        ):
            self._check(answer.status_code)
            body = bytearray()
            async for piece in answer.aiter_raw():
                body += piece
                if len(body) > BODY_BYTES_MAX:
                    raise WebhookRefused(WebhookRule.BODY_FITS_LIMIT, "more than 1 MiB")
            headers = [
                (name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.headers.raw
            ]
            return headers, bytes(body)

    def _check(self, status: int) -> None:
        if status == HTTPStatus.OK:
            return
        if status == HTTPStatus.NOT_FOUND:
            raise UnknownRecord("inquiry_exists", f"{self.scheme.name} knows nothing of this subject")
        if status in _STRANGERS:
            raise Refused("identity_provider_accepts_us", f"{self.scheme.name} answered {status}")
        raise self._silent(f"it answered {status}")

    def _silent(self, why: str) -> ProviderSilent:
        return ProviderSilent(
            "identity_provider_answers", f"{self.scheme.name} can be asked again later: {why}"
        )
