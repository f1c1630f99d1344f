"""A whole raise at any size, played from a seed and closed twice: those who are ready, then everybody."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from bookrunner.app import Settings
from bookrunner.core.errors import GateClosed
from bookrunner.sandbox.props import Progress
from bookrunner.sandbox.story import Story
from bookrunner.sandbox.world import World, opened

ACTOR = "operator.otto"


@dataclass(frozen=True, slots=True)
class SimulationReport:
    """What a simulated raise did: seconds of set-up and first close, holdings issued by both closes."""

    investors: int
    refused: int
    first_issued: int
    issued: int
    setup_seconds: float
    close_seconds: float
    breaks: int


def simulate(
    state: Path, investors: int, seed: int, progress: Progress = lambda *_: None
) -> SimulationReport:
    """Play a raise of ``investors`` under ``state`` on embedded parts; at least five investors."""
    with opened(Settings(state_dir=state, database_url=None, rpc_url=None)) as world:
        return simulate_in(world, investors, seed, progress)


def simulate_in(
    world: World, investors: int, seed: int, progress: Progress = lambda *_: None
) -> SimulationReport:
    """Play a raise in a world that runs."""
    app = world.application
    story = Story(app, investors=investors, seed=seed)
    began = time.monotonic()
    story.play(lambda: app.deploy_token(world.tools.artifacts, story.offering, story.units), progress)
    setup = time.monotonic() - began
    refused = 0
    try:
        app.close_offer(story.offering, actor=ACTOR, ready=False)
    except GateClosed as gate:
        refused = len(gate.missing)
    began = time.monotonic()
    closing = app.close_offer(story.offering, actor=ACTOR, ready=True)
    first = app.run_closing(story.offering, closing, progress)
    close_seconds = time.monotonic() - began
    story.release(closing)
    story.repair()
    second = app.close_offer(story.offering, actor=ACTOR, ready=False)
    issued = first + app.run_closing(story.offering, second, progress)
    story.release(second)
    breaks = app.reconcile(story.offering, actor="reconciliation")
    return SimulationReport(investors, refused, first, issued, setup, close_seconds, len(breaks))
