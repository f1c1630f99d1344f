"""A closing on paper: the registry's verbs in their order, with chains and signatures that nobody made."""

from __future__ import annotations

import hashlib

from bookrunner.app import Application
from bookrunner.core.ids import new_id
from bookrunner.db import Row
from bookrunner.engine.desk import PROCESS
from bookrunner.sandbox.raises.course import Course
from bookrunner.sandbox.raises.crowd import AGENT, CHAIN_ID, Crowd


class PaperClosing:
    """Runs closings of one raise; between any two of its steps the raise may be struck."""

    def __init__(self, course: Course) -> None:
        self._course = course
        self._crowd: Crowd = course.crowd
        self._app: Application = course.app
        self._sender = hashlib.sha256(f"{course.crowd.offering}/sender".encode()).digest()[:20]
        self._is_key_open = False
        self._lines: list[Row] = []
        self._transaction = ""

    def run(self) -> None:
        """Freeze whoever is ready and carry the set on; a refusal on the way ends this run."""
        course, desk = self._course, self._app.desk
        name: list[str] = []
        frozen = course.step(
            "freeze",
            lambda: name.append(desk.freeze(self._crowd.offering, actor="operator.otto", ready_only=True)),
        )
        if not frozen:
            return
        closing = name[0]
        course.strike()
        if not course.step("instruct", lambda: self._instruct(closing)):
            return
        course.strike()
        if course.step("sign", lambda: self._sign(closing)) and self._lines:
            course.strike()
            course.step("finalize", self._finalize)
            course.strike()
        course.step("drop", lambda: self._drop(closing))
        if course.step("mark", lambda: self._mark(closing)) and self._is_issued(closing):
            course.strike()
            course.step("release", lambda: self._crowd.release(closing))
            course.step("answers", self._app.answer)

    def _where(self, closing: str, actor: str = PROCESS) -> dict[str, str]:
        return {"actor": actor, "offering": self._crowd.offering, "closing": closing}

    def _instruct(self, closing: str) -> None:
        desk = self._app.desk
        members = desk.engine.frozen_members(offering=self._crowd.offering, closing=closing)
        if not members:
            return
        self._app.screening.for_issuance([row["investor_id"] for row in members])
        asked = [
            {
                "investment": row["investment_id"],
                "instruction": f"ins_{row['investment_id'][4:]}{closing[-6:]}",
            }
            for row in members
        ]
        refused = desk.registry.instruct(**self._where(closing), members=asked)
        if refused:
            desk.engine.leave_closing(
                **self._where(closing), investments=sorted(refused), because="its gate closed"
            )

    def _sign(self, closing: str) -> None:
        registry = self._app.desk.registry
        if not self._is_key_open:
            registry.open_key(
                actor=AGENT, chain_id=CHAIN_ID, address=self._sender, purpose=self._crowd.offering
            )
            self._is_key_open = True
        self._transaction = new_id("txn")
        with registry.together() as within:
            self._lines = within.take_lines(**self._where(closing), most=100)
            if not self._lines:
                return
            nonce = within.take_nonce(actor=PROCESS, chain_id=CHAIN_ID, address=self._sender)
            within.record_transaction(
                actor=PROCESS,
                offering=self._crowd.offering,
                transaction=self._paper(nonce),
                lines=self._lines,
            )

    def _paper(self, nonce: int) -> dict[str, object]:
        return {
            "id": self._transaction,
            "intent": new_id("int"),
            "purpose": "deliver",
            "chain_id": CHAIN_ID,
            "sender": self._sender.hex(),
            "nonce": nonce,
            "max_fee": 2_000_000_000,
            "priority_fee": 1_000_000_000,
            "hash": hashlib.sha256(self._transaction.encode()).hexdigest(),
            "raw": "00",
        }

    def _finalize(self) -> None:
        block = hashlib.sha256(f"block/{self._transaction}".encode()).hexdigest()
        delivered = [
            {"address": line["address"], "units": line["units"], "ordinal": place}
            for place, line in enumerate(self._lines)
        ]
        self._app.desk.registry.finalize(
            actor=PROCESS,
            offering=self._crowd.offering,
            transaction=self._transaction,
            block={"number": 5, "hash": block, "incarnation": hashlib.sha256(b"genesis").hexdigest()},
            delivered=delivered,
        )

    def _drop(self, closing: str) -> None:
        engine = self._app.desk.engine
        rows = engine.frozen_members(offering=self._crowd.offering, closing=closing)
        gone = [row["investment_id"] for row in rows if row["issuance"] == "open" and row["stopped_because"]]
        if gone:
            engine.leave_closing(
                **self._where(closing), investments=sorted(gone), because="its instruction was stopped"
            )

    def _mark(self, closing: str) -> None:
        issued: int = self._app.desk.engine.mark_issued(**self._where(closing))
        self._course.report.issued += issued

    def _is_issued(self, closing: str) -> bool:
        return bool(self._app.desk.engine.closing(closing=closing)["status"] == "issued")
