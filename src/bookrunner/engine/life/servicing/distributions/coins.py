"""Lines that are paid in tokens: stored orders are signed by the paying wallet of the offer, exactly once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from bookrunner.adapters.chain import Chain, ChainError, NodeRefused, Signer, delivered, transfer
from bookrunner.books.treasury import disbursements, hand_over_waiting
from bookrunner.core.errors import Refused, UnknownRecord
from bookrunner.core.ids import new_id
from bookrunner.core.log import tell, warn
from bookrunner.db import Keeper, Row
from bookrunner.engine.desk import PROCESS, Desk
from bookrunner.engine.issuance import ChainStalled, Keys, Submitter, Terms, gas_for

PATIENCE_SECONDS: Final = 30
ORDERS_AT_ONCE: Final = 50
_PURPOSE: Final = "pay"
_REFUSES: Final = "chain_takes_the_payment"


@dataclass(frozen=True, slots=True)
class Quote:
    """What a node says of an order: the terms of a transaction, and its gas, None where it would fail."""

    terms: Terms
    gas: int | None


class CoinPayments:
    """Pays lines in tokens: the treasury stores an order, a transaction is signed for it, a block settles it.

    An order and its transaction have one name, so a run that ends anywhere is carried on by the next: what is
    stored is signed once, what is signed is sent until it is final, and what is final is settled once.
    """

    def __init__(self, desk: Desk, chain: Chain, keys: Keys, submitter: Submitter) -> None:
        self._desk = desk
        self._chain = chain
        self._keys = keys
        self._submitter = submitter
        self._payments = disbursements(desk.database)
        self._terms = Keeper(desk.database, "engine", "bookrunner.engine.life.servicing.distributions")

    def propose_wallet(self, offering: str, coin: str | None, *, actor: str) -> str:
        """Propose the wallet whose key this installation holds for an offer; return the proposal's id.

        ``coin`` may be left out where the offer takes one alone. Refuses ``payer_key_is_at_hand``,
        ``paying_wallet_pays_in_an_accepted_coin``, ``one_paying_wallet_is_proposed`` and
        ``lost_wallet_pays_no_more``.
        """
        address = self.address(offering)
        wallet = new_id("pwl")
        self._payments.propose_paying_wallet(
            actor=actor,
            offering=offering,
            wallet=wallet,
            coin=coin or self._payments.coin_accepted(offering=offering),
            address=address,
        )
        return wallet

    def address(self, offering: str) -> bytes:
        """Return the address whose key this installation holds for an offer; ``payer_key_is_at_hand``."""
        return self._key(offering).address

    def decide_wallet(self, offering: str, wallet: str, *, is_agreed: bool, seen: int, actor: str) -> None:
        """Put a paying wallet in force as another person, or decline it."""
        self._payments.decide_paying_wallet(
            actor=actor, offering=offering, wallet=wallet, is_agreed=is_agreed, seen=seen
        )

    def propose_closing(self, offering: str, payout: str, because: str, *, actor: str) -> str:
        """Say that the final transaction of an order moved nothing; return the id of what another decides on.

        The node is asked first. Refuses ``closed_payment_moved_nothing``,
        ``closed_payment_is_shown_by_the_node``, ``closed_payment_is_final_and_unsettled`` and
        ``payment_is_closed_once``.
        """
        self._refuse_moved(offering, payout)
        finding = new_id("pfd")
        named = {"offering": offering, "finding": finding, "payout": payout}
        self._payments.propose_payment_finding(actor=actor, **named, because=because)
        return finding

    def decide_closing(
        self, offering: str, finding: str, because: str, *, is_agreed: bool, seen: int, actor: str
    ) -> None:
        """Open the line of that order again as another person, or decline; the node is asked once more.

        Refuses ``finding_exists``, ``closed_payment_needs_two_people`` and what `propose_closing` refuses.
        """
        rows = self._payments.payment_findings(offering=offering)
        payout = next((row["payout_id"] for row in rows if row["finding_id"] == finding), None)
        if payout is None:
            raise UnknownRecord("finding_exists", f"there is no finding {finding} in {offering}")
        if is_agreed:
            self._refuse_moved(offering, payout)
        said = {"is_agreed": is_agreed, "because": because, "seen": seen}
        self._payments.decide_payment_finding(actor=actor, offering=offering, finding=finding, **said)
        tell("a payment in tokens is decided on", offering=offering, subject=payout)

    def _refuse_moved(self, offering: str, payout: str) -> None:
        """Refuse an order of whose tokens any arrived: its payee would be paid twice.

        Read from the receipt of its transaction, in a final block: a node without it says nothing.
        """
        rows = self._terms.coin_payments_under_way(offering=offering)
        row = next((one for one in rows if one["payout_id"] == payout and one["status"] == "final"), None)
        if row is None:
            return
        (receipt,) = self._chain.receipts([bytes(row["hash"])])
        final = self._chain.block_numbers().finalized
        if receipt is None or receipt.block_number != row["block_number"] or receipt.block_number > final:
            raise Refused("closed_payment_is_shown_by_the_node", f"the node has no receipt of {payout}")
        receiver = bytes(row["receiver"])
        if any(each.amount for each in delivered(receipt, bytes(row["token"])) if each.receiver == receiver):
            raise Refused("closed_payment_moved_nothing", f"tokens of {payout} arrived")

    def carry_announced(self, scopes: frozenset[str] | None) -> int | None:
        """Pay what waits in these offers, or in all; return in how many seconds to look again.

        None when nothing is left.
        """
        for row in self._payments.offers_that_pay_in_coins():
            offering = row["offering_id"]
            if scopes is not None and offering not in scopes:
                continue
            try:
                self.carry(offering)
            except (ChainError, ChainStalled) as silent:
                warn("payments in tokens wait", offering=offering, kind=type(silent).__name__)
            except Refused as refused:
                warn("payments in tokens wait", offering=offering, rule=refused.rule)
        return PATIENCE_SECONDS if self._payments.offers_that_pay_in_coins() else None

    def carry(self, offering: str) -> int:
        """Pay every line of an offer that may be paid in tokens now; return how many are settled.

        Refuses ``payer_key_is_at_hand``.
        """
        signer = self._signer(offering)
        self._settle(offering)
        for row in self._payments.distributions_owed(offering=offering):
            while self._store(offering, row["distribution_id"]) is not None:
                pass
        carrier = _Signing(self, offering, signer)
        hand_over_waiting(self._desk.treasury, offering, carrier, ask=carrier.ask)
        self._hold(offering, carrier.refused)
        settled = self._settle(offering)
        if settled:
            tell("lines are paid in tokens", offering=offering, rows=settled)
        return settled

    def _key(self, offering: str) -> Signer:
        signer = self._keys.payers(offering)
        if signer is None:
            raise Refused("payer_key_is_at_hand", f"no signing service is named payer.{offering}")
        return signer

    def _signer(self, offering: str) -> Signer:
        signer = self._key(offering)
        self._submitter.know(signer)
        self._desk.registry.open_key(
            actor=PROCESS,
            chain_id=self._chain.chain_id(),
            address=signer.address,
            purpose=f"payer.{offering}",
        )
        return signer

    def _store(self, offering: str, distribution: str) -> int | None:
        stored: int | None = self._payments.store_coin_payments(
            actor=PROCESS,
            offering=offering,
            distribution=distribution,
            payouts=[new_id("pyo") for _ in range(ORDERS_AT_ONCE)],
        )
        return stored

    def _hold(self, offering: str, refused: list[str]) -> None:
        """Hold the lines that the token would not pay: each by itself, with the reason."""
        if refused:
            lines: list[str] = self._payments.lines_of_coin_payments(offering=offering, payouts=refused)
            self._payments.hold_disbursements(
                actor=PROCESS, offering=offering, lines=lines, because="chain_refuses_the_payment"
            )

    def quote(self, offering: str, payout: str, signer: Signer) -> Quote:
        """Ask the node what an order needs, before anything is locked for it.

        Refuses ``fees_stay_below_their_ceiling``.
        """
        said = self._payments.coin_order(offering=offering, payout=payout)
        token, data = bytes(said["token"]), transfer(bytes(said["receiver"]), int(said["base_units"]))
        terms = self._submitter.terms()
        try:
            return Quote(terms, gas_for(self._chain, (token, data), signer.address))
        except NodeRefused:
            return Quote(terms, None)

    def sign(self, on: tuple[str, str], said: Row, signer: Signer, quote: Quote) -> str:
        """Store a transaction under the name of its order, (offering, id); return its id. Nothing is sent.

        Refuses ``order_is_signed_on_its_chain``, ``order_is_signed_by_its_wallet`` and
        ``chain_takes_the_payment``.
        """
        offering, payout = on
        if said["chain"] != quote.terms[0]:
            raise Refused("order_is_signed_on_its_chain", f"{payout} is of another chain than the node's")
        if bytes.fromhex(said["sender"]) != signer.address:
            raise Refused("order_is_signed_by_its_wallet", f"{payout} is of another wallet than the key's")
        if quote.gas is None:
            raise Refused(_REFUSES, f"{payout}: the token does not move it")
        order = {
            "offering": offering,
            "purpose": _PURPOSE,
            "intent": f"pay:{payout}",
            "to": bytes.fromhex(said["token"]),
            "data": transfer(bytes.fromhex(said["receiver"]), int(said["units"])),
            "gas": quote.gas,
            "terms": quote.terms,
        }
        with self._desk.registry.together() as within:
            return self._submitter.store(within, signer, order, ()).transaction

    def signed(self, offering: str, payout: str) -> str | None:
        """Return the transaction that was signed for an order, None when there is none."""
        found: str | None = self._terms.signed_payment(offering=offering, payout=payout)
        return found

    def _settle(self, offering: str) -> int:
        """Wait until what is signed is final, and keep what the chain made of each order."""
        token = self._desk.offer(offering)["token_address"]
        self._submitter.send_unfinished(offering)
        self._submitter.settle(offering, None if token is None else bytes(token))
        settled = 0
        for row in self._terms.coin_payments_under_way(offering=offering):
            on = {"actor": PROCESS, "offering": offering, "payout": row["payout_id"]}
            if row["status"] != "final":
                self._payments.return_coin_payment(**on)
                continue
            moved = self._moved(row)
            if moved is None:
                warn(
                    "a final payment did not move what it orders", offering=offering, subject=row["payout_id"]
                )
            elif self._payments.settle_coin_payment(**on, transfer=json.dumps(moved)):
                settled += 1
        return settled

    def _moved(self, row: Row) -> dict[str, object] | None:
        """Return what the final transaction of an order moved, where it is what was ordered."""
        number = row["block_number"]
        wanted = bytes(row["token"]), bytes(row["sender"]), int(row["base_units"])
        for each in self._chain.arrivals([bytes(row["receiver"])], number, number):
            found = each.token, each.transfer.sender, each.transfer.amount
            if each.transfer.transaction_hash == bytes(row["hash"]) and found == wanted:
                return each.told()
        return None


class _Signing:
    """The way of an order to the chain: signed and stored is handed over."""

    def __init__(self, payments: CoinPayments, offering: str, signer: Signer) -> None:
        self._payments = payments
        self._offering = offering
        self._signer = signer
        self.refused: list[str] = []
        self._quotes: dict[str, Quote] = {}

    def ask(self, order: str) -> None:
        """Ask the node about an order while nothing waits for the answer."""
        self._quotes = {order: self._payments.quote(self._offering, order, self._signer)}

    def hand_over(self, order: str, content: bytes) -> str:
        """Return the transaction of an order, which is signed where it was not."""
        known = self.reference_of(order)
        if known is not None:
            return known
        try:
            on, said = (self._offering, order), json.loads(content)
            return self._payments.sign(on, said, self._signer, self._quotes[order])
        except Refused as refused:
            if refused.rule == _REFUSES:
                self.refused.append(order)
            raise

    def reference_of(self, order: str) -> str | None:
        """Return the transaction that was signed for an order, else None."""
        return self._payments.signed(self._offering, order)
