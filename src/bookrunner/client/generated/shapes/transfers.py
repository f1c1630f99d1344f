# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Shapes: transfers."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime

from bookrunner.client.records import Exact, Record, Sent


class Approval(Sent):
    """Until when the approval serves."""

    until: AwareDatetime


class Interest(Record):
    """What stands on a board, with the price of one unit; the transfer agent alone is told who posted
    it.
    """

    ends_on: str
    id: str
    investor: str | None
    is_own: bool
    matched_with: str | None
    price: Exact
    side: str
    status: str
    transfer: str | None
    units: str


class Board(Record):
    """Interests, each side from its best price on; for the transfer agent those that stand first."""

    interests: list[Interest]


class InterestActed(Record):
    """An interest after an act, and the transfer that its match asked for."""

    id: str
    offer: str
    status: str
    transfer: str | None
    version: str


class Paper(Sent):
    """A paper that was presented, by its name and its SHA-256."""

    paper: str
    sha256: str


class MorePapers(Sent):
    """Papers that were missing."""

    papers: list[Paper]


class NewInterest(Sent):
    """What an investor would buy or sell, at which price of one unit, until the end of which day in
    UTC.
    """

    ends_on: str
    investor: str
    price: Exact
    side: Literal["buy", "sell"]
    units: str


class NewTransfer(Sent):
    """What a holder asks for; a sale states its price, and papers may come later.

    Of a holder with several wallets, `from_wallet` and `to_wallet` say which; without them it is the
    linked one. An `own` transfer goes from one wallet of the seller to another, which it names. `coin`
    is the contract of an accepted stablecoin: units and coin then go in one transaction, or not.
    """

    buyer: str
    kind: Literal["sale", "gift", "inheritance", "trust", "own"]
    route: Literal["agent", "holder"]
    seller: str
    units: str
    coin: str | None = None
    from_wallet: str | None = None
    papers: list[Paper] | None = None
    price: Exact | None = None
    received_at: AwareDatetime | None = None
    to_wallet: str | None = None


class Prepared(Record):
    """One call to a contract: where it goes, and its data."""

    data: str
    to: str


class Refusal(Sent):
    """How a request ends without an approval, and why."""

    outcome: Literal["returned", "rejected", "withdrawn"]
    reasons: list[str] | None = None


class Side(Record):
    """What one holder signs, in this order, from its wallet."""

    calls: list[Prepared]
    wallet: str


class Swap(Record):
    """The calls of both sides of a sale against a coin; the name is that of the offer in the contract."""

    buyer: Side
    chain: int
    name: str | None
    seller: Side
    transfer: str


class Taker(Sent):
    """Who takes an interest, or whose it is."""

    investor: str


class Transfer(Record):
    """A request for a transfer, with its papers, what is missing, and the day on which it is due."""

    approved_until: str | None
    asked_at: str
    asked_by: str
    buyer: str
    decided_by: str | None
    due_on: str
    from_wallet: str | None
    id: str
    kind: str
    missing: list[str]
    papers: list[str]
    price: Exact | None
    reasons: list[str]
    route: str
    seller: str
    status: str
    to_wallet: str | None
    units: str
    version: str


class TransferActed(Record):
    """A request for a transfer after an act, with the papers that are missing."""

    id: str
    missing: list[str]
    offer: str
    reasons: list[str]
    status: str
    version: str


class TransferRule(Record):
    """A rule that keeps units from going, and the day on which it passes, if it does."""

    detail: str | None
    passes_on: str | None
    rule: str


class TransferRefusals(Record):
    """Whether units may go now, and else why not; null where only the holder's own side is told."""

    may_go: bool | None
    refusals: list[TransferRule]


class Transfers(Record):
    """Requests, those that wait first."""

    transfers: list[Transfer]
