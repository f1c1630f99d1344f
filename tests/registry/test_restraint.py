"""Freezes of accounts and units, pauses, and the two people behind each, in the register alone."""

from __future__ import annotations

import json

import pytest

from bookrunner.books import registry
from bookrunner.core.errors import Refused
from bookrunner.db import Database, Keeper
from tests.attack.world import Connect, World

ASKER, SECOND = "agent.theo", "agent.tess"
HOLDER, OTHER = "ivr_one100", "ivr_one30"
ORDER = {"order_sha256": "ab" * 32, "order_reference": "court order 7"}


class Register:
    """The register of one offer, as its agents work with it."""

    def __init__(self, world: World, keeper: Keeper) -> None:
        self.world, self.keeper = world, keeper
        self.where = {"offering": world.offering}
        self._count = 0

    def ask(self, kind: str, **terms: object) -> str:
        """Ask for an action and return its id."""
        self._count += 1
        action = f"cta_{self._count}"
        asked = {"kind": kind, "because": "the order says so", **terms}
        self.keeper.ask_control(actor=ASKER, **self.where, action=action, asked=asked)
        return action

    def approve(self, action: str, by: str = SECOND) -> str:
        """Let a second person agree."""
        self.keeper.decide_control(actor=by, **self.where, action=action, is_approved=True, because="")
        return action

    def done(self, action: str) -> str:
        """Find the chain as the action wants it."""
        version = self.keeper.control_plan(**self.where, action=action)["version"]
        self.keeper.submit_control(actor="process", **self.where, action=action, version=version, steps="[]")
        return action

    def carry_out(self, kind: str, **terms: object) -> str:
        """Ask, approve and carry out."""
        return self.done(self.approve(self.ask(kind, **terms)))

    def free(self, investor: str = HOLDER) -> int:
        """Return what the register lets a holder move."""
        return self._one("select registry.free_units(%s, %s)", investor)

    def frozen(self, investor: str = HOLDER) -> tuple[bool, int]:
        """Return whether an account is frozen, and how many of its units are."""
        return (
            bool(self._one("select registry.is_account_frozen(%s, %s)::int", investor)),
            self._one("select registry.frozen_units(%s, %s)", investor),
        )

    def refusals(self, seller: str, buyer: str, units: int) -> list[str]:
        """Return the rules that keep units from moving."""
        lines = json.dumps([{"seller": seller, "buyer": buyer, "units": units}])
        rows = self.world.login("registry").execute(
            b"select rule from registry.restraint_refusals(%s, %s)", [self.where["offering"], lines]
        )
        return [row[0] for row in rows]

    def status(self, action: str) -> str:
        """Return where an action stands."""
        found = self.keeper.control_plan(**self.where, action=action)
        return str(found["status"])

    def _one(self, query: str, investor: str) -> int:
        row = (
            self.world.login("registry")
            .execute(query.encode(), [self.where["offering"], investor])
            .fetchone()
        )
        assert row is not None
        return int(row[0])


def _world(connect: Connect, until: str) -> World:
    world = World(connect)
    world.numbers = (30, 70, 100)  # type: ignore[assignment]
    return world.build(until)


@pytest.fixture
def register(connect: Connect, database: Database) -> Register:
    return Register(_world(connect, "registered"), registry.keeper(database))


def test_seventy_of_a_hundred_frozen_leave_thirty(register: Register) -> None:
    assert register.free() == 100
    register.carry_out("freeze_units", investor=HOLDER, units=70)
    assert (register.free(), register.frozen()) == (30, (False, 70))
    assert register.refusals(HOLDER, OTHER, 30) == []
    assert register.refusals(HOLDER, OTHER, 31) == ["units_are_not_frozen"]
    assert register.refusals(HOLDER, OTHER, 101) == ["seller_holds_the_units"]
    with pytest.raises(Refused, match="units_to_freeze_are_free"):
        register.ask("freeze_units", investor=HOLDER, units=31)
    with pytest.raises(Refused, match="units_to_thaw_are_frozen"):
        register.ask("thaw_units", investor=HOLDER, units=71)
    assert register.frozen() == (False, 70)
    register.carry_out("thaw_units", investor=HOLDER, units=70)
    assert (register.free(), register.frozen()) == (100, (False, 0))


def test_two_requests_to_thaw_the_same_units_do_not_both_pass(register: Register) -> None:
    register.carry_out("freeze_units", investor=HOLDER, units=70)
    first, second = (register.ask("thaw_units", investor=HOLDER, units=50) for _ in range(2))
    register.approve(first)
    with pytest.raises(Refused, match="one_unit_action_runs_per_account"):
        register.approve(second)
    register.done(first)
    with pytest.raises(Refused, match="units_to_thaw_are_frozen"):
        register.approve(second)
    assert register.frozen() == (False, 20)


