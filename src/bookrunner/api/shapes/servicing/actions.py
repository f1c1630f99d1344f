"""Answers about corporate actions: buy-backs, splits, conversions."""

from __future__ import annotations

from typing_extensions import TypedDict

from bookrunner.api.shapes.answers import Amount


class Buyback(TypedDict):
    """A buy-back with its terms, what is offered and accepted, and how many holders are left."""

    id: str
    status: str
    kind: str
    price: Amount
    most_units: int | None
    most_money: Amount | None
    periods_bind: bool
    opens_at: str
    closes_at: str
    tendered_units: int
    accepted_units: int
    costs: Amount
    open_lines: int
    proposed_by: str
    decided_by: str | None
    accepted_by: str | None
    version: str


class Buybacks(TypedDict):
    """The buy-backs of an offer, the newest first."""

    buybacks: list[Buyback]


class BuybackActed(TypedDict):
    """A buy-back after an act on it."""

    id: str
    offer: str
    status: str
    version: str


class LineRelease(TypedDict):
    """A line that is taken out of a started buy-back; ``hindered_by`` is what kept its units there."""

    id: str
    investor: str
    units: int
    price: Amount
    status: str
    because: str
    hindered_by: str
    proposed_by: str
    decided_by: str | None
    version: str


class LineReleases(TypedDict):
    """Lines of one buy-back that are let go, those that wait first."""

    line_releases: list[LineRelease]


class TenderActed(TypedDict):
    """What a holder offers, after it offered or took it back."""

    id: str
    buyback: str
    investor: str
    status: str
    units: int
    version: str


class Split(TypedDict):
    """A split with its terms and sums; ``waits_for`` names what keeps an agreed one from beginning."""

    id: str
    status: str
    new_units: int
    for_units: int
    fractions: str
    price: Amount | None
    effective_at: str
    executed_at: str | None
    units_before: int | None
    units_after: int | None
    cash_owed: Amount | None
    waits_for: list[str]
    proposed_by: str
    decided_by: str | None
    version: str


class Splits(TypedDict):
    """The splits of an offer, the newest first."""

    splits: list[Split]


class SplitActed(TypedDict):
    """A split after an act on it."""

    id: str
    offer: str
    status: str
    version: str


class Conversion(TypedDict):
    """A conversion with its terms and sums; ``price`` is exact, in minor units or, of a ratio, in old units.

    ``missing`` names the inputs that nobody has confirmed, ``waits_for`` what an agreed one waits for.
    """

    id: str
    status: str
    into: str
    formula: str
    bears_interest: bool
    fractions: str
    effective_at: str
    executed_at: str | None
    price: str | None
    price_by: str | None
    units_before: int | None
    units_after: int | None
    cash_owed: Amount | None
    missing: list[str]
    waits_for: list[str]
    proposed_by: str
    decided_by: str | None
    version: str


class Conversions(TypedDict):
    """The conversions of an offer, the newest first."""

    conversions: list[Conversion]


class ConversionInput(TypedDict):
    """An input of a formula with who confirmed it, when and on which paper."""

    name: str
    amount: Amount | None
    number: int | None
    day: str | None
    source: str
    source_sha256: str
    confirmed_by: str
    confirmed_at: str


class ConvertedHolder(TypedDict):
    """What one holder has, what it stands for, what it gets and is owed."""

    investor: str
    units_before: int
    principal: Amount
    interest: Amount
    units_after: int
    cash_owed: Amount


class ConversionWorking(TypedDict):
    """The inputs of a conversion and what each holder gets by them; no holder while an input is missing."""

    inputs: list[ConversionInput]
    holders: list[ConvertedHolder]


class ConversionActed(TypedDict):
    """A conversion after an act on it."""

    id: str
    offer: str
    status: str
    missing: list[str]
    version: str
