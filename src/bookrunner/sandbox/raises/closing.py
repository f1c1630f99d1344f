"""A closing on paper: the registry's verbs in their order, with chains and signatures that nobody made."""

from __future__ import annotations

import hashlib

from bookrunner.app import Application
from bookrunner.core.errors import Refused
from bookrunner.core.ids import new_id
from bookrunner.db import Row
from bookrunner.engine.desk import PROCESS
from bookrunner.sandbox.raises.course import Course
from bookrunner.sandbox.raises.crowd import AGENT, CHAIN_ID


class PaperRegister:
    """Carries a frozen set to the register. Each step reads from the books what is left to do."""

    def __init__(self, app: Application, offering: str) -> None:
        self._app = app
        self._desk = app.desk
        self._offering = offering
        self._sender = hashlib.sha256(f"{offering}/sender".encode()).digest()[:20]

    def carry(self, closing: str) -> None:
        """Take every step, whatever an earlier worker did of them; what a rule refuses waits."""
        try:
            self.instruct(closing)
            self.sign(closing)
            self.finalize()
            self.drop(closing)
            self.mark(closing)
        except Refused:
            return

    def instruct(self, closing: str) -> None:
        """Screen whoever has no instruction yet, and instruct them; whose gate has closed leaves."""
        waiting = [row for row in self._members(closing) if row["issuance"] == "open"]
        if not waiting:
            return
        self._app.screening.for_issuance([row["investor_id"] for row in waiting])
        asked = [{"investment": row["investment_id"], "instruction": new_id("ins")} for row in waiting]
        refused = self._desk.registry.instruct(**self._where(closing), members=asked)
        if refused:
            self._leave(closing, sorted(refused), "its gate closed")

    def sign(self, closing: str) -> None:
        """Sign every line whose gate is still open, in one transaction with the bytes."""
        self._desk.registry.open_key(
            actor=AGENT, chain_id=CHAIN_ID, address=self._sender, purpose=self._offering
        )
        with self._desk.registry.together() as within:
            lines = within.take_lines(**self._where(closing), most=100)
            if not lines:
                return
            nonce = within.take_nonce(actor=PROCESS, chain_id=CHAIN_ID, address=self._sender)
            within.record_transaction(
                actor=PROCESS, offering=self._offering, transaction=self._paper(nonce), lines=lines
            )

    def finalize(self) -> None:
        """Say of every signed transaction that a chain has it, which posts its lines."""
        for row in self._desk.registry.unfinished(offering=self._offering):
            transaction = row["transaction_id"]
            block = hashlib.sha256(f"block/{transaction}".encode()).hexdigest()
            delivered = [
                {"address": line["address"], "units": line["units"], "ordinal": place}
                for place, line in enumerate(row["lines"])
            ]
            self._desk.registry.finalize(
                actor=PROCESS,
                offering=self._offering,
                transaction=transaction,
                block={"number": 5, "hash": block, "incarnation": hashlib.sha256(b"genesis").hexdigest()},
                delivered=delivered,
            )

    def drop(self, closing: str) -> None:
        """Let those go whose instruction was stopped."""
        rows = self._members(closing)
        gone = [row["investment_id"] for row in rows if row["issuance"] == "open" and row["stopped_because"]]
        if gone:
            self._leave(closing, sorted(gone), "its instruction was stopped")

    def mark(self, closing: str) -> int:
        """Mark the set as issued and return how many of it are."""
        issued: int = self._desk.engine.mark_issued(**self._where(closing))
        return issued

    def _members(self, closing: str) -> list[Row]:
        rows: list[Row] = self._desk.engine.frozen_members(offering=self._offering, closing=closing)
        return rows

    def _leave(self, closing: str, investments: list[str], because: str) -> None:
        self._desk.engine.leave_closing(**self._where(closing), investments=investments, because=because)

    def _where(self, closing: str) -> dict[str, str]:
        return {"actor": PROCESS, "offering": self._offering, "closing": closing}

    def _paper(self, nonce: int) -> dict[str, object]:
        transaction = new_id("txn")
        return {
            "id": transaction,
            "intent": new_id("int"),
            "purpose": "deliver",
            "chain_id": CHAIN_ID,
            "sender": self._sender.hex(),
            "nonce": nonce,
            "max_fee": 2_000_000_000,
            "priority_fee": 1_000_000_000,
            "hash": hashlib.sha256(transaction.encode()).hexdigest(),
            "raw": "00",
        }


class PaperClosing:
    """Runs closings of one raise; between any two of its steps the raise may be struck."""

    def __init__(self, course: Course) -> None:
        self._course = course
        self._app: Application = course.app
        self._offering = course.crowd.offering
        self._register = PaperRegister(course.app, course.crowd.offering)

    def run(self) -> None:
        """Carry on the set that is frozen, or freeze whoever is ready; a refusal on the way ends this run."""
        course, register = self._course, self._register
        closing = self._frozen()
        if closing is None:
            if not course.step("freeze", self._freeze):
                return
            closing = self._frozen()
        if closing is None:
            return
        course.strike()
        course.let_a_worker_die(closing)
        for name, act in (("instruct", register.instruct), ("sign", register.sign)):
            if not course.step(name, lambda act=act: act(closing)):  # type: ignore[misc]
                return
            course.strike()
        course.step("finalize", register.finalize)
        course.strike()
        course.step("drop", lambda: register.drop(closing))
        if course.step("mark", lambda: self._mark(closing)) and self._is_issued(closing):
            course.strike()
            course.step("release", lambda: course.crowd.release(closing))
            course.step("answers", self._app.answer)

    def _freeze(self) -> None:
        self._app.desk.freeze(self._offering, actor="operator.otto", ready_only=True)

    def _frozen(self) -> str | None:
        rows = self._app.desk.engine.closings(offering=self._offering)
        return next((str(row["closing_id"]) for row in rows if row["status"] == "frozen"), None)

    def _mark(self, closing: str) -> None:
        self._course.report.issued += self._register.mark(closing)

    def _is_issued(self, closing: str) -> bool:
        return bool(self._app.desk.engine.closing(closing=closing)["status"] == "issued")
