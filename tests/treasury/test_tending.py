"""Money becomes final by itself, whenever it came."""

from __future__ import annotations

from bookrunner.app import Application
from tests.attack.world import Connect
from tests.treasury.escrow import Escrow


def test_what_is_matched_after_the_first_round_clears_when_it_is_due(
    application: Application, connect: Connect
) -> None:
    world = Escrow(connect).build("instructed")
    application.tend()
    due = world.entry(1, rail="wire", booked_on="2026-03-30")
    later = world.entry(2, rail="ach_debit", booked_on="2999-03-30")
    world.pay("first", due, later, closed_on="2999-03-31")
    assert (world.funding(1), world.funding(2)) == ("received", "received")
    application.tend(look_seconds=0)
    assert (world.funding(1), world.funding(2)) == ("cleared", "received")
    world.check()
