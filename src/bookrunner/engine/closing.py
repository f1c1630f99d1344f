"""One closing after its freeze: instructions, signed batches, finality, posting, release, certificate.

Every step can be repeated after a crash: it reads what is left to do from the books.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bookrunner.adapters.chain import (
    MAX_LINES,
    MAX_TRANSACTION_GAS,
    Chain,
    identity_registry,
    is_registered,
    register_batch,
    transfer_batch,
)
from bookrunner.core.countries import country_number
from bookrunner.core.errors import Refused, UnknownRecord
from bookrunner.core.ids import new_id
from bookrunner.db import Row
from bookrunner.engine.desk import PROCESS, Desk
from bookrunner.engine.issuance import PATIENCE_SECONDS, Keys, Submitter, gas_for

Progress = Callable[[str, int, int], None]

BATCHES_AT_ONCE = 3


class ClosingRun:
    """Carries a frozen closing to the register, in the order that the design declares.

    ``lines`` is the most that one delivery carries; ``screen`` screens investors for their issuance; after
    ``patience_seconds`` more is offered for a delivery. Two runs of one closing at a time do no harm.
    """

    def __init__(
        self,
        desk: Desk,
        chain: Chain,
        keys: Keys,
        *,
        pause: Callable[[], None],
        screen: Callable[[Sequence[str]], None],
        lines: int = MAX_LINES,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._desk = desk
        self._screen = screen
        self._chain = chain
        self._keys = keys
        self._lines = lines
        self._submitter = Submitter(
            desk.registry, chain, keys, pause=pause, patience_seconds=patience_seconds
        )

    def run(self, offering: str, closing: str, progress: Progress = lambda *_: None) -> int:
        """Issue every member whose gate is still open and return how many stand in the register.

        Escrow is not released here: two people do that, and the certificate follows. Refuses
        ``closing_exists``; a closing that is not frozen any more has nothing left to issue.
        """
        row = self._desk.engine.closing(closing=closing)
        if row is None or row["offering_id"] != offering:
            raise UnknownRecord("closing_exists", f"there is no closing {closing} in {offering}")
        if row["status"] != "frozen":
            return 0
        token = bytes(self._desk.engine.offer(offering=offering)["token_address"])
        progress("recover", 0, 1)
        # Bytes that an earlier run stored may be out: they are settled before anything new is signed.
        self._submitter.send_unfinished(offering)
        self._submitter.settle(offering, token)
        self._drop_stopped(offering, closing)
        self._issue(offering, closing, token, progress)
        # Lines of a transaction that did nothing are free again, and go out in another.
        while self._waits(offering, closing):
            self._issue(offering, closing, token, progress)
        progress("mark", 0, 1)
        issued: int = self._desk.engine.mark_issued(actor=PROCESS, offering=offering, closing=closing)
        return issued

    def _issue(self, offering: str, closing: str, token: bytes, progress: Progress) -> None:
        progress("instruct", 0, 1)
        self._instruct(offering, closing)
        progress("register", 0, 1)
        self._register_wallets(offering, closing, token)
        progress("preflight", 0, 1)
        self._stop_poisoned(offering, closing, token)
        self._deliver(offering, closing, token, progress)
        self._drop_stopped(offering, closing)

    def _waits(self, offering: str, closing: str) -> list[Row]:
        members = self._desk.engine.frozen_members(offering=offering, closing=closing)
        return [m for m in members if m["issuance"] == "open"]

    def _instruct(self, offering: str, closing: str) -> None:
        still = self._waits(offering, closing)
        if not still:
            return
        self._screen([m["investor_id"] for m in still])
        members = [{"investment": m["investment_id"], "instruction": new_id("ins")} for m in still]
        refused = self._desk.registry.instruct(
            actor=PROCESS, offering=offering, closing=closing, members=members
        )
        if refused:
            self._leave(offering, closing, sorted(refused), "its gate closed before the instruction")

    def _leave(self, offering: str, closing: str, investments: Sequence[str], because: str) -> None:
        self._desk.engine.leave_closing(
            actor=PROCESS, offering=offering, closing=closing, investments=list(investments), because=because
        )

    def _register_wallets(self, offering: str, closing: str, token: bytes) -> None:
        waiting = self._desk.registry.prepared_addresses(offering=offering, closing=closing)
        if not waiting:
            return
        lived = self._desk.engine.residences(offering=offering, closing=closing)
        country = {row["investment_id"]: country_number(row["country"]) for row in lived}
        wallets = {bytes.fromhex(row["address"]): country[row["investment_id"]] for row in waiting}
        (registry,) = self._chain.read([identity_registry(token)])
        known = self._chain.read([is_registered(registry, wallet) for wallet in wallets])
        unknown = [w for w, there in zip(wallets, known, strict=True) if not there]
        for start in range(0, len(unknown), MAX_LINES):
            part = unknown[start : start + MAX_LINES]
            data = register_batch([(wallet, wallet, wallets[wallet]) for wallet in part])
            gas = gas_for(self._chain, (registry, data), self._keys.agent.address)
            order = {
                "offering": offering,
                "purpose": "identity",
                "intent": new_id("int"),
                "to": registry,
                "data": data,
                "gas": gas,
            }
            self._submitter.submit(self._keys.agent, order)
        self._submitter.settle(offering, token)

    def _deliver(self, offering: str, closing: str, token: bytes, progress: Progress) -> None:
        """Sign, send and settle until no member is on its way any more, whoever signed for it."""
        before, waiting = None, self._on_their_way(offering, closing)
        total = len(waiting)
        progress("deliver", 0, total)
        while waiting and waiting != before:
            for _ in range(BATCHES_AT_ONCE):
                self._sign_batch(offering, closing, token)
            progress("sign", total - len(waiting), total)
            self._submitter.send_unfinished(offering)
            progress("send", total - len(waiting), total)
            self._submitter.settle(offering, token)
            before, waiting = waiting, self._on_their_way(offering, closing)
            progress("deliver", total - len(waiting), total)
        if waiting:
            raise Refused("closing_goes_forward", f"{len(waiting)} members of {closing} wait for nothing")

    def _on_their_way(self, offering: str, closing: str) -> list[str]:
        members = self._desk.engine.frozen_members(offering=offering, closing=closing)
        return [m["investment_id"] for m in members if m["issuance"] in {"instructed", "submitted"}]

    def _stop_poisoned(self, offering: str, closing: str, token: bytes) -> None:
        waiting = self._desk.registry.prepared_addresses(offering=offering, closing=closing)
        for start in range(0, len(waiting), self._lines):
            part = waiting[start : start + self._lines]
            lines = [(bytes.fromhex(row["address"]), int(row["units"])) for row in part]
            faults = self._chain.preflight(token, self._keys.treasury.address, lines, gas=MAX_TRANSACTION_GAS)
            for place, rule in faults.items():
                investment = part[place]["investment_id"]
                self._desk.registry.stop(
                    actor=PROCESS, offering=offering, investments=[investment], because=rule
                )

    def _sign_batch(self, offering: str, closing: str, token: bytes) -> int:
        # Rows are locked from here to the signature: what the chain says is asked before.
        terms = self._submitter.terms()
        with self._desk.registry.together() as within:
            lines = within.take_lines(actor=PROCESS, offering=offering, closing=closing, most=self._lines)
            if not lines:
                return 0
            data = transfer_batch([(bytes.fromhex(line["address"]), line["units"]) for line in lines])
            order = {
                "offering": offering,
                "purpose": "deliver",
                "intent": new_id("int"),
                "to": token,
                "data": data,
                "gas": min(150_000 + 60_000 * len(lines), MAX_TRANSACTION_GAS),
                "terms": terms,
            }
            self._submitter.store(within, self._keys.treasury, order, lines)
            return len(lines)

    def _drop_stopped(self, offering: str, closing: str) -> None:
        """Let those go whose instruction was stopped: their money waits in escrow."""
        gone: dict[str, list[str]] = {}
        for m in self._desk.engine.frozen_members(offering=offering, closing=closing):
            if m["issuance"] == "open" and m["stopped_because"] is not None:
                gone.setdefault(m["stopped_because"], []).append(m["investment_id"])
        for because, investments in sorted(gone.items()):
            self._leave(offering, closing, investments, because)


def finish_release(desk: Desk, offering: str, closing: str) -> str:
    """Mark a closing released after its escrow went out, certify it, and return the certificate's text.

    May be repeated: a closing that is certified keeps its certificate.
    """
    row = desk.engine.closing(closing=closing)
    if row["status"] == "certified":
        kept: str = desk.engine.certificate(offering=offering, closing=closing)["canonical"]
        return kept
    if row["status"] == "issued":
        desk.engine.mark_released(actor=PROCESS, offering=offering, closing=closing)
        row = desk.engine.closing(closing=closing)
    if row["status"] != "released":
        raise Refused("closing_is_released", f"{closing} is {row['status']}")
    certificate: str = desk.engine.certify(actor=PROCESS, offering=offering, closing=closing)
    return certificate
