"""Freezes of accounts and units, pauses, and the two people behind each, in the register alone."""

from __future__ import annotations

import json

import pytest

from bookrunner.books import registry
from bookrunner.core.errors import Refused
from bookrunner.db import Database, Keeper
from tests.attack.world import CHAIN, Connect, World, digest

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


@pytest.mark.parametrize("act", ["instruct", "open_lines", "take_lines"])
def test_nothing_is_issued_while_the_security_is_paused(
    connect: Connect, database: Database, act: str
) -> None:
    world = _world(connect, "prepared" if act == "take_lines" else "frozen")
    register = Register(world, registry.keeper(database))
    register.approve(register.ask("pause"))
    members = world.members(world.numbers)
    arguments = {"most": 10} if act == "take_lines" else {"members": members}
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


class Chained(Register):
    """The register with the chain's part told by the test."""

    def __init__(self, world: World, keeper: Keeper) -> None:
        super().__init__(world, keeper)
        keeper.open_key(actor="process", chain_id=CHAIN, address=b"\x0e" * 20, purpose="agent")
        self._nonce = 0

    def submit(self, action: str, call: str = "freeze_part") -> str:
        """Store one call of an action and return its transaction."""
        self._nonce += 1
        name = f"{action}{self._nonce}"
        transaction = {
            "id": f"txn_{name}",
            "intent": f"int_{name}",
            "purpose": "control",
            "chain_id": CHAIN,
            "sender": "0e" * 20,
            "nonce": self._nonce,
            "max_fee": 2,
            "priority_fee": 1,
            "hash": digest(name).hex(),
            "raw": "00",
        }
        version = self.keeper.control_plan(**self.where, action=action)["version"]
        steps = json.dumps([{"intent": f"int_{name}", "call": call}])
        with self.keeper.together() as within:
            within.record_transaction(actor="process", **self.where, transaction=transaction, lines="[]")
            within.submit_control(actor="process", **self.where, action=action, version=version, steps=steps)
        return f"txn_{name}"

    def final(self, transaction: str) -> None:
        """Let the chain have a transaction."""
        block = {"number": 7, "hash": digest("block").hex(), "incarnation": digest("genesis").hex()}
        self.keeper.finalize(
            actor="process", **self.where, transaction=transaction, block=block, delivered="[]"
        )

    def reverted(self, transaction: str) -> None:
        """Let the chain refuse a transaction."""
        self.keeper.record_revert(actor="process", **self.where, transaction=transaction, because="refused")

    def moves(self) -> set[tuple[str, str, str]]:
        """Return machine, state before and state after of every event of these machines."""
        rows = (
            self.world.login("owner")
            .execute(
                b"select subject, kind, canonical from audit.event where kind ~ %s order by version", [_KINDS]
            )
            .fetchall()
        )
        found, stands = set(), dict[str, str]()
        for subject, kind, canonical in rows:
            before = stands.get(subject, "")
            stands[subject] = json.loads(canonical)["payload"].get("status", before)
            found.add((kind.partition(".")[0], before, stands[subject]))
        return found


_KINDS = r"^(control_action|account_restraint|security_restraint)\."


def test_every_move_of_the_machines_is_taken(register: Register) -> None:
    on = Chained(register.world, register.keeper)
    part = {"investor": HOLDER, "units": 10}
    on.keeper.decide_control(
        actor=SECOND, **on.where, action=on.ask("pause"), is_approved=False, because="no"
    )
    on.final(on.submit(on.approve(on.ask("freeze_units", **part))))
    first = on.approve(on.ask("thaw_units", **part))
    on.reverted(on.submit(first))
    assert (on.status(first), on.frozen()) == ("reverted", (False, 10))
    on.final(on.submit(first))
    assert (on.status(first), on.frozen()) == ("executed", (False, 0))
    held = on.approve(on.ask("freeze_units", **part))
    with pytest.raises(Refused, match="restraint_is_carried_to_the_chain"):
        on.keeper.abandon_control(actor=SECOND, **on.where, action=held, because="not needed")
    on.final(on.submit(held))
    unsigned = on.approve(on.ask("thaw_units", **part))
    on.keeper.abandon_control(actor=SECOND, **on.where, action=unsigned, because="asked in error")
    assert (on.status(unsigned), on.frozen()) == ("abandoned", (False, 10))
    on.carry_out("thaw_units", **part)
    again = on.approve(on.ask("freeze_units", **part))
    on.reverted(on.submit(again))
    on.done(again)
    given_up = on.approve(on.ask("freeze_units", **part))
    on.reverted(on.submit(given_up))
    on.keeper.abandon_control(actor=SECOND, **on.where, action=given_up, because="not needed")
    assert on.frozen() == (False, 20)
    for kind in ("freeze_account", "thaw_account", "freeze_account"):
        on.carry_out(kind, investor=HOLDER)
    on.carry_out("freeze_units", **part)
    on.carry_out("freeze_account", investor=OTHER)
    for kind in ("pause", "resume", "pause"):
        on.carry_out(kind)
    listed = (
        on.world.login("owner")
        .execute(
            b"select machine, from_state, to_state from engine.transition where machine || '.' ~ %s", [_KINDS]
        )
        .fetchall()
    )
    assert on.moves() == set(listed)


def test_a_call_that_is_final_late_does_not_end_a_newer_try(register: Register) -> None:
    on = Chained(register.world, register.keeper)
    action = on.approve(on.ask("freeze_units", investor=HOLDER, units=10))
    first = on.submit(action)
    with pytest.raises(Refused, match="earlier_calls_are_settled"):
        on.submit(action)
    on.reverted(first)
    second = on.submit(action)
    assert on.status(action) == "submitted"
    on.final(second)
    assert on.status(action) == "executed"
