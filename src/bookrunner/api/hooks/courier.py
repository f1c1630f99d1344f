"""The courier of a worker: makes messages of the feed, sends what is due, records each try."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Final

from bookrunner.adapters.vault import Vault
from bookrunner.adapters.webhooks import SecretKeys, Sender, sign
from bookrunner.api.hooks.messages import body_of
from bookrunner.core import clock
from bookrunner.core.log import place_of, tell, warn
from bookrunner.db import Database, Keeper, Row

ACTOR: Final = "webhooks"
EVENTS_AT_ONCE: Final = 500
MESSAGES_AT_ONCE: Final = 200
OF_ONE_ENDPOINT: Final = 5
KEEP_DAYS: Final = 30
PURGED_AT_ONCE: Final = 1000
PURGE_EVERY: Final = timedelta(hours=1)
PAUSE_SECONDS: Final = 1
STOP_SECONDS: Final = 2


class Courier:
    """Sends messages at least once: taken for a minute, sent, recorded.

    Whoever dies between sending and recording leaves a message that is sent again under the same id.
    """

    def __init__(
        self,
        database: Database,
        sender: Sender,
        *,
        now: Callable[[], datetime] = clock.now,
        keep_days: int = KEEP_DAYS,
    ) -> None:
        """Send by ``sender``; what came through is kept for ``keep_days``."""
        self._keeper = Keeper(database, "engine", "bookrunner.api.hooks")
        self._vault = Vault.of(database.endpoint.secrets)
        self._sender = sender
        self._now = now
        self._kept = timedelta(days=keep_days)
        self._purged_at: datetime | None = None

    def round(self) -> int:
        """Make the messages of the whole feed and send all that is due; return how many tries that were."""
        self._purge()
        self._fan_out()
        tries = 0
        while due := self._take(MESSAGES_AT_ONCE):
            asyncio.run(self._together(due))
            tries += len(due)
        return tries

    def run(self, stopped: threading.Event) -> None:
        """Go on until stopped; a slow receiver holds up its own messages alone."""
        asyncio.run(self._rolling(stopped))

    async def _together(self, due: Sequence[Row]) -> None:
        await asyncio.gather(*(self._deliver(row) for row in due))

    async def _rolling(self, stopped: threading.Event) -> None:
        flying: set[asyncio.Task[None]] = set()
        while not stopped.is_set():
            moved = False
            with _later():
                moved = await asyncio.to_thread(self._fan_out)
                due = await asyncio.to_thread(self._take, MESSAGES_AT_ONCE - len(flying))
                flying |= {asyncio.create_task(self._try(row)) for row in due}
            # Apart from the sending, which a purge that fails holds up no longer than itself.
            with _later():
                await asyncio.to_thread(self._purge)
            if flying:
                _, flying = await asyncio.wait(flying, timeout=PAUSE_SECONDS)
            elif not moved:
                await asyncio.to_thread(stopped.wait, PAUSE_SECONDS)
        if flying:
            await asyncio.wait(flying)

    async def _try(self, row: Row) -> None:
        with _later():
            await self._deliver(row)

    def _fan_out(self) -> bool:
        """Make the messages of one part of the feed; say whether there may be more.

        What no key holds any more is disabled first, so that it is told nothing.
        """
        if ended := self._keeper.end_endpoints(actor=ACTOR):
            warn("webhook endpoints ended with their key", rows=ended)
        return bool(self._keeper.fan_out(most=EVENTS_AT_ONCE))

    def _purge(self) -> None:
        """Forget what came through and has been kept for its days; what waits or is parked stays."""
        now = self._now()
        if self._purged_at is not None and now - self._purged_at < PURGE_EVERY:
            return
        while self._keeper.purge(before=now - self._kept, most=PURGED_AT_ONCE) == PURGED_AT_ONCE:
            continue
        self._purged_at = now

    def _take(self, most: int) -> Sequence[Row]:
        if most <= 0:
            return []
        taken: Sequence[Row] = self._keeper.take(now=self._now(), most=most, each=OF_ONE_ENDPOINT)
        return taken

    async def _deliver(self, row: Row) -> None:
        now = self._now()
        kind, body = body_of(row)
        keys = [self._keys(row["endpoint_id"], each) for each in row["secrets"]]
        headers = {"content-type": kind, **sign(row["delivery_id"], body, now=now, keys=keys)}
        answer = await self._sender.post(row["url"], body, headers)
        stands = await asyncio.to_thread(
            self._keeper.record,
            actor=ACTOR,
            began=now,
            ended=self._now(),
            delivery=row["delivery_id"],
            asks=row["asks"],
            attempt=json.dumps(asdict(answer)),
        )
        if stands == "parked":
            warn("a webhook message is parked", message_id=row["delivery_id"], subject=row["endpoint_id"])
        else:
            tell("a webhook message is tried", message_id=row["delivery_id"], kind=answer.outcome.value)

    def _keys(self, endpoint: str, secret: dict[str, str]) -> SecretKeys:
        wrapped, sealed = bytes.fromhex(secret["wrapped"]), bytes.fromhex(secret["sealed"])
        return SecretKeys.unpack(self._vault.open(wrapped, endpoint, f"webhook/{secret['id']}", sealed))


@contextmanager
def at_work(database: Database, sender: Sender, *, keep_days: int = KEEP_DAYS) -> Iterator[None]:
    """Have a courier at work while the block runs, in a thread of its own that no round has to wait for."""
    stopped = threading.Event()
    courier = Courier(database, sender, keep_days=keep_days)
    thread = threading.Thread(target=courier.run, args=[stopped], daemon=True, name="webhooks")
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join(STOP_SECONDS)


@contextmanager
def _later() -> Iterator[None]:
    """Leave what fails to a later turn: what was taken is free again after its minute."""
    try:
        yield
    except Exception as fault:  # noqa: BLE001 - the edge of a step: whatever it was, the courier goes on
        warn("webhook messages wait", kind=type(fault).__name__, place=place_of(fault))
