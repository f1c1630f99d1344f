"""Chain transactions, exactly once: the bytes are committed first, then sent, and sent again until final."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Final

from bookrunner.adapters.chain import (
    MAX_TRANSACTION_GAS,
    Chain,
    Fees,
    Receipt,
    SendOutcome,
    Signer,
    Transaction,
)
from bookrunner.core.errors import BookrunnerError, Refused
from bookrunner.core.ids import new_id
from bookrunner.core.log import warn
from bookrunner.db import Keeper, Row, Within
from bookrunner.engine.issuance.posting import Came, Look, Postings, Stored, lines_of

ACTOR = "process"
PATIENCE_SECONDS: Final = 60.0
FEE_CEILING_WEI: Final = 500 * 10**9
LOOKS_BEFORE_DROP: Final = 10
LATE_SECONDS: Final = 0.3
POSTING_SECONDS: Final = 0.05
_MOVING: Final = {"deliver", "transfer", "control", "split", "redemption", "conversion", "reinvestment"}
_TAKEN: Final = {SendOutcome.ACCEPTED, SendOutcome.ALREADY_KNOWN}

Attempts = list[Row]
Terms = tuple[int, Fees]


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of an installation: of the agent, of the treasury, which delivers units, and of payers."""

    agent: Signer
    treasury: Signer
    payers: Callable[[str], Signer | None] = lambda _: None


class ChainStalled(BookrunnerError):
    """A signed transaction did not become final in time; it stays stored and is sent again later."""


