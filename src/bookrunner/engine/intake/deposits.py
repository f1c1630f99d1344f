"""Stablecoins on their way into the treasury book: addresses opened and watched, what is undone noticed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final, NamedTuple

from bookrunner.adapters.chain import AddressTree, Arrival, Chain, ChainAnswerInvalid, decimals
from bookrunner.books.compliance import WALLET
from bookrunner.core.errors import Refused
from bookrunner.core.ids import new_id
from bookrunner.core.log import tell, warn
from bookrunner.core.money import currency
from bookrunner.db import Row
from bookrunner.engine.desk import Desk

WATCHER: Final = "treasury"
# A node that was asked for a longer stretch at once would be slow to answer.
BLOCKS_AT_ONCE: Final = 2_000


class Watched(NamedTuple):
    """The tree of addresses to watch, and the chain that they are on."""

    tree: AddressTree
    chain_id: int


@contextmanager
def taken_by_another(rule: str) -> Iterator[None]:
    """Let it be when another worker did this first, which a refusal under this rule says."""
    try:
        yield
    except Refused as refused:
        if refused.rule != rule:
            raise


class Deposits:
    """Watches the deposit addresses of one chain; the database keeps how far it has read.

    A run that ends anywhere is followed by one that reads on from there: what it reads again is known.
    """

    def __init__(self, desk: Desk, chain: Chain, watched: Watched) -> None:
        self._desk = desk
        self._chain = chain
        self._tree, self._chain_id = watched

    def watch(self) -> int:
        """Open what addresses are missing, then do as `read`."""
        self.open_addresses()
        return self.read()

    def read(self) -> int:
        """Read the chain on, and book and finish what is deep enough; return how many transfers are new.

        While the chain changes under the reading nothing is kept, and the next look reads again.
        """
        watched = [
            bytes(row["address"]) for row in self._desk.treasury.deposit_addresses(chain_id=self._chain_id)
        ]
        if not watched:
            return 0
        noted = 0
        try:
            with taken_by_another("chain_is_read_on_from_the_cursor"):
                noted = self._read_on(watched)
        except ChainAnswerInvalid:
            warn("the chain changed while deposits were read")
            return 0
        for row in self._desk.treasury.offers_with_transfers(chain_id=self._chain_id):
            self._desk.treasury.settle_transfers(actor=WATCHER, offering=row["offering_id"])
        return noted

    def propose_coin(self, offering: str, token: bytes, *, terms: Mapping[str, object], actor: str) -> str:
        """Propose a token as money of an offer and return the proposal's id; a second person accepts it.

        ``terms`` are ``valid_from``, ``currency``, ``dust_minor``, and the depths in blocks
        ``received_after`` and ``cleared_after``. Decimals are read from the contract.
        Refuses ``currency_is_known``, ``token_tells_its_decimals`` and what the book refuses.
        """
        unit = currency(str(terms["currency"]))
        try:
            (places,) = self._chain.read([decimals(token)])
        except ChainAnswerInvalid:
            raise Refused("token_tells_its_decimals", "no token answers at that address") from None
        coin = new_id("coi")
        told = {
            **terms,
            "chain_id": self._chain_id,
            "token": token.hex(),
            "decimals": places,
            "minor_decimals": unit.exponent,
        }
        self._desk.treasury.propose_coin(actor=actor, offering=offering, coin=coin, terms=told)
        return coin

    def confirm_return(self, offering: str, refund: str, told: bytes, *, actor: str) -> bool:
        """Settle a refund of tokens by the hash of what sent them back; False when it is known.

        The installation holds no key of a deposit address: whoever does sends the tokens. Refuses
        ``returned_tokens_are_final``, ``tokens_go_back_to_their_source`` and what the book refuses.
        """
        due: Row | None = self._desk.treasury.coin_refund(offering=offering, refund=refund)
        if due is None:
            raise Refused("returned_tokens_are_of_a_refund_that_waits", "it is no refund of tokens")
        try:
            fitting = self._sent_back(due, told)
        except ChainAnswerInvalid:
            raise Refused("returned_tokens_are_final", "the chain changed while it was read") from None
        for place, arrival in enumerate(fitting, start=1):
            try:
                settled: bool = self._desk.treasury.settle_coin_refund(
                    actor=actor, offering=offering, refund=refund, transfer=arrival.told()
                )
            except Refused as refused:
                # One transaction may send several refunds back, each by a transfer of its own.
                if refused.rule != "transfer_settles_one_refund" or place == len(fitting):
                    raise
            else:
                return settled
        raise Refused("tokens_go_back_to_their_source", "no transfer of it goes to the wallet they came from")

    def _sent_back(self, due: Row, told: bytes) -> list[Arrival]:
        """Return the transfers of a final transaction that are what is due, to the base unit."""
        (receipt,) = self._chain.receipts([told])
        final = self._chain.block_numbers().finalized
        if receipt is None or receipt.status != 1 or receipt.block_number > final:
            raise Refused("returned_tokens_are_final", "no final block holds that transaction")
        number = receipt.block_number
        wanted = (bytes(due["token"]), bytes(due["address"]), int(due["base_units"]))
        return [
            each
            for each in self._chain.arrivals([bytes(due["wallet"])], number, number)
            if each.transfer.transaction_hash == told
            and (each.token, each.transfer.sender, each.transfer.amount) == wanted
        ]

    def open_addresses(self) -> int | None:
        """Give payments that may come in tokens their addresses; 0 when more may wait, else None."""
        waiting = self._desk.treasury.attempts_without_address(chain_id=self._chain_id)
        for row in waiting:
            with taken_by_another("attempt_has_one_deposit_address"):
                self._open_address(row)
        return 0 if waiting else None

    def _open_address(self, attempt: Row) -> None:
        with self._desk.treasury.together() as within:
            place = within.take_address(actor=WATCHER, tree=self._tree.name)
            within.open_deposit_address(
                actor=WATCHER,
                offering=attempt["offering_id"],
                attempt=attempt["attempt_id"],
                chain_id=self._chain_id,
                address=self._tree.address(place),
                tree=self._tree.name,
                place=place,
            )

    def _read_on(self, watched: Sequence[bytes]) -> int:
        incarnation = self._chain.genesis()
        on = {"chain_id": self._chain_id, "incarnation": incarnation}
        row: Row | None = self._desk.treasury.chain_cursor(**on)
        latest = self._chain.block_numbers().latest
        # Nothing was ever sent to an address that is new, so a first reading begins where the chain ends.
        read = latest if row is None else row["height"]
        # A chain that is shorter than what was seen proves nothing: the node lags, or will grow again.
        if latest < read:
            return 0
        (stands,) = self._chain.canonical([read])
        if row is not None and latest == read and stands == bytes(row["block_hash"]):
            return 0
        depth: int = self._desk.treasury.deepest_rule(chain_id=self._chain_id)
        end = min(latest, read + BLOCKS_AT_ONCE)
        found = self._chain.arrivals(watched, max(read - depth, 0), end)
        gone = self._gone(on, end)
        (head,) = self._chain.canonical([end])
        if head is None or self._chain.genesis() != incarnation:
            raise ChainAnswerInvalid("the chain changed while it was read")
        self._screen(found)
        noted: int = self._desk.treasury.note_transfers(
            actor=WATCHER,
            chain=_told(on, end, head) | {"read_height": read},
            transfers=json.dumps([arrival.told() for arrival in found]),
            gone=gone,
        )
        if noted:
            tell("transfers have arrived", rows=noted)
        if gone:
            warn("transfers are undone by their chain", rows=len(gone))
        return noted

    def _gone(self, on: dict[str, object], end: int) -> list[str]:
        """Return the transfers whose receipt the chain does not have any more."""
        open_ones: Sequence[Row] = self._desk.treasury.transfers_that_may_go(**on)
        receipts = self._chain.receipts([bytes(row["transaction_hash"]) for row in open_ones])
        return [
            row["transfer_id"]
            for row, receipt in zip(open_ones, receipts, strict=True)
            if row["block_number"] <= end and (receipt is None or receipt.status != 1)
        ]

    def _screen(self, found: Sequence[Arrival]) -> None:
        """Have wallets screened that have not sent before, ahead of what they sent."""
        senders = sorted({arrival.transfer.sender for arrival in found})
        if not senders:
            return
        known = {bytes(row["sender"]) for row in self._desk.treasury.known_senders(senders=senders)}
        fresh = [f"{WALLET}{sender.hex()}" for sender in senders if sender not in known]
        screened = {row["subject_id"] for row in self._desk.engine.screened_wallets(subjects=fresh)}
        if fresh := [subject for subject in fresh if subject not in screened]:
            self._desk.compliance.enlist_subjects(actor=WATCHER, subjects=fresh, made_for="onboarding")


def _told(on: dict[str, object], end: int, head: bytes) -> dict[str, object]:
    incarnation = on["incarnation"]
    return {
        "chain_id": on["chain_id"],
        "incarnation": incarnation.hex() if isinstance(incarnation, bytes) else "",
        "height": end,
        "hash": head.hex(),
    }
