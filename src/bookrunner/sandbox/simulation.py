"""A whole raise at any size, played from a seed, with faults of the seed that the books must name."""

from __future__ import annotations

import resource
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bookrunner.adapters.chain.rpc import Rpc
from bookrunner.app.settings import Settings
from bookrunner.core.errors import GateClosed
from bookrunner.sandbox.props import Progress
from bookrunner.sandbox.raises import faults
from bookrunner.sandbox.raises.faults import Finding, Injected
from bookrunner.sandbox.story import Story
from bookrunner.sandbox.world import World, opened

ACTOR = "operator.otto"
_KIB_PER_MIB = 1024


@dataclass(slots=True)
class SimulationReport:
    """What a simulated raise did: seconds of set-up and first close, holdings issued by both closes.

    ``expected`` names each fault with the findings it must bring up; ``missed`` are those that the books did
    not name, ``unexpected`` those they named without a fault. ``peak_mib`` is this process's largest size.
    """

    investors: int
    refused: int = 0
    first_issued: int = 0
    issued: int = 0
    setup_seconds: float = 0.0
    close_seconds: float = 0.0
    breaks: int = 0
    peak_mib: int = 0
    expected: dict[str, set[Finding]] = field(default_factory=dict)
    missed: set[Finding] = field(default_factory=set)
    unexpected: set[Finding] = field(default_factory=set)

    def compare(self, expected: set[Finding], observed: set[Finding]) -> None:
        """Note what was expected and not observed, and the reverse."""
        self.missed |= expected - observed
        self.unexpected |= observed - expected


def simulate(
    state: Path, investors: int, seed: int, progress: Progress = lambda *_: None, *, faulty: bool = False
) -> SimulationReport:
    """Play a raise of ``investors`` under ``state`` on embedded parts; at least five investors."""
    with opened(Settings(state_dir=state, database_url=None, rpc_url=None)) as world:
        return simulate_in(
            world, Story(world.application, investors=investors, seed=seed), progress, faulty=faulty
        )


def simulate_in(
    world: World, story: Story, progress: Progress = lambda *_: None, *, faulty: bool = False
) -> SimulationReport:
    """Play a story in a world that runs; with faults, of which each must be found and nothing else."""
    app, report = world.application, SimulationReport(len(story.people))
    struck = faults.draw(story) if faulty else []
    report.expected = {f"{i.fault.name} of {i.person.investment}": i.fault.findings(i.person) for i in struck}
    of_faults = set().union(*report.expected.values())
    began = time.monotonic()
    set_up(world, story, struck, progress)
    report.setup_seconds = time.monotonic() - began
    missing = _refused(story)
    report.refused = len(missing)
    if faulty:
        report.compare(faults.of_the_story(story) | of_faults, faults.observed(story, missing))
    began = time.monotonic()
    closing = app.close_offer(story.offering, actor=ACTOR, ready=True)
    report.first_issued = app.run_closing(story.offering, closing, progress)
    report.close_seconds = time.monotonic() - began
    story.release(closing)
    story.repair()
    second = app.close_offer(story.offering, actor=ACTOR, ready=faulty)
    report.issued = report.first_issued + app.run_closing(story.offering, second, progress)
    story.release(second)
    if faulty:
        with Rpc(world.node_url) as rpc:
            on_chain = faults.strike_on_chain(story, struck, lambda: _mine(rpc))
        report.expected |= on_chain
        left = [one for row in app.dry_run(story.offering) for one in row["missing"]]
        report.compare(of_faults.union(*on_chain.values()), faults.observed(story, left))
    report.breaks = len(app.reconcile(story.offering, actor="reconciliation"))
    report.peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // _KIB_PER_MIB
    return report


def set_up(
    world: World, story: Story, struck: Sequence[Injected] = (), progress: Progress = lambda *_: None
) -> None:
    """Play a story up to the day of its closing, with what strikes it on the way."""
    story.wires |= {i.person.investment: i.fault.wires for i in struck if i.fault.wires is not None}
    app = world.application
    story.play(lambda: app.deploy_token(world.tools.artifacts, story.offering, story.units), progress)
    for each in struck:
        if each.fault.strikes is not None:
            each.fault.strikes(story, each.person)
    app.answer()


def _refused(story: Story) -> list[Mapping[str, str]]:
    """Try to close everybody and return each condition that the refusal names."""
    try:
        story.app.close_offer(story.offering, actor=ACTOR, ready=False)
    except GateClosed as gate:
        return [{"condition": m.condition, "investment": m.investment_id} for m in gate.missing]
    return []


def _mine(rpc: Rpc) -> None:
    rpc.call("evm_mine")
