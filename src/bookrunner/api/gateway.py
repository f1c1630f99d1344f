"""The way from a request to the database: a write is one statement, a read one transaction."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from fastapi.responses import Response

from bookrunner.api.caller import Caller, Write
from bookrunner.core.errors import GateClosed, NotAllowed
from bookrunner.db import Database, Row, Within, load, retrying

T = TypeVar("T")

# As many as a pool has connections: more threads would only wait for one.
THREADS = 8
_JSON = "application/json"


class Gateway:
    """Runs calls on a few threads of its own, each under the login of the caller's keeper."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._queries = load(__package__)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="api")

    def close(self) -> None:
        """Wait for the calls that run and end the threads."""
        self._threads.shutdown()

    async def run(self, work: Callable[[], T]) -> T:
        """Run ``work`` on a thread of the gateway."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def read(self, caller: Caller, work: Callable[[Within], T]) -> T:
        """Run ``work`` over the lookups that the caller's login may make; raises NotAuthenticated."""
        return await self.run(partial(self._read, caller, work))

    async def write(self, asked: Write, keeper: str, verb: str, **arguments: object) -> Response:
        """Carry out a write once and return its stored answer.

        The answer is stored in the transaction of the effect, so a repetition under the same key returns it,
        marked by ``Idempotent-Replayed``. Raises NotAllowed for the key of another keeper than ``keeper``,
        Malformed for the same key with another body, StillRunning, VersionChanged, GateClosed (which is kept)
        and every other Refused.
        """
        text, is_replay = await self.run(partial(self._write, asked, keeper, verb, arguments))
        version = json.loads(text)["version"]
        headers = {"ETag": f'"{version}"'}
        if is_replay:
            headers["Idempotent-Replayed"] = "true"
        return Response(text, headers=headers, media_type=_JSON)

    def _read(self, caller: Caller, work: Callable[[Within], T]) -> T:
        with self.database.transaction(caller.keeper) as transaction:
            self._queries.caller(transaction, key=caller.key_sha256)
            return work(Within(transaction, self._queries))

    def _write(self, asked: Write, keeper: str, verb: str, arguments: dict[str, object]) -> tuple[str, bool]:
        if asked.caller.keeper != keeper:
            self._read(asked.caller, lambda _: None)
            raise NotAllowed("key_serves_this_keeper", f"{keeper} decides this")
        call: dict[str, object] = {"key": asked.caller.key_sha256, "request": asked.request}
        claim = call | {"body_sha256": asked.body_sha256} | arguments
        try:
            row = retrying(lambda: self._once(keeper, verb, claim))
        except GateClosed as closed:
            self._keep(closed, keeper, call, arguments)
            raise
        return row["answer"], row["is_replay"]

    def _keep(
        self, closed: GateClosed, keeper: str, call: dict[str, object], arguments: dict[str, object]
    ) -> None:
        missing = [
            {"condition": m.condition, "keeper": m.keeper, "investment": m.investment_id}
            for m in closed.missing
        ]
        about = {
            "scope": arguments.get("offering"),
            "subject": arguments.get("investment") or arguments.get("closing"),
            "act": closed.act,
            "rule": closed.rule,
            "missing": json.dumps(missing),
        }
        self._once(keeper, "keep_refusal", call | about)

    def _once(self, keeper: str, verb: str, arguments: dict[str, object]) -> Row:
        with self.database.statement(keeper) as connection:
            row: Row = getattr(self._queries, verb)(connection, **arguments)
        return row