def test_a_freeze_is_in_force_before_the_chain_confirms_and_a_thaw_after(register: Register) -> None:
    asked = register.ask("freeze_account", investor=HOLDER)
    assert register.frozen() == (False, 0)
    register.approve(asked)
    assert (register.status(asked), register.frozen()) == ("approved", (True, 0))
    register.done(asked)
    thaw = register.approve(register.ask("thaw_account", investor=HOLDER))
    assert register.frozen() == (True, 0)
    register.done(thaw)
    assert (register.status(thaw), register.frozen()) == ("executed", (False, 0))


def test_an_account_and_a_part_of_it_are_frozen_apart(register: Register) -> None:
    register.carry_out("freeze_units", investor=HOLDER, units=70)
    register.carry_out("freeze_account", investor=HOLDER)
    assert register.frozen() == (True, 70)
    assert register.refusals(HOLDER, OTHER, 40) == ["seller_account_is_not_frozen", "units_are_not_frozen"]
    assert register.refusals(OTHER, HOLDER, 1) == ["buyer_account_is_not_frozen"]
    with pytest.raises(Refused, match="account_to_freeze_is_free"):
        register.ask("freeze_account", investor=HOLDER)
    register.carry_out("thaw_account", investor=HOLDER)
    assert register.frozen() == (False, 70)
    with pytest.raises(Refused, match="account_to_thaw_is_frozen"):
        register.ask("thaw_account", investor=HOLDER)


def test_a_pause_stops_everything_and_two_people_end_it(register: Register) -> None:
    pause = register.approve(register.ask("pause"))
    assert register.refusals(HOLDER, OTHER, 1) == ["security_is_not_paused"]
    shown = (
        register.world.login("engine")
        .execute("select status, because, asked_by, decided_by from registry.pause_fact")
        .fetchone()
    )
    assert shown == ("paused", "the order says so", ASKER, SECOND)
    with pytest.raises(Refused, match="security_to_pause_is_open"):
        register.ask("pause")
    register.done(pause)
    resume = register.ask("resume")
    with pytest.raises(Refused, match="control_action_needs_two_people"):
        register.approve(resume, by=ASKER)
    register.done(register.approve(resume))
    assert register.refusals(HOLDER, OTHER, 1) == []
    register.carry_out("pause")
    assert register.refusals(HOLDER, OTHER, 1) == ["security_is_not_paused"]


@pytest.mark.parametrize("act", ["instruct", "take_lines"])
def test_nothing_is_issued_while_the_security_is_paused(
    connect: Connect, database: Database, act: str
) -> None:
    world = _world(connect, "frozen" if act == "instruct" else "prepared")
    register = Register(world, registry.keeper(database))
    register.approve(register.ask("pause"))
    members = world.members(world.numbers)
    arguments = {"members": members} if act == "instruct" else {"most": 10}
    with pytest.raises(Refused, match="security_is_not_paused"):
        getattr(register.keeper, act)(actor="process", **register.where, closing=world.closing, **arguments)


def test_a_frozen_account_is_left_out_and_the_others_go_on(connect: Connect, database: Database) -> None:
    world = _world(connect, "frozen")
    register = Register(world, registry.keeper(database))
    register.approve(register.ask("freeze_account", investor=HOLDER))
    where = register.where | {"closing": world.closing}
    left = register.keeper.instruct(actor="process", **where, members=world.members(world.numbers))
    assert left == {"inv_one100": ["account_is_not_frozen"]}
    register.approve(register.ask("freeze_account", investor=OTHER))
    lines = register.keeper.take_lines(actor="process", **where, most=10)
    assert [line["investment"] for line in lines] == ["inv_one70"]


def test_a_declined_action_changes_nothing(register: Register) -> None:
    action = register.ask("freeze_account", investor=HOLDER)
    register.keeper.decide_control(
        actor=ASKER, **register.where, action=action, is_approved=False, because="asked in error"
    )
    assert (register.status(action), register.frozen()) == ("declined", (False, 0))
    with pytest.raises(Refused, match="transition_is_listed_for_the_keeper"):
        register.approve(action)


def test_each_version_of_a_restraint_is_kept(register: Register) -> None:
    register.carry_out("freeze_units", investor=HOLDER, units=70)
    register.carry_out("freeze_account", investor=HOLDER)
    register.carry_out("thaw_units", investor=HOLDER, units=20)
    kept = (
        register.world.login("registry")
        .execute("select entry_no, status, frozen_units, action_id from registry.restraint_entry order by 1")
        .fetchall()
    )
    assert kept == [(1, "free", 70, "cta_1"), (2, "frozen", 70, "cta_2"), (3, "frozen", 50, "cta_3")]


def test_an_approved_forced_transfer_takes_its_units_out_of_what_is_free(register: Register) -> None:
    register.carry_out("freeze_units", investor=HOLDER, units=30)
    move = {"investor": HOLDER, "receiver": OTHER, **ORDER}
    with pytest.raises(Refused, match="units_to_move_are_held"):
        register.ask("force_transfer", units=101, **move)
    register.approve(register.ask("force_transfer", units=60, **move))
    assert register.free() == 10
    with pytest.raises(Refused, match="units_to_freeze_are_free"):
        register.ask("freeze_units", investor=HOLDER, units=11)
