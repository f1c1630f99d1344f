"""Several nodes of one chain, of which one is asked at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import TypeVar

from bookrunner.adapters.chain.rpc import Call, ChainAnswerInvalid, ChainError, ChainUnreachable, Rpc
from bookrunner.core.log import warn

T = TypeVar("T")


class Endpoints:
    """The calls of `Rpc` through the first of several nodes that answers and is in step.

    A node is in step when its newest final block, which ``finalized`` reads, is not below the highest
    that any of them has shown: a node that lags would report as missing what stands. The node that
    answered last is asked first the next time. What was asked of a node that then fell silent is asked
    of another, so only calls that may be repeated belong here; sending signed bytes is one.
    """

    def __init__(self, nodes: Sequence[Rpc], finalized: Callable[[Rpc], int]) -> None:
        """Prepare the calls; nothing is sent yet."""
        self._nodes = list(nodes)
        self._finalized = finalized
        self._current = 0
        self._highest = 0

    def close(self) -> None:
        """Close the connections to all of them."""
        for node in self._nodes:
            node.close()

    def call(self, method: str, *params: object) -> object:
        """Return the result of one call, as `Rpc.call` does."""
        return self._ask(lambda node: node.call(method, *params))

    def batch(self, calls: Sequence[Call]) -> list[object]:
        """Return the results in the order of ``calls``, as `Rpc.batch` does, all from one node."""
        return self._ask(lambda node: node.batch(calls))

    def chunks(self, calls: Sequence[Call]) -> Iterator[list[bytes]]:
        """Cut ``calls`` as `Rpc.chunks` does."""
        return self._nodes[0].chunks(calls)

    def chunk(self, requests: Sequence[bytes]) -> list[object]:
        """Send one chunk, as `Rpc.chunk` does."""
        return self._ask(lambda node: node.chunk(requests))

    def finality(self) -> int:
        """Return the newest final block of a node that is in step.

        Raises `ChainUnreachable` when every node that answers is behind what was seen before.
        """
        return self._ask(self._in_step)

    def _in_step(self, node: Rpc) -> int:
        shown = self._finalized(node)
        if shown < self._highest:
            raise ChainUnreachable(f"the node's final block {shown} is below {self._highest}")
        self._highest = shown
        return shown

    def _ask(self, question: Callable[[Rpc], T]) -> T:
        for others in range(len(self._nodes) - 1, -1, -1):
            try:
                return question(self._nodes[self._current])
            except (ChainUnreachable, ChainAnswerInvalid):
                if not others:
                    raise
                self._leave()
        raise AssertionError("there is no node")

    def _leave(self) -> None:
        """Go on to the next node that answers and is in step; to the last one when none is."""
        for _ in self._nodes[1:]:
            self._current = (self._current + 1) % len(self._nodes)
            warn("a node is left for another", rows=self._current)
            with suppress(ChainError):
                self._in_step(self._nodes[self._current])
                return
