# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Shapes: conversions."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime

from bookrunner.client.records import Exact, Record, Sent


class Conversion(Record):
    """A conversion with its terms and sums; `price` is exact, in minor units or, of a ratio, in old
    units.

    `missing` names the inputs that nobody has confirmed, `waits_for` what an agreed one waits for.
    """

    bears_interest: bool
    cash_owed: Exact | None
    decided_by: str | None
    effective_at: str
    executed_at: str | None
    formula: str
    fractions: str
    id: str
    into: str
    missing: list[str]
    price: str | None
    price_by: str | None
    proposed_by: str
    status: str
    units_after: int | None
    units_before: int | None
    version: str
    waits_for: list[str]


class ConversionActed(Record):
    """A conversion after an act on it."""

    id: str
    missing: list[str]
    offer: str
    status: str
    version: str


class ConversionDecision(Sent):
    """A second person's word; whoever declines or abandons says why."""

    decision: Literal["approved", "declined", "abandoned"]
    because: str | None = None


class ConversionInput(Record):
    """An input of a formula with who confirmed it, when and on which paper."""

    amount: Exact | None
    confirmed_at: str
    confirmed_by: str
    day: str | None
    name: str
    number: int | None
    source: str
    source_sha256: str


class ConvertedHolder(Record):
    """What one holder has, what it stands for, what it gets and is owed."""

    cash_owed: Exact
    interest: Exact
    investor: str
    principal: Exact
    units_after: int
    units_before: int


class ConversionWorking(Record):
    """The inputs of a conversion and what each holder gets by them; no holder while an input is
    missing.
    """

    holders: list[ConvertedHolder]
    inputs: list[ConversionInput]


class Conversions(Record):
    """The conversions of an offer, the newest first."""

    conversions: list[Conversion]


class NewConversion(Sent):
    """Every unit of the offer becomes units of another by a formula; its inputs are confirmed one by
    one.
    """

    authority_reference: str
    authority_sha256: str
    effective_at: AwareDatetime
    formula: Literal["fixed_ratio", "fixed_price", "discounted_price", "capped_price", "lower_price"]
    fractions: Literal["cash", "lapse"]
    into: str
    bears_interest: bool | None = None


class NewInput(Sent):
    """One input: an amount of money where its name ends in `_minor`, a day, or else a whole number."""

    name: Literal[
        "new_units",
        "for_units",
        "unit_price_minor",
        "principal_minor",
        "price_minor",
        "round_price_minor",
        "discount_ppm",
        "valuation_cap_minor",
        "diluted_units",
        "interest_ppm",
        "interest_from",
        "year_days",
    ]
    source: str
    source_sha256: str
    amount: Exact | None = None
    day: str | None = None
    number: int | None = None
