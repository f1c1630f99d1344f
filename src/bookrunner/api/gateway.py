"""The way from a request to the database: a write is one statement, a read one transaction."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from typing import Any, TypeVar

from fastapi.responses import Response

from bookrunner.adapters.vault import Vault
from bookrunner.api.caller import Caller, Write
from bookrunner.core.credentials import ISSUER, KEEPERS
from bookrunner.core.errors import GateClosed, NotAllowed
from bookrunner.core.log import traces
from bookrunner.db import Contention, Database, Keeper, Lanes, Within, load
from bookrunner.db.pools.lanes import TextRow, Value
from bookrunner.db.queries import Queries

T = TypeVar("T")
Also = Callable[[Within, Mapping[str, Any]], object]
"""What a write does beside its own verb, in the same transaction: over the book's verbs, with the answer."""

# As many as a pool has connections: more threads would only wait for one.
THREADS = 8
ATTEMPTS = 5
_LONGEST_PAUSE_SECONDS = 0.02
_JSON = "application/json"
_INVESTOR = "ivr_"
_RECONCILIATION = "reconciliation"


class Gateway:
    """Carries calls under the login of the caller's keeper: reads on a few threads, writes on lanes."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._queries = load(__package__)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="api")
        self._lanes = {keeper: Lanes(database.endpoint, keeper) for keeper in (*KEEPERS, _RECONCILIATION)}

    def close(self) -> None:
        """Wait for the calls that run, and give threads and connections back."""
        self._threads.shutdown()
        for lanes in self._lanes.values():
            lanes.close()

    @cached_property
    def _safe(self) -> Vault:
        return Vault.of(self.database.endpoint.secrets)

    def digest(self, said: bytes) -> bytes:
        """Return 32 bytes that are equal for equal requests and tell nothing of what was said."""
        return self._safe.blind("request", said)

    async def run(self, work: Callable[[], T]) -> T:
        """Run ``work`` on a thread of the gateway."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def read(self, caller: Caller, work: Callable[[Within], T]) -> T:
        """Run ``work`` over the lookups that the caller's login may make; raises NotAuthenticated."""
        return await self.run(partial(self._read, caller, work))

    async def admitted(self, caller: Caller, *keepers: str) -> str:
        """Return the actor behind a key of one of these keepers; raises NotAuthenticated or NotAllowed."""
        actor: str = await self.read(caller, lambda of: str(of.caller(key=caller.key_sha256)))
        if caller.keeper not in keepers:
            raise NotAllowed("key_serves_this_keeper", f"{' or '.join(keepers)} decides this")
        return actor

    async def institution(self, caller: Caller) -> tuple[str, str]:
        """Return the actor and the institution behind a key of the portal that has the institution's name.

        For what binds to that institution alone. Raises NotAuthenticated, and NotAllowed
        ``key_serves_this_keeper`` and ``key_names_its_institution``.
        """
        actor = await self.holder(caller)
        entity = actor.removeprefix("key:").partition("~")[0]
        if not entity.startswith(_INVESTOR):
            raise NotAllowed("key_names_its_institution", "this takes the institution's own key")
        return actor, entity

    async def holder(self, caller: Caller) -> str:
        """Return the actor behind any key of the portal; what follows binds an investor's to its own.

        Raises NotAuthenticated, and NotAllowed ``key_serves_this_keeper``.
        """
        actor = await self.run(partial(self._holder, caller))
        if caller.keeper != "portal":
            raise NotAllowed("key_serves_this_keeper", "portal decides this")
        return actor

    async def speaker(self, caller: Caller, investor: str | None) -> str:
        """Return the actor behind a key of the portal that speaks for a holder.

        The key with the id of an investor as its name speaks for that one alone. Raises NotAuthenticated, and
        NotAllowed ``key_serves_this_keeper`` and ``key_of_an_investor_reaches_its_own_alone``.
        """
        actor = await self.holder(caller)
        own = actor.removeprefix("key:").partition("~")[0]
        if own.startswith(_INVESTOR) and own != investor:
            raise NotAllowed("key_of_an_investor_reaches_its_own_alone", "name yourself")
        return actor

    async def write(self, asked: Write, keeper: str, verb: str, **arguments: Value) -> Response:
        """Carry out a write once and return its stored answer.

        The answer is stored in the transaction of the effect, so a repetition under the same key returns it,
        marked by ``Idempotent-Replayed``. Raises NotAllowed for the key of another keeper than ``keeper``,
        Malformed for the same key with another body, StillRunning, VersionChanged, GateClosed (which is kept)
        and every other Refused.
        """
        if asked.caller.keeper != keeper:
            await self.admitted(asked.caller, keeper)
        try:
            row = await self._once(keeper, verb, {**asked.claim, **arguments})
        except GateClosed as closed:
            await self._keep(closed, asked, arguments)
            raise
        return _answered(row)

    async def write_own(self, asked: Write, queries: Queries, verb: str, **arguments: Value) -> Response:
        """Carry out a write of other queries than the gateway's once, whichever keeper the key serves.

        Raises as :meth:`write`; the key of an issuer serves no keeper.
        """
        if asked.caller.keeper not in KEEPERS:
            await self.admitted(asked.caller, *KEEPERS)
        claim: dict[str, Value] = {**asked.claim}
        return _answered(await self._once(asked.caller.keeper, verb, claim | arguments, queries))

    async def write_with(
        self, asked: Write, keeper: Keeper, verb: str, also: Also, **arguments: Value
    ) -> Response:
        """Carry out a write of a book once, and ``also`` in its transaction: both happen or neither.

        ``also`` gets the book's verbs and the answer, and is left out when the answer is a stored one. Raises
        as :meth:`write`.
        """
        if asked.caller.keeper != keeper.login:
            await self.admitted(asked.caller, keeper.login)
        given: dict[str, Value] = {**asked.claim, **arguments}
        work = partial(self._together, keeper, verb, also, given)
        try:
            return _answered(await _again(lambda: self.run(work)))
        except GateClosed as closed:
            await self._keep(closed, asked, arguments)
            raise

    async def write_for(
        self, asked: Write, actor: str, keeper: str, verb: str, **arguments: Value
    ) -> Response:
        """Carry out a write once under another keeper's login, for the actor that :meth:`speaker` found."""
        claim: dict[str, Value] = {
            "actor": actor,
            "request": asked.request,
            "body_sha256": asked.body_sha256,
        }
        return _answered(await self._once(keeper, verb, claim | arguments))

    async def read_for(self, keeper: str, work: Callable[[Within], T]) -> T:
        """Run ``work`` over the lookups of another keeper's login, for a speaker."""
        return await self.run(partial(self._look, keeper, work))

    def _holder(self, caller: Caller) -> str:
        with self.database.transaction(caller.keeper) as transaction:
            return str(self._queries.holder(transaction, key=caller.key_sha256))

    def _read(self, caller: Caller, work: Callable[[Within], T]) -> T:
        with self.database.transaction(caller.keeper) as transaction:
            if caller.keeper == ISSUER:
                self._queries.enter_issuer(transaction, key=caller.key_sha256)
            else:
                self._queries.caller(transaction, key=caller.key_sha256)
            return work(Within(transaction, self._queries))

    def _look(self, keeper: str, work: Callable[[Within], T]) -> T:
        with self.database.transaction(keeper) as transaction:
            return work(Within(transaction, self._queries))

    def _together(
        self, keeper: Keeper, verb: str, also: Also, given: Mapping[str, Value]
    ) -> Mapping[str, str]:
        with keeper.together() as within:
            of = within.using(self._queries)
            if (trace := traces.here()) is not None:
                of.note_trace(actor=None, key=given["key"], request=given["request"], trace=trace)
            row = getattr(of, verb)(**given)
            if not row["is_replay"]:
                also(within, json.loads(row["answer"]))
        return {"answer": row["answer"], "is_replay": "t" if row["is_replay"] else "f"}

    async def _keep(self, closed: GateClosed, asked: Write, arguments: Mapping[str, Value]) -> None:
        refused: dict[str, Value] = {
            "key": asked.caller.key_sha256,
            "request": asked.request,
            "scope": arguments.get("offering"),
            "subject": arguments.get("investment") or arguments.get("closing"),
            "act": closed.act,
            "rule": closed.rule,
            "missing": json.dumps(closed.lacking()),
        }
        await self._once(asked.caller.keeper, "keep_refusal", refused)

    async def _once(
        self, keeper: str, verb: str, arguments: Mapping[str, Value], queries: Queries | None = None
    ) -> TextRow:
        """Run one statement, again after Contention: it left nothing, and its key is still free."""
        sql: str = getattr(queries or self._queries, verb).sql
        if (trace := traces.here()) is not None:
            by = {"actor": arguments.get("actor"), "key": arguments.get("key")}
            noted = {**by, "request": arguments["request"], "trace": trace}
            note: str = getattr(self._queries, "note_trace").sql  # noqa: B009 - a query, which has its text
            await self._lanes[keeper].run("note_trace", note, noted)
        return await _again(lambda: self._lanes[keeper].run(verb, sql, arguments))


async def _again(work: Callable[[], Awaitable[T]]) -> T:
    """Do some work, and again after Contention, which left nothing; rivals pause before they meet again."""
    for _ in range(ATTEMPTS - 1):
        try:
            return await work()
        except Contention:
            # Jitter only spreads the rivals; nothing secret depends on it.
            await asyncio.sleep(random.uniform(0, _LONGEST_PAUSE_SECONDS))  # noqa: S311
    return await work()


def _answered(row: Mapping[str, str]) -> Response:
    answer = row["answer"]
    headers = {"ETag": f'"{json.loads(answer)["version"]}"'}
    if row["is_replay"] == "t":
        headers["Idempotent-Replayed"] = "true"
    return Response(answer, headers=headers, media_type=_JSON)
