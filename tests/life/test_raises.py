"""Seeded raises with faults between any two steps keep every invariant and name no false break."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

import psycopg
import pytest

from bookrunner.app import Application
from bookrunner.db import load
from bookrunner.sandbox.raises.misfortune import FAULTS
from bookrunner.sandbox.raises.play import InvariantBroken, Raise, RaiseReport, on_paper, play_raises
from tests.attack.world import Connect

MORE = "update treasury.balance set amount_minor = amount_minor + 5"
ENDS = {"closed_successfully", "closed_unsuccessfully"}
OUTAGES = {"bank_outage", "deadline_in_an_outage"}


def test_raises_with_faults_keep_every_invariant(application: Application) -> None:
    reports = play_raises(application, 8, seed=1)
    struck: Counter[str] = sum((report.struck for report in reports), Counter())
    assert {report.end for report in reports} <= ENDS
    assert len(struck) > len(FAULTS) // 2
    assert sum(report.issued for report in reports) > 0
    assert all(report.compared > 3 for report in reports), "the books were compared whole on the way"


def test_a_break_that_no_fault_explains_ends_the_raise(application: Application, connect: Connect) -> None:
    course = Raise(application, 4, 5)
    course.crowd.open()
    course.crowd.enter()
    course._compare()
    assert course.report.found == {}
    admin = connect("admin")
    for statement in (
        "alter table engine.position disable trigger user",
        "update engine.position set profile_is_complete = not profile_is_complete",
        "alter table engine.position enable trigger user",
    ):
        admin.execute(statement.encode())
    with pytest.raises(InvariantBroken, match=r"seed 4, step 0 \(comparison\): false breaks position_shows"):
        course._compare()


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


@pytest.fixture(scope="module")
def funded(state_root: Path) -> Iterator[Raise]:
    """Return a raise in which money has come and some of it goes back."""
    folder = state_root / "funded-raise"
    folder.mkdir(mode=0o711)
    with on_paper(folder) as app:
        course = Raise(app, 4, 5)
        course.crowd.play_to_funds()
        app.desk.life.cancel_investment(
            actor="manager.mia",
            offering=course.crowd.offering,
            investment=course.crowd.people[0].investment,
            because="a duplicate",
        )
        app.answer()
        yield course


@pytest.mark.parametrize(
    ("invariant", "changes"),
    [
        (
            "issued_past_a_gate",
            ["update engine.position set issuance = 'submitted', investor_is_cleared = false"],
        ),
        (
            "issued_to_somebody_who_ended",
            [
                "update engine.position set issuance = 'submitted'",
                "update engine.investment set status = 'cancelled_by_manager'",
            ],
        ),
        ("units_above_the_cap", ["update engine.investment set units = units * 1000"]),
        ("money_that_is_not_conserved", [MORE]),
        (
            "money_that_is_not_conserved",
            [
                f"{MORE} where account = 'liab:refund_payable'",
                f"{MORE} where account like 'asset:%'",
            ],
        ),
        ("refunded_twice", ["update treasury.refund set amount_minor = amount_minor - 1"]),
        (
            "status_without_its_row",
            [
                "update audit.event set canonical = replace(canonical, 'confirmed', 'exited')",
            ],
        ),
        (
            "status_without_its_history",
            ["update engine.investment set status = 'new' where status = 'legally_confirmed'"],
        ),
        (
            "not_ended_with_its_offer",
            ["update engine.offer set status = 'closed_unsuccessfully', ended_as = 'halted', because = 'so'"],
        ),
    ],
)
def test_each_invariant_bites(funded: Raise, invariant: str, changes: Sequence[str]) -> None:
    where = {"offering": funded.crowd.offering, "is_over": True}
    broken = load("bookrunner.sandbox.raises").broken
    with psycopg.connect(funded.app.endpoint.admin_dsn()) as admin:
        assert broken(admin, **where) == []
        # What the database itself holds is taken off for this transaction, which is rolled back.
        admin.execute("alter table engine.position drop constraint no_free_holding_on_a_closed_gate")
        for change in changes:
            admin.execute(f"alter table {change.split()[1]} disable trigger user".encode())
            admin.execute(change.encode())
        assert invariant in {row["invariant"] for row in broken(admin, **where)}
        admin.rollback()


def test_a_killed_worker_is_followed_by_another(application: Application) -> None:
    (report,) = play_raises(application, 1, seed=8)
    assert report.killed > 0
    assert report.end in ENDS


@pytest.mark.torture
@pytest.mark.timeout(14_400)
def test_a_thousand_raises_keep_every_invariant_without_a_false_break(application: Application) -> None:
    played = count(1)

    def tend(_: RaiseReport) -> None:
        # Nobody does it on the server of the tests: without statistics each look reads the whole history.
        if next(played) % 50 == 0:
            with psycopg.connect(application.endpoint.admin_dsn(), autocommit=True) as admin:
                admin.execute(b"vacuum (analyze)")

    reports = play_raises(application, 1_000, seed=1, tell=tend)
    struck: Counter[str] = sum((report.struck for report in reports), Counter())
    assert set(struck) == {fault.name for fault in FAULTS} | OUTAGES
    assert {report.end for report in reports} == ENDS