class Submitter:
    """Signs for the keys of an offer, stores the bytes, sends them, and posts what became final.

    A transaction that no block takes for ``patience_seconds`` is offered again with higher fees, up to
    ``fee_ceiling_wei`` for each unit of gas.
    """

    def __init__(
        self,
        registry: Keeper,
        chain: Chain,
        keys: Keys,
        *,
        pause: Callable[[], None],
        patience_seconds: float = PATIENCE_SECONDS,
        fee_ceiling_wei: int = FEE_CEILING_WEI,
    ) -> None:
        self._registry = registry
        self._chain = chain
        self._signers = {signer.address: signer for signer in (keys.agent, keys.treasury)}
        self._pause = pause
        self._patience = patience_seconds
        self._ceiling = fee_ceiling_wei
        self._mined: dict[bytes, Receipt] = {}

    def know(self, signer: Signer) -> None:
        """Offer more for what this key has signed too, where no block takes it."""
        self._signers[signer.address] = signer

    def store(self, within: Within, signer: Signer, order: Row, lines: Sequence[Row]) -> Stored:
        """Take a nonce, sign and record one transaction inside an open transaction.

        ``order`` holds offering, purpose, intent, to, data, gas and, asked before any row was locked, the
        `terms`. With a ``closing`` it instructs the lines of its members too. Nothing is sent here.
        """
        chain_id, fees = order["terms"]
        nonce = within.take_nonce(actor=ACTOR, chain_id=chain_id, address=signer.address)
        signed = signer.sign(Transaction(chain_id, nonce, order["to"], order["data"], order["gas"], fees))
        transaction_id = new_id("txn")
        transaction = {
            "id": transaction_id,
            "intent": order["intent"],
            "purpose": order["purpose"],
            "chain_id": chain_id,
            "sender": signer.address.hex(),
            "nonce": nonce,
            "max_fee": fees.max_fee,
            "priority_fee": fees.priority_fee,
            "hash": signed.hash.hex(),
            "raw": signed.raw.hex(),
        }
        of = {"actor": ACTOR, "offering": order["offering"], "transaction": transaction}
        done = json.dumps([dict(line) for line in lines])
        if closing := order.get("closing"):
            within.record_issuance(**of, closing=closing, lines=done)
        else:
            within.record_transaction(**of, lines=done)
        return Stored(transaction_id, signed.raw)

    def terms(self) -> Terms:
        """Return the chain's id and the fees that a new transaction should offer.

        Refuses ``fees_stay_below_their_ceiling``: what a node suggests is not signed as it comes.
        """
        fees = self._chain.fees()
        if max(fees) > self._ceiling:
            raise Refused("fees_stay_below_their_ceiling", f"the node suggests {max(fees)} wei")
        return self._chain.chain_id(), fees

    def submit(self, signer: Signer, order: Row, lines: Sequence[Row] = ()) -> str:
        """Store and commit one transaction, then send it; the answer of the node is only a hint."""
        asked = {**order, "terms": self.terms()}
        with self._registry.together() as within:
            stored = self.store(within, signer, asked, lines)
        self.send_unfinished(order["offering"])
        return stored.transaction

    def submit_together(self, signer: Signer, orders: Sequence[Row]) -> list[str]:
        """Store and commit transactions without lines, then send them in one request; return their ids."""
        terms = self.terms()
        with self._registry.together() as within:
            stored = [self.store(within, signer, {**order, "terms": terms}, ()) for order in orders]
        self.send(stored)
        return [each.transaction for each in stored]

    def send(self, stored: Sequence[Stored]) -> None:
        """Send what was just stored, after its commit; `look` sends again what a node has not taken."""
        if stored:
            self._chain.send([each.raw for each in stored])

    def send_unfinished(self, offering: str) -> None:
        """Send the stored bytes of every intent that is not final; may be repeated for ever."""
        intents = _by_intent(self._registry.unfinished(offering=offering))
        if intents:
            self._chain.send([attempts[-1]["raw"] for attempts in intents])

    def look(
        self,
        offering: str,
        token: bytes | None,
        postings: Postings | None = None,
        *,
        may_pause: bool = True,
    ) -> Look:
        """Look once at what is not final, and let the chain go on while anything still is not.

        With ``may_pause`` false nothing is waited for, as there is more to sign: the chain goes on beside.

        With ``postings`` deliveries are posted beside; when nothing else is under way, one is awaited.
        """
        posted = postings.gather() if postings else []
        rows = self._registry.under_way(offering=offering)
        waiting = [row for row in rows if not (postings and row["intent_id"] in postings)]
        came = self._advance(waiting, token, postings)
        left = {row["intent_id"]: row for row in waiting if row["intent_id"] not in came.decided}
        if left and may_pause:
            self._pause()
        elif left and postings is not None:
            postings.meanwhile(self._pause)
        elif postings and may_pause:
            posted += postings.gather(POSTING_SECONDS)
        over = {each.transaction for each in posted}
        under_way = {row["transaction_id"] for row in rows if row["intent_id"] in left}
        if postings:
            under_way |= {row["transaction_id"] for row in rows if row["intent_id"] in postings}
        return Look(
            came.posted + sum(each.lines for each in posted),
            frozenset(came.through | over),
            frozenset(under_way),
            sum(row["purpose"] == "deliver" for row in left.values()),
        )

    def settle(self, offering: str, token: bytes | None, *, timeout_seconds: float = 120.0) -> int:
        """Wait until every stored transaction of an offer is final or reverted; return the number posted.

        A delivery is posted to the master securityholder file in the transaction that marks it final. Raises
        ChainStalled when the time is up; what is stored stays stored.
        """
        posted = 0
        deadline = time.monotonic() + timeout_seconds
        while waiting := self._registry.under_way(offering=offering):
            posted += self._advance(waiting, token).posted
            if time.monotonic() > deadline:
                raise ChainStalled(f"{len(waiting)} transactions of {offering} are not final")
            self._pause()
        return posted

    def _advance(self, waiting: Sequence[Row], token: bytes | None, postings: Postings | None = None) -> Came:
        """Conclude what is final, note what is mined, and see to what no block holds."""
        came = Came()
        if not waiting:
            return came
        final = self._chain.block_numbers().finalized
        resting = self._resting(waiting, final)
        asked = [row for row in waiting if row["intent_id"] not in resting]
        found = self._receipts(asked)
        mined, lost, over = [], [], []
        for attempts in _by_intent(asked):
            row = next((one for one in attempts if one["hash"] in found), None)
            if row is None:
                lost.append(attempts)
            elif found[row["hash"]].block_number <= final:
                over.append((row, found[row["hash"]]))
            else:
                mined.append((row, found[row["hash"]]))
        # A receipt is the same while its block is the chain's own: it is read once, and parsed once.
        kept = {row["hash"] for row in waiting if row["intent_id"] in resting}
        self._mined = {each: receipt for each, receipt in self._mined.items() if each in kept}
        self._mined |= {row["hash"]: receipt for row, receipt in mined}
        for row, receipt in over:
            came.decided.add(row["intent_id"])
            if receipt.status == 1:
                came.through.add(row["transaction_id"])
        came.posted = self._conclude_all(over, token, postings)
        self._note([_seen(row, "mined", seen) for row, seen in mined if row["block_hash"] != seen.block_hash])
        if lost:
            self._bring_back([attempts[0] for attempts in self._without_rivals(lost, final)])
        return came

    def _conclude_all(
        self, over: Sequence[tuple[Row, Receipt]], token: bytes | None, postings: Postings | None
    ) -> int:
        posted = 0
        incarnation = self._chain.genesis() if over else b""
        for row, receipt in over:
            conclude = partial(self._conclude, row, receipt, token, incarnation)
            if postings is not None and row["purpose"] == "deliver":
                postings.begin(row["intent_id"], row["transaction_id"], conclude)
            else:
                posted += conclude()
        return posted

    def _resting(self, waiting: Sequence[Row], final: int) -> set[str]:
        """Return the intents whose block is known, still one of the chain's own, and not final yet."""
        rows = [row for row in waiting if row["status"] == "mined" and row["block_number"] > final]
        canonical = self._chain.canonical([row["block_number"] for row in rows]) if rows else []
        return {
            row["intent_id"] for row, now in zip(rows, canonical, strict=True) if now == row["block_hash"]
        }

    def _receipts(self, rows: Sequence[Row]) -> dict[bytes, Receipt]:
        """Return by hash the receipts whose block is still one of the chain's own."""
        hashes = [row["hash"] for row in rows]
        seen = self._mined
        kept = self._standing([seen[each] for each in hashes if each in seen])
        answers = self._chain.receipts([each for each in hashes if each not in kept])
        return kept | self._standing([receipt for receipt in answers if receipt])

    def _standing(self, found: Sequence[Receipt]) -> dict[bytes, Receipt]:
        canonical = self._chain.canonical([receipt.block_number for receipt in found])
        return {r.hash: r for r, block in zip(found, canonical, strict=True) if block == r.block_hash}

    def _note(self, seen: Sequence[dict[str, object]]) -> None:
        if seen:
            offering = seen[0]["offering"]
            self._registry.note_seen(actor=ACTOR, offering=offering, seen=json.dumps(seen))

    def _without_rivals(self, lost: Sequence[Attempts], final: int) -> list[Attempts]:
        """Drop each intent whose nonce a final transaction of somebody else has; return the others.

        The count is that of block ``final``: every node that is asked has that block and its receipts.
        """
        counts = {sender: self._chain.nonce(sender, final) for sender in {a[0]["sender"] for a in lost}}
        suspects = [a for a in lost if a[0]["nonce"] < counts[a[0]["sender"]]]
        ours = self._late_receipts(suspects)
        for attempts in suspects:
            newest = attempts[-1]
            if not any(row["hash"] in ours for row in attempts) and self._registry.drop_intent(
                actor=ACTOR,
                offering=newest["offering_id"],
                transaction=newest["transaction_id"],
                stop=new_id("stp"),
            ):
                warn(
                    "somebody else used a key",
                    offering=newest["offering_id"],
                    subject=newest["transaction_id"],
                )
        return [attempts for attempts in lost if attempts not in suspects]

    def _late_receipts(self, suspects: Sequence[Attempts]) -> dict[bytes, Receipt]:
        """Ask again and again for what a node has mined and does not show yet: that takes a moment."""
        found: dict[bytes, Receipt] = {}
        for look in range(LOOKS_BEFORE_DROP if suspects else 0):
            time.sleep(LATE_SECONDS if look else 0)
            found = self._receipts([row for attempts in suspects for row in attempts])
            if all(any(row["hash"] in found for row in attempts) for attempts in suspects):
                break
        return found

    def _bring_back(self, missed: Sequence[Row]) -> None:
        """Send the newest attempts again, and offer more for the first of a key that waits too long."""
        intents = {row["intent_id"] for row in missed}
        rows = self._registry.unfinished(offering=missed[0]["offering_id"]) if missed else []
        lost = _by_intent([row for row in rows if row["intent_id"] in intents])
        if not lost:
            return
        hints = self._chain.send([attempts[-1]["raw"] for attempts in lost])
        seen = [_seen(row, "broadcast") for attempts in lost for row in attempts if row["status"] == "mined"]
        for attempts, hint in zip(lost, hints, strict=True):
            if attempts[-1]["status"] == "signed" and hint.outcome in _TAKEN:
                seen.append(_seen(attempts[-1], "broadcast"))
        self._note(seen)
        first: dict[bytes, Attempts] = {}
        for attempts in lost:
            first.setdefault(attempts[0]["sender"], attempts)
        for attempts in first.values():
            if attempts[-1]["waits_seconds"] > self._patience:
                self._offer_more(attempts[-1])

    def _offer_more(self, row: Row) -> None:
        """Store and send the same transaction with higher fees, at the same nonce."""
        signer = self._signers.get(row["sender"])
        fees = raised(Fees(row["max_fee_wei"], row["priority_fee_wei"]), self._chain.fees())
        if signer is None or fees.max_fee > self._ceiling:
            rule = "signer_is_at_hand" if signer is None else "fees_stay_below_their_ceiling"
            warn("a transaction waits", subject=row["transaction_id"], rule=rule)
            return
        signed = signer.sign_again(row["raw"], fees)
        stored = self._registry.record_replacement(
            actor=ACTOR,
            offering=row["offering_id"],
            replaced=row["transaction_id"],
            transaction={
                "id": new_id("txn"),
                "max_fee": fees.max_fee,
                "priority_fee": fees.priority_fee,
                "hash": signed.hash.hex(),
                "raw": signed.raw.hex(),
            },
        )
        if stored:
            self._chain.send([signed.raw])

    def _conclude(self, row: Row, receipt: Receipt, token: bytes | None, incarnation: bytes) -> int:
        if receipt.status != 1:
            self._registry.record_revert(
                actor=ACTOR,
                offering=row["offering_id"],
                transaction=row["transaction_id"],
                because="the chain refused it",
            )
            return 0
        lines = lines_of(receipt, token) if token and row["purpose"] in _MOVING else []
        posted: int = self._registry.finalize(
            actor=ACTOR,
            offering=row["offering_id"],
            transaction=row["transaction_id"],
            block={
                "number": receipt.block_number,
                "hash": receipt.block_hash.hex(),
                "incarnation": incarnation.hex(),
            },
            delivered=json.dumps(lines),
        )
        return posted


