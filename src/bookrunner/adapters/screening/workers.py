"""Screen many names on several cores: each worker process has its own copy of the index."""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from types import TracebackType
from typing import Final, Self

from bookrunner.adapters.screening.model import OPERATING_POINT, Screening, Subject, Thresholds
from bookrunner.adapters.screening.screener import Screener

_BATCH: Final = 2_048
_AHEAD: Final = 2
_in_process: list[Screener] = []


class ScreeningWorkers:
    """Processes that share one screener's lists; ``with`` ends them.

    They are started afresh and never forked, because the parent may hold threads and connections.
    """

    def __init__(self, screener: Screener, count: int) -> None:
        self._count = count
        self._pool = ProcessPoolExecutor(count, get_context("spawn"), _keep, (screener,))

    def __enter__(self) -> Self:
        """Start every process and wait until its index stands."""
        for started in [self._pool.submit(_screen, (), OPERATING_POINT) for _ in range(self._count)]:
            started.result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the processes; work that has not begun is dropped."""
        self._pool.shutdown(cancel_futures=True)

    def screen_all(
        self, subjects: Iterable[Subject], thresholds: Thresholds = OPERATING_POINT
    ) -> Iterator[Screening]:
        """Yield one screening for each subject, in order, a few thousand subjects ahead at most.

        Refuses as :meth:`Screener.screen_all` does.
        """
        rest = iter(subjects)
        running: deque[Future[list[Screening]]] = deque()
        while True:
            while len(running) < self._count * _AHEAD and (batch := list(islice(rest, _BATCH))):
                running.append(self._pool.submit(_screen, batch, thresholds))
            if not running:
                return
            yield from running.popleft().result()


def _keep(screener: Screener) -> None:
    _in_process[:] = [screener]
    # The index never becomes garbage: looking through it again and again cost a seventh of the time.
    gc.freeze()


def _screen(batch: Sequence[Subject], thresholds: Thresholds) -> list[Screening]:
    return list(_in_process[0].screen_all(batch, thresholds))
