"""What the pages of an escrow show, read under the treasury's own login."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from bookrunner.books import treasury
from bookrunner.core.errors import NotFound, Refused, VersionChanged
from bookrunner.db import Database, Row, load
from bookrunner.pages import shell
from bookrunner.pages.treasury.acts import CHOICES, DECISIONS, Said

PAGE_ROWS = 50
STATES = {"": "everything that waits", "unmatched": "unmatched", "held": "held"}
# Each rule that stops a receipt, as a person is told it.
EXCEPTIONS = {
    "no_reference": "the payment names no reference",
    "unknown_reference": "its reference belongs to no payment",
    "currency_differs": "it came in another currency; escrow exchanges nothing, so it goes back, or the bank"
    " exchanges it and pays in what is due",
    "source_is_not_approved": "it came from an account that is not the investor's",
    "attempt_is_not_open": "the payment that it names is over",
    "amount_exceeds_due": "the payment that it names is paid already",
    "investment_has_ended": "the investment that it names has ended",
    "references_do_not_sum": "it names several payments that do not sum to it",
    "match_was_undone": "an earlier match was undone",
    "source_is_listed": "a sanctions list may name the wallet that sent it",
}
ACTS = {
    "match": "match to",
    "undo": "undo the match of",
    "accept_source": "accept the source of",
    "refund": "send back",
    "redeem": "take as the price of tokens",
}
_MARKS = {
    "unmatched": ("missing", "bad"),
    "held": ("held", "wait"),
    "stored": ("progress", "calm"),
    "redeemed": ("confirmed", "good"),
    "ordered": ("waiting", "wait"),
    "voided": ("cancelled", "grey"),
    "matched": ("progress", "calm"),
    "cleared": ("confirmed", "good"),
    "returned": ("refused", "bad"),
    "refunding": ("waiting", "wait"),
    "proposed": ("waiting", "wait"),
    "approved": ("confirmed", "good"),
    "declined": ("cancelled", "grey"),
    "created": ("waiting", "wait"),
    "prepared": ("waiting", "wait"),
    "sent": ("progress", "calm"),
    "handed_over": ("progress", "calm"),
    "settled": ("confirmed", "good"),
    "bounced": ("refused", "bad"),
    "withdrawn": ("cancelled", "grey"),
    "seen": ("waiting", "wait"),
    "booked": ("progress", "calm"),
    "final": ("confirmed", "good"),
    "gone": ("refused", "bad"),
    "refused": ("refused", "bad"),
    "accepted": ("confirmed", "good"),
    "declared": ("confirmed", "good"),
    "ended": ("cancelled", "grey"),
    "initiated": ("waiting", "wait"),
    "missing": ("missing", "bad"),
}
_SENTENCES = {
    "proposal_needs_two_people": "whoever proposed this cannot agree to it; another administrator decides",
    "release_needs_two_people": "whoever proposed this release cannot approve it; another administrator does",
    "money_stands_after_issuance": "units are instructed or issued for this money, so the match stands;"
    " what is wrong is put right by a recovery or a later refund, never by undoing",
    "one_proposal_waits_per_receipt": "another proposal about this receipt waits for a second person",
    "one_release_waits_per_closing": "a release of this closing waits for a second person already",
    "proposal_has_its_reason": "write why; the second person reads it",
    "declined_proposal_has_its_reason": "write why it is declined",
    "proposed_match_names_its_investment": "choose the investment that the money belongs to",
    "payer_view_has_its_purpose": "write why you need to see it",
    "order_view_has_its_purpose": "write what the file is for; it names accounts and people",
    "deductions_are_the_fees_shown": "what is withheld is not the fees that investors were shown;"
    " whoever approves says why",
    "statement_is_imported_once": "this statement was imported before; nothing was posted a second time",
    "statement_has_its_balances": "the file lacks an opening or a closing balance, so a missing line would"
    " not be seen",
    "balances_add_up": "the opening balance and the entries do not make the closing balance",
    "format_is_known": "this is no bank file that is known here: ISO 20022, BAI2, MT940, NACHA and declared"
    " CSV are",
    "mapping_is_declared": "the head of the file names no known mapping and version, or its columns differ",
    "received_is_within_due": "it is more than what is due; divide it first",
    "source_is_approved": "it did not come from an approved account of that investor",
    "receipt_and_attempt_are_open": "the investment has no payment that is open",
    "both_people_confirm_payee_and_amount": "payee or amount differ from what was proposed, or from what may"
    " be released now",
    "account_is_never_overdrawn": "escrow does not hold that much",
    "reason_allows_a_retry": "the reason of the last failure allows no further attempt, or asks for another"
    " account",
    "recovery_is_within_the_receivable": "so much is not owed on this receipt",
    "receipt_returns_once": "this receipt came back before",
    "answered_alarm_says_who_and_why": "write what it was",
    "issuer_gets_the_larger_part": "what is deducted is as much as what is released",
    "deduction_kind_is_known": "a deduction is of a kind that is named beside it",
    "escrow_needs_two_people": "whoever proposed this account cannot put it in force; another person does",
    "one_escrow_is_proposed": "another account waits for a second person already",
    "bank_code_is_checkable": "this is no BIC and no routing number with its check digit",
    "escrow_account_is_written_out": "write the account number or IBAN in letters and digits",
    "escrow_has_its_agreement": "choose the signed agreement, a file of at most 32 MiB",
    "statement_is_of_the_escrow_account": "the file is of another account than the escrow of this offer",
    "fee_needs_two_people": "whoever proposed this fee cannot declare it; another person does",
    "fee_is_a_part_or_flat": "write either basis points or a flat amount",
    "fee_of_the_investor_is_in_the_terms": "choose the terms that let the investor bear it",
    "fee_precedes_publication": "the offer is published, so investors may have signed",
    "accepted_coin_needs_two_people": "whoever proposed this token cannot accept it; another person does",
    "cheque_names_its_drawer": "write the name that stands on the cheque",
    "cheque_is_not_stale": "the cheque was drawn more than 180 days ago",
    "cheque_is_not_drawn_ahead": "the cheque is drawn for a day to come",
    "redeemed_tokens_are_in_escrow": "escrow does not hold tokens of so much",
    "balance_is_available": "the investor has not left so much here",
    "stored_money_is_the_investors_own": "the receipt does not wait, or is from no account of that investor",
    "rate_file_is_imported_once": "this file of rates was imported before",
    "rates_are_of_a_known_source": "this is no file of euro reference rates of the European Central Bank",
    "rate_of_a_day_is_set_once": "the file has another rate for a day that is known; nothing of it was kept",
    "rate_is_not_of_a_day_to_come": "the file has rates of a day to come",
    "rate_is_within_its_age": "there is no exchange rate of its day that is young enough; import one first",
    "taken_currency_is_not_the_offers": "that is the offer's own currency",
    "one_rule_per_currency": "that currency is taken already; end its rule first",
    "currency_rule_needs_two_people": "whoever proposed this currency cannot accept it; another person does",
    "age_of_a_rate_is_bounded": "a rate may be 1 to 240 hours old",
    "returned_tokens_are_final": "no final block holds that transaction yet; ask again later, or look at"
    " the hash",
    "tokens_go_back_to_their_source": "that transaction does not send what is due, to the base unit, from the"
    " deposit address to the wallet that it came from",
    "transfer_settles_one_refund": "that transfer has settled another refund",
    "returned_tokens_are_of_a_refund_that_waits": "this refund does not wait for tokens",
    "parts_sum_to_the_receipt": "the parts must be two or more and sum to the receipt",
}
_TOLD = ("status", "because", "decided_because", "proposed_by", "decided_by", "investment_id", "exception")


def desks(database: Database, offering: str | None = None) -> Sequence[Row]:
    """Return each offer with what waits in its escrow, or the one named."""
    with database.transaction("treasury") as transaction:
        found: Sequence[Row] = load(__package__).desks(transaction, offering=offering)
    return found


def desk(database: Database, offering: str) -> Row:
    """Return the head of one offer's pages; raises NotFound for an unknown one."""
    found = desks(database, offering)
    if not found:
        raise NotFound(f"there is no offer {offering}")
    return found[0]


