"""Faults that the seed chooses are found by the books, each of them and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bookrunner.app.settings import Settings
from bookrunner.sandbox.raises import faults
from bookrunner.sandbox.raises.faults import Finding
from bookrunner.sandbox.simulation import SimulationReport, simulate_in
from bookrunner.sandbox.story import Story, silent
from bookrunner.sandbox.world import World, opened
from tests.stages import Install

INVESTORS = 20


@contextmanager
def story_of(install_at: Install, folder: Path, seed: int) -> Iterator[tuple[World, Story]]:
    """Lend a world of its own with the story of one seed, not yet played."""
    install_at(folder, 0)
    with opened(Settings(state_dir=folder)) as world:
        yield world, Story(world.application, investors=INVESTORS, seed=seed)


@pytest.mark.chain
def test_every_injected_fault_is_found_and_nothing_else(state_root: Path, install_at: Install) -> None:
    with story_of(install_at, state_root / "simulation-5", 5) as (world, story):
        report = simulate_in(world, story, faulty=True)
    assert (report.missed, report.unexpected) == (set(), set())
    assert len(report.expected) == 13
    assert {"transfer_between_holders", "transfer_from_the_treasury"} < set(report.expected)


@pytest.mark.chain
def test_a_break_that_nobody_injected_is_reported(state_root: Path, install_at: Install) -> None:
    with story_of(install_at, state_root / "simulation-4", 4) as (world, story):
        struck = {each.person.investment for each in faults.draw(story)}
        victim = next(p for p in reversed(story.people) if p.investment not in struck)
        story.wires[victim.investment] = silent
        report = simulate_in(world, story, faulty=True)
    assert report.missed == set()
    assert report.unexpected == {
        Finding("payments", "no_reference", victim.investment),
        Finding("gate", "funds_are_received", victim.investment),
        Finding("gate", "funds_are_cleared", victim.investment),
    }


def test_a_fault_without_a_trace_is_reported() -> None:
    expected = {Finding("gate", "investor_is_cleared", "inv_1")}
    report = SimulationReport(1)
    report.compare(expected, set())
    assert (report.missed, report.unexpected) == (expected, set())
