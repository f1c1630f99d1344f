"""Many raises from seeds: faults strike between any two steps, and after each step the invariants hold."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from bookrunner.adapters.chain.evm import EvmChain
from bookrunner.app import Application, open_keys
from bookrunner.app.settings import SANDBOX_CHAIN, Settings
from bookrunner.core import clock
from bookrunner.core.errors import BookrunnerError, Refused
from bookrunner.core.ids import new_id
from bookrunner.db import Keeper
from bookrunner.sandbox.props import evidence
from bookrunner.sandbox.raises.closing import PaperClosing
from bookrunner.sandbox.raises.crowd import Crowd
from bookrunner.sandbox.raises.killed import NO_NODE, kill_amid
from bookrunner.sandbox.raises.misfortune import FAULTS
from bookrunner.sandbox.story import PRICE_MINOR
from bookrunner.sandbox.world import database_of

_FAULT_ODDS = 0.55
_MOST_ROUNDS = 3
_OUTAGE_ODDS = 0.2
_LATE_ODDS = 0.1
# In one raise of so many workers are killed, with so long to live at most.
_RAISES_WITH_KILLS = 8
_LIFE_SECONDS = 0.12
_TARGET_SHARES = (0, 20, 60, 95)
# The crowd claims its wallets on paper. What stands in no statement of the bank yet differs from it.
_TRUE_ON_PAPER = frozenset({"linked_is_not_claimed"})
_ENDINGS = frozenset({"cancellation_is_asked", "manager_cancels", "deadline", "deadline_in_an_outage"})
_TRUE_AFTER = {
    "statement_is_not_the_ledger": frozenset({"returned_payment", "refunds_go_out"}),
    "cleared_is_not_the_committed_amount": frozenset({"returned_payment"}),
    "investment_has_ended": _ENDINGS,
    "attempt_is_not_open": _ENDINGS,
}


class InvariantBroken(BookrunnerError):
    """A raise left the books in a state that must never be."""


@dataclass(slots=True)
class RaiseReport:
    """What one raise did: its end, the steps taken, the rules that refused, how often each fault struck."""

    seed: int
    end: str = ""
    steps: int = 0
    issued: int = 0
    killed: int = 0
    compared: int = 0
    found: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    struck: Counter[str] = field(default_factory=Counter)


class Raise:
    """One raise of some investors, whose course its seed decides."""

    def __init__(self, app: Application, seed: int, investors: int) -> None:
        self.app = app
        self.crowd = Crowd(app, investors=investors, seed=seed)
        self.crowd.late_odds = _LATE_ODDS
        self.chance = random.Random(f"{seed}/raise")
        self.kills = seed % _RAISES_WITH_KILLS == 0
        self.report = RaiseReport(seed)
        self._sight = Keeper(app.database, "engine", "bookrunner.sandbox.raises")

    def play(self) -> RaiseReport:
        """Play to the end; raises InvariantBroken with the seed, the step and what broke."""
        crowd = self.crowd
        crowd.open()
        self._set_terms()
        crowd.enter()
        chapters: Sequence[tuple[str, Callable[[], object]]] = (
            ("identities", crowd.verify_identities),
            ("signing", crowd.sign_and_confirm),
            ("countersigning", crowd.countersign_all),
        )
        for name, chapter in chapters:
            self.step(name, chapter)
            self.strike()
        self._fund()
        self.strike()
        self.step("wallets", crowd.link_wallets)
        self.strike()
        closings = PaperClosing(self)
        for _ in range(self.chance.randint(1, _MOST_ROUNDS)):
            closings.run()
            self.strike()
        self._finish()
        return self.report

    def step(self, name: str, act: Callable[[], object]) -> bool:
        """Do one thing and check every invariant; false when a rule refused it."""
        self.report.steps += 1
        done = True
        try:
            act()
        except Refused as refused:
            self.report.refused[refused.rule] += 1
            done = False
        self._check(name)
        return done

    def strike(self) -> None:
        """Let faults strike, as many as the seed says."""
        while self.chance.random() < _FAULT_ODDS:
            fault = self.chance.choice(FAULTS)
            self.report.struck[fault.name] += 1
            self.step(fault.name, lambda fault=fault: fault.strikes(self))  # type: ignore[misc]
            if self.chance.random() < _FAULT_ODDS:
                self.step("answers", self.app.answer)
        self._compare()

    def let_a_worker_die(self, closing: str | None = None) -> None:
        """Where workers die in this raise, end one in the middle of its work; this process takes over."""
        if self.kills:
            pause = self.chance.uniform(0, _LIFE_SECONDS)
            self.report.killed += kill_amid(self.app, self.crowd.offering, closing, pause)
            self._check("a worker died")

    @property
    def status(self) -> str:
        """The status of the offer."""
        return str(self.app.desk.offer(self.crowd.offering)["status"])

    def change(self, **wanted: object) -> None:
        """Change locked terms by the request of one person and the approval of another."""
        change = new_id("chg")
        where = {"offering": self.crowd.offering, "change": change}
        self.app.desk.life.request_change(
            actor="issuer.iris",
            **where,
            wanted=wanted,
            because="the board resolved it",
            evidence_sha256=evidence(change),
        )
        self.app.desk.life.decide_change(
            actor="issuer.ivan", **where, is_approved=True, because="agreed", seen=1
        )

    def let_the_deadline_come(self) -> None:
        """Move the deadline to now, and look at the clock when it has passed."""
        soon = clock.now() + timedelta(milliseconds=30)
        self.change(closes_at=soon.isoformat())
        time.sleep(0.04)
        self.app.process.expire()

    def _fund(self) -> None:
        """Let the money come, or let the bank be silent while time and faults go on."""
        if self.chance.random() >= _OUTAGE_ODDS:
            self.step("funding", self.crowd.fund)
            return
        self.report.struck["bank_outage"] += 1
        self.step("payments", self.crowd.write_statement)
        self.strike()
        if self.chance.random() < 1 / 2:
            self.report.struck["deadline_in_an_outage"] += 1
            self.step("deadline", self.let_the_deadline_come)
            self.strike()
        self.step("bank_is_back", self.crowd.receive_statement)

    def _set_terms(self) -> None:
        share = self.chance.choice(_TARGET_SHARES)
        wanted: dict[str, object] = {"closes_at": (clock.now() + timedelta(days=90)).isoformat()}
        if share:
            wanted["target_minor"] = self.crowd.units * PRICE_MINOR * share // 100
        self.change(**wanted)
        self.app.answer()

    def _finish(self) -> None:
        ends = {"deadline": self.let_the_deadline_come, "halt": self._halt, "success": self._succeed}
        if self.status == "published":
            self.step("end", ends[self.chance.choice(sorted(ends))])
        self.step("answers", self.app.answer)
        is_open = self.status == "published"
        if is_open or (self.status == "legally_closed" and not self.step("success", self._succeed)):
            self.step("halt", self._halt)
        self.app.answer()
        self._check("the end", is_over=True)
        self._compare()
        self.report.end = self.status

    def _halt(self) -> None:
        self.app.desk.life.fail_offer(
            actor="issuer.iris",
            offering=self.crowd.offering,
            ended_as="halted",
            because="an order of the regulator",
        )

    def _succeed(self) -> None:
        engine, where = self.app.desk.engine, {"offering": self.crowd.offering}
        for status in ("legally_closed", "closed_successfully"):
            if self.status != status:
                engine.move_offer(actor="issuer.iris", **where, status=status)

    def _compare(self) -> None:
        """Compare the books whole; what they name without a fault that explains it is a false break."""
        offering, report = self.crowd.offering, self.report
        self.app.comparing.without_chain(offering, actor="recon.rita")
        report.compared += 1
        rows = [row["kind"] for row in self.app.desk.engine.breaks(offering=offering)]
        report.found.update(rows)
        told = {kind for kind, faults in _TRUE_AFTER.items() if faults & report.struck.keys()}
        if false := sorted(set(rows) - _TRUE_ON_PAPER - told):
            raise InvariantBroken(
                f"seed {report.seed}, step {report.steps} (comparison): false breaks {', '.join(false[:5])}"
            )

    def _check(self, step: str, *, is_over: bool = False) -> None:
        found = self._sight.broken(offering=self.crowd.offering, is_over=is_over)
        if found:
            broken = sorted({f"{row['invariant']}: {row['subject']}" for row in found})
            raise InvariantBroken(
                f"seed {self.report.seed}, step {self.report.steps} ({step}): {'; '.join(broken[:3])}"
            )


def play_raises(
    app: Application, count: int, seed: int, tell: Callable[[RaiseReport], None] = lambda _: None
) -> list[RaiseReport]:
    """Play ``count`` raises, the first from ``seed``, each next from the next seed; stops at what breaks.

    Raises InvariantBroken, whose text names the seed that plays it again.
    """
    reports = []
    for each in range(seed, seed + count):
        investors = random.Random(f"{each}/size").randint(5, 9)
        report = Raise(app, each, investors).play()
        tell(report)
        reports.append(report)
    return reports


@contextmanager
def on_paper(state: Path) -> Iterator[Application]:
    """Lend an application under ``state`` whose chain nobody asks: a database of its own and nothing else."""
    settings = Settings(state_dir=state, database_url=None, rpc_url=None)
    with database_of(settings) as endpoint, EvmChain(NO_NODE) as chain:
        keys = open_keys(state / "keys", SANDBOX_CHAIN, embedded=True)
        app = Application(endpoint, chain, keys, pause=lambda: None)
        try:
            yield app
        finally:
            app.close()