def overview(database: Database, offering: str, account: str) -> dict[str, Any]:
    """Return three balances, statements beside the ledger, the trial balance, and one account by day."""
    keeper = treasury.keeper(database)
    on = {"offering": offering}
    balances = keeper.trial_balance(**on)
    lines = keeper.account_statement(**on, account=account) if account else []
    return {
        "three": keeper.three_way(**on),
        "agreement": keeper.statement_agreement(**on),
        "balances": balances,
        "account": account,
        "days": _by_day(lines),
    }


def queue(database: Database, offering: str, state: str, page: int) -> dict[str, Any]:
    """Return what waits for a match, a page of it, and what waits for a second person."""
    queries = load(__package__)
    with database.transaction("treasury") as transaction:
        rows = queries.waiting(
            transaction, offering=offering, state=state, most=PAGE_ROWS, skip=(page - 1) * PAGE_ROWS
        )
        proposals = queries.proposals(transaction, offering=offering)
    total = rows[0]["total"] if rows else 0
    return {
        "rows": rows,
        "total": total,
        "total_minor": rows[0]["total_minor"] if rows else 0,
        "proposals": proposals,
        "state": state,
        "states": STATES,
        "page": page,
        "has_more": total > page * PAGE_ROWS,
    }


def receipt(database: Database, offering: str, name: str) -> dict[str, Any]:
    """Return the workbench of one receipt; raises NotFound for an unknown one."""
    queries, on = load(__package__), {"offering": offering, "receipt": name}
    with database.transaction("treasury") as transaction:
        found: Row | None = queries.receipt(transaction, **on)
        if found is None:
            raise NotFound(f"there is no receipt {name}")
        candidates = queries.candidates(transaction, **on)
        parts = queries.parts(transaction, **on)
        history = queries.history(transaction, **on)
        rates = queries.rates_of_receipt(transaction, **on)
    waits = found["proposal_id"] is not None
    seen = found["proposal_version"] if waits else found["version"]
    return {
        "receipt": found,
        "candidates": candidates,
        "whole_parts": parts if len(parts) > 1 else [],
        "history": history,
        "rates": rates,
        "choices": DECISIONS if waits else CHOICES.get(found["status"], ()),
        "waits": waits,
        "seen": seen,
        "typed": Said(seen=seen, investment=candidates[0]["investment_id"] if len(candidates) == 1 else ""),
        "typed_parts": "",
        "payer": None,
        "rehearsed": None,
    }


