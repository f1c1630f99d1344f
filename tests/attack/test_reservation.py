"""The units that an offer counts as taken are those of its live investments."""

from __future__ import annotations

from tests.attack.world import Connect, World


def reserved(world: World) -> list[tuple[int]]:
    """Return what the engine reads of the offer's reserved units."""
    statement = "select units from engine.reservation where offering_id = %s"
    return world.login("engine").execute(statement, [world.offering]).fetchall()


def test_reserved_units_follow_openings_and_withdrawals(connect: Connect) -> None:
    world = World(connect, investors=3).build("opened")
    assert reserved(world) == [(1 + 2 + 3,)]
    world.call("engine.withdraw", world.offering, world.id("inv", 2))
    assert reserved(world) == [(1 + 3,)]
