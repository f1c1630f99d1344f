# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Shapes: servicing."""

from __future__ import annotations

from typing import Literal

from bookrunner.client.records import Exact, Record, Sent


class Fixing(Record):
    """An index on a day."""

    index: str
    on: str


class Coupon(Record):
    """A coupon with the distribution that pays it; `lacks` is the fixing that is not in force."""

    amount: Exact | None
    distribution: str | None
    from_on: str
    lacks: Fixing | None
    number: int
    status: str | None
    to_on: str
    working: list[str]


class Coupons(Record):
    """The coupons of the schedule in force, the first one first."""

    coupons: list[Coupon]


class NewPayeeAccount(Sent):
    """An account that no book has, by the paper that shows it; with a class it is paid by the ACH."""

    account: str
    because: str
    evidence_sha256: str
    payee: str
    entry_class: Literal["PPD", "CCD"] | None = None


class NewPayingWallet(Sent):
    """The coin that holders are paid in; it may be left out where the offer takes one alone."""

    coin: str | None = None


class NewRemittance(Sent):
    """Withheld tax that goes to the tax office: the return that reports it, the year, where it is paid."""

    account: str
    amount: Exact
    form: Literal["1042", "945"]
    year: int


class NewTaxYear(Sent):
    """The year whose forms are drafted from what was paid in it."""

    year: int


class PayeeAccount(Record):
    """Where a payee gets its money and by which rail; the account itself is not told."""

    because: str
    decided_by: str | None
    entry_class: str | None
    id: str
    payee: str
    proposed_by: str
    rail: str
    status: str
    version: str


class PayeeAccountDecision(Sent):
    """A second person's word on an account of a payee; two payees may have accounts of one name."""

    decision: Literal["approved", "declined"]
    payee: str


class PayeeAccounts(Record):
    """Accounts of payees, those that wait first."""

    payee_accounts: list[PayeeAccount]


class PayingWallet(Record):
    """A wallet that an offer pays its holders from, in one of the coins that it takes."""

    address: str
    chain: int
    coin: str
    decided_by: str | None
    id: str
    proposed_by: str
    status: str
    version: str


class PayingWalletDecision(Sent):
    """A second person's word."""

    decision: Literal["approved", "declined"]


class PayingWallets(Record):
    """Wallets of an offer, that in force first."""

    paying_wallets: list[PayingWallet]


class Remittance(Record):
    """Withheld tax on its way to the tax office; `because` is the bank's code of one that came back."""

    amount: Exact
    because: str | None
    decided_by: str | None
    form: str
    id: str
    proposed_by: str
    status: str
    version: str
    year: int


class RemittanceDecision(Sent):
    """A second person's word, or another try; whoever gives one up says why."""

    decision: Literal["approved", "declined", "retried", "given_up"]
    because: str | None = None


class Remittances(Record):
    """The remittances of an offer, the newest first."""

    remittances: list[Remittance]


class TaxYear(Record):
    """The tax documents of a year; `differs` counts payments that they do not say as they are."""

    decided_by: str | None
    differs: int
    drafted_by: str
    forms: int
    gross: Exact
    id: str
    net: Exact
    status: str
    version: str
    withheld: Exact
    year: int


class TaxYearDecision(Sent):
    """A second person's word; whoever cancels says why."""

    decision: Literal["released", "cancelled"]
    because: str | None = None


class TaxYears(Record):
    """The tax years of an offer, the last first."""

    tax_years: list[TaxYear]
