"""What the gateway itself promises, whichever route asks it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from bookrunner.api import issue
from bookrunner.api.caller import Caller, Write
from bookrunner.api.gateway import Gateway
from bookrunner.core.credentials import read_key
from bookrunner.core.errors import GateClosed, NotAllowed
from bookrunner.db import Database, Endpoint, Keeper, Within
from tests.attack.world import Connect, World

KEPT = b"select act, rule, actor, request_id, subject, jsonb_array_length(missing) > 0 from audit.refusal"


@pytest.fixture
def gateway(database: Database) -> Iterator[Gateway]:
    opened = Gateway(database)
    yield opened
    opened.close()


def asked(gateway: Gateway, endpoint: Endpoint, keeper: str, request: str) -> Write:
    """Return a write of a program of a keeper."""
    name, key = read_key(issue(endpoint, f"{keeper}-{request}", keeper, actor="usr_admin"))
    return Write(Caller(name, key), request, gateway.digest(request.encode()), None)


def test_a_write_with_more_in_it_keeps_a_closed_gate_and_nothing_else(
    gateway: Gateway, endpoint: Endpoint, database: Database, connect: Connect
) -> None:
    """The refusal is kept with what is missing; of the write and what is beside it nothing is left."""
    world = World(connect).build("allocated")
    world.revoke(1)
    also: list[Mapping[str, Any]] = []

    def beside(within: Within, answer: Mapping[str, Any]) -> None:
        also.append(answer)
        within.withdraw(actor="process", offering=world.offering, investment=world.id("inv", 2))

    keeper = Keeper(database, "engine", "bookrunner.engine.life")
    write = asked(gateway, endpoint, "engine", "req-closed")
    on = {"offering": world.offering, "investment": world.id("inv", 1), "version": None}

    async def attempts() -> None:
        for _ in range(2):
            with pytest.raises(GateClosed):
                await gateway.write_with(
                    write, keeper, "act_on_investment", beside, **on, act="confirm", because=None
                )

    asyncio.run(attempts())
    owner = connect("owner")
    rows = owner.execute(KEPT).fetchall()
    assert {row[:2] for row in rows} == {("confirm", "gate_is_closed")}, rows
    assert {(row[3], row[4], row[5]) for row in rows} == {("req-closed", world.id("inv", 1), True)}
    assert also == []
    told = owner.execute(
        "select status from engine.investment where investment_id = %s", [world.id("inv", 2)]
    )
    assert told.fetchone() == ("new",)
    assert owner.execute(b"select from audit.request where request_id = 'req-closed'").fetchall() == []


def test_a_write_with_more_in_it_is_its_keepers(
    gateway: Gateway, endpoint: Endpoint, database: Database, connect: Connect
) -> None:
    World(connect).build("allocated")
    keeper = Keeper(database, "engine", "bookrunner.engine.life")
    write = asked(gateway, endpoint, "treasury", "req-foreign")
    with pytest.raises(NotAllowed, match="key_serves_this_keeper"):
        asyncio.run(gateway.write_with(write, keeper, "act_on_investment", lambda *_: None))
