"""Answers about corporate actions: buy-backs, splits, conversions, reinvestment."""

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


class Plan(TypedDict):
    """A plan of reinvestment with its terms and the units that runs promised, issued ones among them."""

    id: str
    status: str
    price: Amount
    cutoff_days: int
    from_on: str
    most_units: int
    promised_units: int
    issued_units: int
    proposed_by: str
    decided_by: str | None
    end_proposed_by: str | None
    version: str


class Plans(TypedDict):
    """The plans of reinvestment of an offer, the newest first."""

    plans: list[Plan]


class PlanActed(TypedDict):
    """A plan of reinvestment after an act on it."""

    id: str
    offer: str
    status: str
    version: str


class Election(TypedDict):
    """What a holder elected last; ``counts_from`` is the first record date that it counts for."""

    id: str
    investor: str
    share_bp: int
    given_by: str
    given_at: str
    counts_from: str | None


class Elections(TypedDict):
    """The newest election of each holder."""

    elections: list[Election]


class ElectionGiven(TypedDict):
    """An election as it was recorded, with its moment."""

    id: str
    offer: str
    investor: str
    share_bp: int
    given_at: str
    version: str


class ReinvestedLine(TypedDict):
    """What a run makes of an election; ``because`` says why it is cash, or what its units wait for."""

    id: str
    investor: str
    plan: str
    share_bp: int
    price: Amount
    units: int
    set_off: Amount
    cash: Amount
    status: str
    because: str | None


class ReinvestedRun(TypedDict):
    """What a distribution makes of the elections of its holders."""

    lines: list[ReinvestedLine]
