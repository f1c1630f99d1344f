"""Answers about what people decide at the desks: releases, bank statements, wallets, breaks."""

from __future__ import annotations

from typing_extensions import TypedDict

from bookrunner.api.shapes.answers import Amount


class Break(TypedDict):
    """What two books say differently, since when, and whose it is to solve."""

    id: str
    comparison: str
    subject: str
    kind: str
    left: str | None
    right: str | None
    owner: str
    since: str
    status: str
    assigned_to: str | None
    answer: str | None
    version: str


class Breaks(TypedDict):
    """Open breaks, the oldest first."""

    breaks: list[Break]


class Withheld(TypedDict):
    """One line that is deducted of a release: what for, to whom, how much; the account is not told."""

    kind: str
    payee: str
    amount: Amount


class EscrowRelease(TypedDict):
    """Escrow of a closing on its way to the issuer, less what is deducted; no account is told."""

    id: str
    closing: str
    status: str
    amount: Amount
    deducted: Amount
    net: Amount
    deductions: list[Withheld]
    proposed_by: str
    approved_by: str | None
    fees_differ: bool
    version: str


class Releases(TypedDict):
    """Releases by id; ``next`` is the cursor that continues, null at the end."""

    releases: list[EscrowRelease]
    next: str | None


class ReleaseActed(TypedDict):
    """A release after an act on it."""

    id: str
    offer: str
    closing: str
    status: str
    version: str


class BankStatement(TypedDict):
    """A bank statement as it was posted, and how many of its receipts are in which state."""

    id: str
    status: str
    account: str
    bank_statement_id: str
    file_sha256: str
    opening: Amount
    closing: Amount
    closed_on: str
    entries: int
    receipts: dict[str, int]
    version: str


class BankStatements(TypedDict):
    """Bank statements by id; ``next`` is the cursor that continues, null at the end."""

    bank_statements: list[BankStatement]
    next: str | None


class StatementPosted(TypedDict):
    """A bank file that was posted whole."""

    id: str
    offer: str
    status: str
    file_sha256: str
    version: str


class WalletMoved(TypedDict):
    """A wallet of the register after a step."""

    id: str
    offer: str
    investor: str
    status: str
    version: str


class BreakActed(TypedDict):
    """A break after what a person of its owner did."""

    id: str
    offer: str
    owner: str
    status: str
    assigned_to: str | None
    version: str


class DistributionTier(TypedDict):
    """What one tier of a distribution paid, and how that was found."""

    kind: str
    holders: Amount
    sponsor: Amount
    working: list[str]


class Distribution(TypedDict):
    """A distribution with its sums and tiers; gross less withheld is net.

    ``taken_back`` is what the bank took back of the money that funded it, ``receivable`` what nobody has made
    good of that.
    """

    id: str
    status: str
    record_on: str
    pay_on: str
    income: str
    holders: int
    units: int
    distributed: Amount
    withheld: Amount
    net: Amount
    funded: Amount
    taken_back: Amount
    receivable: Amount
    tiers: list[DistributionTier]
    drafted_by: str
    approved_by: str | None
    version: str


class Distributions(TypedDict):
    """Distributions by id; ``next`` is the cursor that continues, null at the end."""

    distributions: list[Distribution]
    next: str | None


class DistributionLine(TypedDict):
    """What a holder is entitled to, who is paid and where that stands; ``because`` says why it waits."""

    id: str
    investor: str
    payee: str
    units: int
    gross: Amount
    withheld: Amount
    net: Amount
    rate_source: str
    status: str
    because: str | None


class DistributionLines(TypedDict):
    """Lines by id; ``next`` is the cursor that continues, null at the end."""

    lines: list[DistributionLine]
    next: str | None


class DistributionActed(TypedDict):
    """A distribution after an act on it."""

    id: str
    offer: str
    status: str
    version: str


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
