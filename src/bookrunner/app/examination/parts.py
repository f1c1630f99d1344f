"""Which records belong to which part of an examination."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Part:
    """One part: its machines, whose records are made again, and its tables, a query and its login each."""

    title: str
    says: str
    machines: Sequence[str] = ()
    tables: Mapping[str, str] | None = None


PARTS: Final[Mapping[str, Part]] = {
    "offers": Part(
        "Offers",
        "Offers with their terms and closings, and who was in each closing.",
        ("issuer", "offer", "terms", "change_request", "closing", "closing_member"),
    ),
    "register": Part(
        "Master securityholder file",
        "Holdings at the end of the period, how each is registered, what restrains it.",
        ("holding", "registration_change", "lost_holder", "account_restraint", "security_restraint"),
        {"postings": "registry"},
    ),
    "control_book": Part(
        "Control book",
        "Authorised and issued units, each version of the book, differences with other records.",
        (
            "control_book",
            "control_change",
            "split",
            "buyback",
            "tender",
            "line_release",
            "conversion",
            "reinvestment_plan",
            "reinvestment_election",
            "record_difference",
            "subsidiary_entry",
        ),
        {"control_entries": "registry"},
    ),
    "transfers": Part(
        "Transfer history",
        "Requests, movements, deliveries and what the chain showed of its own.",
        (
            "transfer_request",
            "observed_transfer",
            "control_action",
            "issuance_instruction",
            "chain_transaction",
        ),
        {"movements": "registry"},
    ),
    "subscription": Part(
        "Subscription documents",
        "Agreements with their approvals; the files that were signed are named by their SHA-256.",
        (
            "investment",
            "agreement",
            "acknowledgment",
            "allocation_approval",
            "packet_review",
            "consent_sample",
            "paper_delivery",
        ),
    ),
    "treasury": Part(
        "Escrow ledger",
        "Receipts, refunds and releases, and each entry of the ledger in the period.",
        ("receipt", "payment_attempt", "refund", "release"),
        {"ledger_entries": "treasury"},
    ),
    "compliance": Part(
        "Identity and money laundering",
        "Cases, papers, owners, accreditations, clearances with their decisions, risk and due diligence.",
        (
            "profile",
            "kyc_case",
            "kyc_document",
            "party",
            "beneficial_owner",
            "discrepancy",
            "accreditation",
            "clearance",
            "risk_rating",
            "due_diligence",
        ),
        {"clearance_records": "compliance", "decisions": "compliance"},
    ),
    "screening": Part(
        "Screening",
        "Each screening with its list version, hits with their decisions, the lists in force.",
        ("watchlist", "screening", "hit", "sanctions_report", "screening_policy_change"),
    ),
    "reconciliation": Part(
        "Reconciliation",
        "Runs of the comparisons, and breaks with their owners and endings.",
        ("break",),
        {"runs": "reconciliation"},
    ),
    "servicing": Part(
        "Filings and votes",
        "What offers owe by their facts and how it was filed; what holders voted, with every ballot.",
        ("filing", "vote", "ballot", "proxy"),
    ),
    "distributions": Part(
        "Distributions",
        "What was distributed and by which tiers, what each payee is entitled to, and how it was paid.",
        (
            "distribution",
            "payee_account",
            "disbursement",
            "tax_remittance",
            "payee_mandate",
            "tax_year",
            "coupon_schedule",
            "coupon_fixing",
            "amortisation",
        ),
        {
            "distribution_reserves": "engine",
            "distribution_tiers": "engine",
            "distribution_lines": "engine",
        },
    ),
    "access": Part(
        "Access log",
        "Who viewed whose data, when and why; what was taken for examinations.",
        ("record_view", "list_export", "examination"),
        {"accesses": "audit"},
    ),
}
