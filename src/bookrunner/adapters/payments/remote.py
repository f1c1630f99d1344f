"""A bank that takes orders over HTTP, each once by its id."""

from __future__ import annotations

from http import HTTPStatus
from types import TracebackType
from typing import Self

import httpx

from bookrunner.adapters.identity.address import is_safe
from bookrunner.adapters.payments import OrderStatus, RailUnavailable, StandingOrder
from bookrunner.core.errors import ConfigurationError, Refused

_SECONDS = 30.0


class RemoteBank:
    """A :class:`PaymentRail` over a bank's HTTP interface.

    The id of an order stands in the path, so what is sent again meets what was sent first.
    """

    def __init__(self, url: str) -> None:
        """Raise ConfigurationError as `require_private` does."""
        require_private(url)
        self._client = httpx.Client(base_url=url, timeout=_SECONDS, trust_env=False)

    def __enter__(self) -> Self:
        """Lend the bank for a block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the connection back."""
        self._client.close()

    def submit(self, order: str, content: bytes) -> StandingOrder:
        """Hand over the bytes of an order; the same id again changes nothing.

        Refuses ``order_id_has_one_content`` and ``order_is_taken``; raises RailUnavailable.
        """
        answer = self._ask("PUT", order, content)
        if answer.status_code == HTTPStatus.CONFLICT:
            raise Refused("order_id_has_one_content", f"the bank has other bytes under {order}")
        if not answer.is_success:
            raise Refused("order_is_taken", f"the bank answered {answer.status_code} for {order}")
        return _standing(answer)

    def status(self, order: str) -> StandingOrder | None:
        """Return how far an order is, None when the bank does not know it; raises RailUnavailable."""
        answer = self._ask("GET", order)
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return None
        if not answer.is_success:
            raise RailUnavailable(f"the bank answered {answer.status_code}")
        return _standing(answer)

    def _ask(self, method: str, order: str, content: bytes | None = None) -> httpx.Response:
        try:
            answer = self._client.request(method, f"/orders/{order}", content=content)
        except httpx.TransportError as fault:
            raise RailUnavailable(f"the bank cannot be reached: {type(fault).__name__}") from None
        if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise RailUnavailable(f"the bank answered {answer.status_code}")
        return answer


def _standing(answer: httpx.Response) -> StandingOrder:
    said = answer.json()
    return StandingOrder(str(said["reference"]), OrderStatus(said["status"]))


def require_private(url: str) -> None:
    """Raise ConfigurationError for an address that is not ``https``, or ``http`` on the loopback."""
    if not is_safe(url):
        raise ConfigurationError("a bank gets its orders at an https address, or on the loopback")
