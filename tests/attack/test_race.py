"""A clearance is revoked while units are instructed: no instruction stands on a revoked fact."""

from __future__ import annotations

import random
import re
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.attack.world import Connect, World

PER_WORLD = 250
LOCK = re.compile(r"(?<=\w) for update(?=\)?;)")
STOP = "if new.issuance <> 'open' and engine"
LONGEST_DELAY_SECONDS = 0.006

# Stands: prepared on a closed gate, and nothing has stopped it.
STANDING = """
select count(*) from registry.issuance_instruction i
join engine.position p using (offering_id, investment_id) join engine.gate g on g.act = 'issue'
where i.status = 'prepared' and g.mask & ~engine.holds(p) <> 0 and not p.issuance_is_stopped
"""
# Late: prepared when the revocation had already been recorded.
LATE = """
select count(*) from registry.issuance_instruction i
join engine.position p using (offering_id, investment_id)
join audit.event made on made.subject = i.instruction_id and made.kind = 'issuance_instruction.prepared'
join compliance.clearance c on c.offering_id = p.offering_id and c.investor_id = p.investor_id
join audit.event revoked on revoked.subject = c.clearance_id and revoked.kind = 'clearance.reopened'
where made.recorded_at > revoked.recorded_at
"""
OUTCOMES = """
select count(*), count(i.instruction_id), count(*) filter (where not p.investor_is_cleared)
from engine.position p left join registry.issuance_instruction i using (offering_id, investment_id)
"""


class Race:
    """Two connections, as registry and as compliance, that act on one investor almost at once."""

    def __init__(self, connect: Connect, seed: int) -> None:
        self._owner = connect("owner")
        self._connect = connect
        self._random = random.Random(seed)
        self.refused: Counter[str] = Counter()

    def run(self, trials: int) -> None:
        """Race once for each of ``trials`` investors, all members of frozen closings."""
        for place, done in enumerate(range(0, trials, PER_WORLD)):
            world = World(self._connect, f"race{place}_", min(PER_WORLD, trials - done)).build("frozen")
            with ThreadPoolExecutor(2) as pair:
                for n in world.numbers:
                    instructing = pair.submit(self._act, self._instruct, world, n)
                    revoking = pair.submit(self._act, self._revoke, world, n)
                    instructing.result()
                    revoking.result()

    def count(self, question: str) -> int:
        """Return the first number that a question about all trials answers."""
        return self.counts(question)[0]

    def counts(self, question: str) -> tuple[int, ...]:
        """Return every number that a question about all trials answers."""
        row = self._owner.execute(question.encode()).fetchone()
        assert row is not None
        return tuple(row)

    def change(self, function: str, change: tuple[str | re.Pattern[str], str]) -> None:
        """Replace a part of a function in this test's own database; the part must be there exactly once."""
        row = self._owner.execute("select pg_get_functiondef(%s::regproc)", [function]).fetchone()
        assert row is not None
        pattern, replacement = change
        text, found = re.subn(
            re.escape(pattern) if isinstance(pattern, str) else pattern, replacement, row[0]
        )
        assert found == 1, (function, found)
        self._owner.execute(text.encode())

    def unlock(self) -> None:
        """Leave the gate a check without a lock, with some time between the check and the act."""
        self.change("registry.lock_and_judge", (LOCK, ""))
        self.change("registry.instruction_passes_the_gate", (LOCK, ""))
        passed = "perform registry.refuse_issuance(new);\n        end if;"
        slowly = f"{passed}\n        perform pg_sleep(0.004);"
        self.change("registry.instruction_passes_the_gate", (passed, slowly))

    def trust_the_check(self) -> None:
        """Take away the second wall: the position stops only what compliance closes."""
        self.change(
            "engine.position_stands",
            (STOP, "if session_user = 'compliance' and new.issuance <> 'open' and engine"),
        )
        self._owner.execute(
            "alter table engine.position drop constraint no_instruction_runs_on_a_closed_gate"
        )

    def _act(self, verb: object, world: World, n: int) -> None:
        time.sleep(self._random.uniform(0, LONGEST_DELAY_SECONDS))
        assert callable(verb)
        try:
            verb(world, n)
        except psycopg.Error as fault:
            self.refused[fault.diag.constraint_name or fault.sqlstate or "unknown"] += 1

    def _instruct(self, world: World, n: int) -> None:
        world.call("registry.instruct", world.offering, world.closing, world.members([n]))

    def _revoke(self, world: World, n: int) -> None:
        world.revoke(n)


def hold_the_line(race: Race, trials: int) -> None:
    race.run(trials)
    assert race.count(STANDING) == 0
    assert race.count(LATE) == 0
    assert race.refused == {}
    all_trials, instructed, revoked = race.counts(OUTCOMES)
    assert (all_trials, revoked) == (trials, trials)
    # Both orders must have happened, or nothing was raced.
    assert 0 < instructed < trials


def test_no_instruction_stands_on_a_revoked_clearance(connect: Connect) -> None:
    hold_the_line(Race(connect, seed=1), 60)


@pytest.mark.torture
def test_no_instruction_stands_on_a_revoked_clearance_in_a_thousand_races(connect: Connect) -> None:
    hold_the_line(Race(connect, seed=2), 1000)


def test_without_the_lock_an_instruction_comes_late_but_the_position_stops_it(connect: Connect) -> None:
    race = Race(connect, seed=3)
    race.unlock()
    race.run(40)
    assert race.count(LATE) > 0
    assert race.count(STANDING) == 0


def test_with_the_lock_alone_no_instruction_stands(connect: Connect) -> None:
    race = Race(connect, seed=4)
    race.trust_the_check()
    race.run(40)
    assert race.count(LATE) == 0
    assert race.count(STANDING) == 0


def test_check_then_act_without_either_wall_leaves_an_instruction_standing(connect: Connect) -> None:
    race = Race(connect, seed=5)
    race.unlock()
    race.trust_the_check()
    race.run(40)
    assert race.count(STANDING) > 0
