"""What is under way on a chain, and the posting of final deliveries beside the thread that signs the next."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from types import TracebackType
from typing import NamedTuple, Self

from bookrunner.adapters.chain import Receipt, delivered


class Look(NamedTuple):
    """One look at the chain: lines posted, what came through, what is still under way, how many deliver.

    ``under_way`` holds what is being posted too; that is on the chain for good and delivers no more.
    """

    posted: int = 0
    through: frozenset[str] = frozenset()
    under_way: frozenset[str] = frozenset()
    delivering: int = 0


class Stored(NamedTuple):
    """A signed transaction that is stored: its id, and the bytes that may be sent once that is committed."""

    transaction: str
    raw: bytes


@dataclass(slots=True)
class Came:
    """What one look concluded: lines posted, transactions that did something, intents that are decided."""

    posted: int = 0
    through: set[str] = field(default_factory=set)
    decided: set[str] = field(default_factory=set)


def lines_of(receipt: Receipt, token: bytes) -> list[dict[str, object]]:
    """Return what a receipt proves of a token as lines of the register: each wallet and its units.

    Units that are burned come as negative ones of the wallet that had them.
    """
    lines: list[dict[str, object]] = []
    for log in delivered(receipt, token):
        wallet, units = (log.receiver, log.amount) if any(log.receiver) else (log.sender, -log.amount)
        lines.append({"address": wallet.hex(), "units": units, "ordinal": log.ordinal})
    return lines


class Posted(NamedTuple):
    """A transaction whose posting is over, and how many lines it brought to the register."""

    transaction: str
    lines: int


class Postings:
    """Posts what is final, one after the other in a thread of its own.

    The register takes one delivery while the node takes the next. An intent that is posted is not looked at
    again until `gather` has said so. What was begun is finished at the end of the block.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="bookrunner-posting")
        self._under_way: dict[str, tuple[str, Future[int]]] = {}
        self._pausing: Future[None] | None = None

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Wait for the posting that runs; those that have not begun are left to the next run."""
        self._thread.shutdown(cancel_futures=True)

    def __len__(self) -> int:
        """Return how many are under way."""
        return len(self._under_way)

    def __contains__(self, intent: str) -> bool:
        """Return whether an intent is being posted."""
        return intent in self._under_way

    def begin(self, intent: str, transaction: str, job: Callable[[], int]) -> None:
        """Have a transaction posted; ``job`` returns the number of its lines."""
        self._under_way[intent] = (transaction, self._thread.submit(job))

    def meanwhile(self, pause: Callable[[], None]) -> None:
        """Let the chain go on in the same thread, unless it is busy; raises what the last pause raised."""
        if self._pausing is not None and self._pausing.done():
            self._pausing.result()
            self._pausing = None
        if not self._under_way and self._pausing is None:
            self._pausing = self._thread.submit(pause)

    def gather(self, timeout_seconds: float = 0.0) -> list[Posted]:
        """Return what was posted since the last call, after so long at most; raises what a job raised."""
        wait([job for _, job in self._under_way.values()], timeout_seconds, FIRST_COMPLETED)
        over = [intent for intent, (_, job) in self._under_way.items() if job.done()]
        gathered = [self._under_way.pop(intent) for intent in over]
        return [Posted(transaction, job.result()) for transaction, job in gathered]
