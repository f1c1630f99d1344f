# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Shapes: offers."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime

from bookrunner.client.records import Exact, Record, Sent


class Break(Record):
    """What two books say differently, since when, and whose it is to solve."""

    answer: str | None
    assigned_to: str | None
    comparison: str
    id: str
    kind: str
    left: str | None
    owner: str
    right: str | None
    since: str
    status: str
    subject: str
    version: str


class Breaks(Record):
    """Open breaks, the oldest first."""

    breaks: list[Break]


class Failure(Sent):
    """How an offer ends without success, and why."""

    because: str
    ended_as: Literal["withdrawn", "halted"]


class Move(Sent):
    """The state that an offer moves to, by the moves of its machine."""

    to: Literal[
        "draft",
        "legal_review",
        "legal_declined",
        "legal_accepted",
        "published",
        "legally_closed",
        "closed_successfully",
        "closed_unsuccessfully",
        "exited",
    ]


class NewOffer(Sent):
    """The terms of a new offer; units are whole numbers written as texts."""

    exemption: Literal[
        "506(b)", "506(c)", "reg_cf", "reg_a_tier_1", "reg_a_tier_2", "reg_s", "eu_crowdfunding"
    ]
    issuer: str
    minimum_units: str
    name: str
    unit_price: Exact
    units_total: str
    agreement_form: Literal["packet", "canonical"] | None = None
    closes_at: AwareDatetime | None = None
    closes_at_cap: bool | None = None
    instrument: dict[str, int | str] | None = None
    isin: str | None = None
    opens_at: AwareDatetime | None = None
    pays_by: AwareDatetime | None = None
    security_type: Literal["equity", "preferred", "debt", "convertible", "fund_interest"] | None = None
    target_minor: int | None = None
    two_people_close: bool | None = None


class Offer(Record):
    """An offer; `token` and `treasury` are addresses once its token is deployed."""

    agreement_form: str
    chain_id: int | None
    exemption: str
    id: str
    isin: str | None
    issuer: str
    minimum_units: str
    name: str
    status: str
    token: str | None
    treasury: str | None
    unit_price: Exact
    units_total: str
    version: str


class Offers(Record):
    """Offers by id; `next` continues the list, null at its end."""

    next: str | None
    offers: list[Offer]


class Review(Sent):
    """What counsel says of the terms of an offer."""

    accepted: bool
    because: str