def lists(database: Database, offering: str, names: Sequence[str]) -> dict[str, Any]:
    """Return the named lists of an offer."""
    queries = load(__package__)
    with database.transaction("treasury") as transaction:
        return {name: getattr(queries, name)(transaction, offering=offering) for name in names}


def told(fault: Refused) -> dict[str, str]:
    """Return a refusal in the words of these pages."""
    return shell.told(fault, _SENTENCES)


def changed(database: Database, on: tuple[str, str], form: Said, fault: Refused) -> list[dict[str, Any]]:
    """Return what happened to the record (offering, id) since the version seen, when that is the refusal."""
    if not isinstance(fault, VersionChanged):
        return []
    with database.transaction("treasury") as transaction:
        events = load(__package__).since(
            transaction, offering=on[0], item=form.proposal or on[1], seen=form.seen
        )
    return [{**row, "told": _told(row["payload"])} for row in events]


def mark(status: str) -> tuple[str, str]:
    """Return the icon and the tone of a state."""
    return _MARKS.get(status, ("not-started", "grey"))


def path_of(offering: str, *parts: str) -> str:
    """Return the address of a page of an offer's escrow."""
    return "/treasury/" + "/".join(quote(part, safe="") for part in (offering, *parts))


def _told(payload: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    told = payload or {}
    return [(name, str(told[name]).removeprefix("key:")) for name in _TOLD if told.get(name) is not None]


def _by_day(lines: Sequence[Row]) -> list[dict[str, Any]]:
    """Return the entries of an account day by day, the latest day first, with the balance at its end."""
    days: dict[str, dict[str, Any]] = {}
    for line in lines:
        day = line["occurred_at"].date().isoformat()
        kept = days.setdefault(day, {"day": day, "lines": []})
        kept["lines"].append(line)
        kept["closing_minor"], kept["currency"] = line["balance_minor"], line["currency"]
    return list(reversed(days.values()))
