"""JSON-RPC over HTTP, and the one place where a node's errors become ours."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from ipaddress import ip_address
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from bookrunner.core.errors import BookrunnerError, ConfigurationError

Call = tuple[str, Sequence[object]]

# Nodes were seen to refuse bodies from about 2 MiB with one object instead of an array.
MAX_BODY_BYTES = 1024 * 1024
_TEXT_LIMIT = 300
# A body with one of these speaks of our right to ask, not of what was asked.
_NOT_SERVED = frozenset({401, 402, 403, 407, 429, 503})


class ChainError(BookrunnerError):
    """The chain gave no answer that can be used."""


class ChainUnreachable(ChainError):
    """The node did not answer; what was asked may have happened all the same."""


class ChainAnswerInvalid(ChainError):
    """The node's answer has not the shape that the standard promises."""


class NodeRefused(ChainError):
    """The node answered with an error.

    ``code``, ``text`` and ``data`` are the node's own and differ between nodes: for people and
    logs, never for a decision.
    """

    def __init__(self, code: int, text: str, data: bytes = b"") -> None:
        """Keep the node's words, shortened."""
        super().__init__(f"the node answered {code}: {text[:_TEXT_LIMIT]}")
        self.code = code
        self.text = text[:_TEXT_LIMIT]
        self.data = data


def quantity(value: object) -> int:
    """Read a JSON-RPC quantity such as ``0x1f``; raise `ChainAnswerInvalid` for all else."""
    if isinstance(value, str) and value.startswith("0x"):
        try:
            return int(value, 16)
        except ValueError as error:
            raise ChainAnswerInvalid("a quantity is not hexadecimal") from error
    raise ChainAnswerInvalid("a quantity is missing")


def octets(value: object) -> bytes:
    """Read JSON-RPC data such as ``0x00ff``; raise `ChainAnswerInvalid` for all else."""
    if isinstance(value, str) and value.startswith("0x"):
        try:
            return bytes.fromhex(value[2:])
        except ValueError as error:
            raise ChainAnswerInvalid("data is not hexadecimal") from error
    raise ChainAnswerInvalid("data is missing")


def fields(value: object) -> dict[str, object]:
    """Read a JSON object; raise `ChainAnswerInvalid` for all else."""
    if isinstance(value, dict):
        return value
    raise ChainAnswerInvalid("an object is missing")


def items(value: object) -> list[object]:
    """Read a JSON array; raise `ChainAnswerInvalid` for all else."""
    if isinstance(value, list):
        return value
    raise ChainAnswerInvalid("an array is missing")


class Rpc:
    """One persistent connection pool to one node; safe to share between threads.

    ``timeout`` is in seconds. The URL may carry a credential, so no error repeats it.
    """

    def __init__(self, url: str, *, timeout: float = 10.0, batch_size: int = 100) -> None:
        """Prepare the connection to ``url``; nothing is sent yet.

        Raises `ConfigurationError` when it is no http URL.
        """
        import httpx

        host = _host(url)
        self._url = url
        self._batch_size = batch_size
        # A proxy from the environment must never see, or break, traffic to this machine.
        self._client = httpx.Client(
            timeout=timeout,
            trust_env=not _is_loopback(host),
            # Reading the authorities takes longer than most calls, and a plain address shows no certificate.
            verify=not url.lower().startswith("http://"),
        )

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def call(self, method: str, *params: object) -> object:
        """Return the result of one call.

        Raises `NodeRefused` for the node's error, `ChainUnreachable` without an answer.
        """
        answer = fields(self._post(_request(0, (method, params))))
        result = _result(answer)
        if isinstance(result, NodeRefused):
            raise result
        return result

    def batch(self, calls: Sequence[Call]) -> list[object]:
        """Return the results in the order of ``calls``; a refused call yields its `NodeRefused`.

        Bodies stay under 1 MiB and ``batch_size`` calls; nodes may answer in any order.
        """
        results: list[object] = []
        for chunk in self.chunks(calls):
            results.extend(self.chunk(chunk))
        return results

    def chunks(self, calls: Sequence[Call]) -> Iterator[list[bytes]]:
        """Cut ``calls`` into encoded request bodies' parts that a node accepts at once."""
        chunk: list[bytes] = []
        size = 2
        for call in calls:
            encoded = _request(len(chunk), call)
            if chunk and (len(chunk) == self._batch_size or size + len(encoded) > MAX_BODY_BYTES):
                yield chunk
                chunk, size = [], 2
                encoded = _request(0, call)
            chunk.append(encoded)
            size += len(encoded) + 1
        if chunk:
            yield chunk

    def chunk(self, requests: Sequence[bytes]) -> list[object]:
        """Send one chunk and return its results in order, matched by id."""
        answers = items(self._post(b"[" + b",".join(requests) + b"]"))
        by_id: dict[object, object] = {}
        for answer in answers:
            entry = fields(answer)
            by_id[entry.get("id")] = _result(entry)
        if set(by_id) != set(range(len(requests))):
            raise ChainAnswerInvalid("a batch came back with other ids than it was sent with")
        return [by_id[position] for position in range(len(requests))]

    def _post(self, body: bytes) -> object:
        import httpx

        headers = {"content-type": "application/json"}
        try:
            response = self._client.post(self._url, content=body, headers=headers)
        except httpx.HTTPError as error:
            raise ChainUnreachable(f"the node did not answer ({type(error).__name__})") from None
        try:
            answer: object = response.json()
        except ValueError:
            answer = None
        if isinstance(answer, dict | list) and response.status_code not in _NOT_SERVED:
            return answer
        if response.is_success:
            raise ChainAnswerInvalid("the node's answer is not JSON-RPC")
        raise ChainUnreachable(f"the node answered with HTTP status {response.status_code}")


def _host(url: str) -> str:
    import httpx

    host = None
    with suppress(ValueError, httpx.InvalidURL):
        parts = urlsplit(url)
        if parts.scheme in {"http", "https"} and parts.port != 0 and httpx.URL(url).host:
            host = parts.hostname
    if not host:
        raise ConfigurationError("the address of the node is no http or https URL")
    return host


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _request(position: int, call: Call) -> bytes:
    method, params = call
    request = {"jsonrpc": "2.0", "id": position, "method": method, "params": params}
    return json.dumps(request, separators=(",", ":")).encode()


def _result(answer: dict[str, object]) -> object:
    error = answer.get("error")
    if error is None:
        if "result" not in answer:
            raise ChainAnswerInvalid("an answer has neither result nor error")
        return answer["result"]
    return _refusal(fields(error))


def _refusal(error: dict[str, object]) -> NodeRefused:
    code, text, data = error.get("code"), error.get("message"), error.get("data")
    try:
        raw = octets(data)
    except ChainAnswerInvalid:
        raw = b""
    return NodeRefused(code if isinstance(code, int) else 0, str(text or ""), raw)
