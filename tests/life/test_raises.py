"""Seeded raises with faults between any two steps keep every invariant; a failure names its seed."""

from __future__ import annotations

from collections import Counter

import pytest

from bookrunner.app import Application
from bookrunner.sandbox.raises.misfortune import FAULTS
from bookrunner.sandbox.raises.play import InvariantBroken, Raise, play_raises
from tests.attack.world import Connect

ENDS = {"closed_successfully", "closed_unsuccessfully"}


def test_raises_with_faults_keep_every_invariant(application: Application) -> None:
    reports = play_raises(application, 8, seed=1)
    struck: Counter[str] = sum((report.struck for report in reports), Counter())
    assert {report.end for report in reports} <= ENDS
    assert len(struck) > len(FAULTS) // 2
    assert sum(report.issued for report in reports) > 0


def test_a_broken_invariant_names_its_seed(application: Application, connect: Connect) -> None:
    course = Raise(application, 4, 5)
    course.crowd.open()
    course.crowd.enter()
    admin = connect("admin")
    for statement in (
        "alter table engine.investment disable trigger user",
        "update engine.investment set units = units * 1000",
        "alter table engine.investment enable trigger user",
    ):
        admin.execute(statement.encode())
    with pytest.raises(InvariantBroken, match=r"seed 4, step 1 \(nothing\): units_above_the_cap"):
        course.step("nothing", lambda: None)


@pytest.mark.torture
@pytest.mark.timeout(14_400)
def test_a_thousand_raises_keep_every_invariant(application: Application) -> None:
    reports = play_raises(application, 1_000, seed=1)
    struck: Counter[str] = sum((report.struck for report in reports), Counter())
    assert set(struck) == {fault.name for fault in FAULTS}
    assert {report.end for report in reports} == ENDS