def raised(offered: Fees, suggested: Fees) -> Fees:
    """Return the fees of a further attempt: those that the chain suggests, at least an eighth above the last.

    Nodes refuse a replacement that raises one of the two only, or either by less than a tenth.
    """
    priority = max(suggested.priority_fee, -(-offered.priority_fee * 9 // 8), 1)
    return Fees(max(suggested.max_fee, -(-offered.max_fee * 9 // 8), priority), priority)


def _by_intent(rows: Sequence[Row]) -> list[Attempts]:
    """Group attempts that come in the order of keys, nonces and attempts."""
    return [list(attempts) for _, attempts in groupby(rows, key=lambda row: row["intent_id"])]


def _seen(row: Row, status: str, receipt: Receipt | None = None) -> dict[str, object]:
    return {
        "offering": row["offering_id"],
        "transaction": row["transaction_id"],
        "status": status,
        "block": receipt and receipt.block_number,
        "hash": receipt and receipt.block_hash.hex(),
    }


def gas_for(chain: Chain, call: tuple[bytes, bytes], sender: bytes) -> int:
    """Return the estimate and a fifth more, at most what one transaction may carry (EIP-7825)."""
    to, data = call
    return min(chain.estimate_gas(to, data, sender=sender) * 6 // 5, MAX_TRANSACTION_GAS)
