"""Answers about what holders are paid, to whom, and what is withheld from it or told of it."""

from __future__ import annotations

from typing_extensions import TypedDict

from bookrunner.api.shapes.answers import Amount


class DistributionTier(TypedDict):
    """What one tier of a distribution paid, and how that was found."""

    kind: str
    holders: Amount
    sponsor: Amount
    working: list[str]


class Distribution(TypedDict):
    """A distribution with its sums and tiers; gross is withheld, reinvested and net.

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
    reinvested: Amount
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
    reinvested: Amount
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


class ServicingActed(TypedDict):
    """What was acted on, as it stands after the act."""

    id: str
    status: str
    version: str


class Remittance(TypedDict):
    """Withheld tax on its way to the tax office; ``because`` is the bank's code of one that came back."""

    id: str
    status: str
    form: str
    year: int
    amount: Amount
    because: str | None
    proposed_by: str
    decided_by: str | None
    version: str


class Remittances(TypedDict):
    """The remittances of an offer, the newest first."""

    remittances: list[Remittance]


class PayeeAccount(TypedDict):
    """Where a payee gets its money and by which rail; the account itself is not told."""

    id: str
    payee: str
    status: str
    rail: str
    entry_class: str | None
    because: str
    proposed_by: str
    decided_by: str | None
    version: str


class PayeeAccounts(TypedDict):
    """Accounts of payees, those that wait first."""

    payee_accounts: list[PayeeAccount]


class PayingWallet(TypedDict):
    """A wallet that an offer pays its holders from, in one of the coins that it takes."""

    id: str
    status: str
    coin: str
    chain: int
    address: str
    proposed_by: str
    decided_by: str | None
    version: str


class PayingWallets(TypedDict):
    """Wallets of an offer, that in force first."""

    paying_wallets: list[PayingWallet]


class TaxYear(TypedDict):
    """The tax documents of a year; ``differs`` counts payments that they do not say as they are."""

    id: str
    status: str
    year: int
    forms: int
    gross: Amount
    withheld: Amount
    net: Amount
    differs: int
    drafted_by: str
    decided_by: str | None
    version: str


class TaxYears(TypedDict):
    """The tax years of an offer, the last first."""

    tax_years: list[TaxYear]


class Fixing(TypedDict):
    """An index on a day."""

    index: str
    on: str


class Coupon(TypedDict):
    """A coupon with the distribution that pays it; ``lacks`` is the fixing that is not in force."""

    number: int
    from_on: str
    to_on: str
    distribution: str | None
    status: str | None
    amount: Amount | None
    working: list[str]
    lacks: Fixing | None


class Coupons(TypedDict):
    """The coupons of the schedule in force, the first one first."""

    coupons: list[Coupon]


class Mandate(TypedDict):
    """Who receives what a holder is paid."""

    id: str
    holder: str
    payee: str
    status: str
    because: str
    proposed_by: str
    decided_by: str | None
    version: str


class Mandates(TypedDict):
    """Mandates of payees, those that wait first."""

    mandates: list[Mandate]


class Rescission(TypedDict):
    """A registered transfer that is taken back by an order, and who owes its price."""

    id: str
    transfer: str
    action: str
    status: str
    units: int
    owed_by: str | None
    owed_to: str | None
    price: Amount | None
    asked_by: str
    decided_by: str | None
    version: str


class Rescissions(TypedDict):
    """Rescissions of an offer, those that wait first."""

    rescissions: list[Rescission]
