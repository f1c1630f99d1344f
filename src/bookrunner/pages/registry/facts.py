"""What the pages of a register show, read under the registry's own login."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final
from urllib.parse import quote

from bookrunner.books import registry
from bookrunner.core import clock
from bookrunner.core.errors import NotFound, Refused
from bookrunner.db import Database, Row, load
from bookrunner.pages import shell
from bookrunner.pages.offers.pictures import turned

PAGE_ROWS: Final = 50
MOST: Final = 200
STEPS: Final = {
    "screening": "a screening of the address",
    "issuer_consent": "the issuer's consent",
    "agent_link": "the agent's link",
}
KINDS: Final = {
    "control_book_is_not_the_register": ("issued in the control book", "held in the register"),
    "register_is_not_its_postings": ("held in the register", "posted"),
    "register_is_not_its_lots": ("held in the register", "in lots"),
    "chain_is_not_the_control_book": ("delivered on chain", "issued in the control book"),
    "supply_is_over_authorised": ("minted beyond the authorised units", "allowed"),
}
_MARKS: Final = {
    "proposed": ("waiting", "wait"),
    "claimed": ("waiting", "wait"),
    "screened": ("waiting", "wait"),
    "issuer_approved": ("waiting", "wait"),
    "linked": ("confirmed", "good"),
    "joined": ("confirmed", "good"),
    "superseded": ("cancelled", "grey"),
    "rejected": ("refused", "bad"),
    "revoked": ("refused", "bad"),
    "prepared": ("waiting", "wait"),
    "submitted": ("progress", "calm"),
    "posted": ("confirmed", "good"),
    "stopped": ("held", "bad"),
    "reverted": ("refused", "bad"),
    "signed": ("waiting", "wait"),
    "broadcast": ("progress", "calm"),
    "mined": ("progress", "calm"),
    "final": ("confirmed", "good"),
    "registered": ("confirmed", "good"),
    "held": ("held", "wait"),
    "open": ("missing", "bad"),
    "resolved": ("confirmed", "good"),
    "approved": ("confirmed", "good"),
    "in_force": ("confirmed", "good"),
    "ended": ("cancelled", "grey"),
    "declined": ("cancelled", "grey"),
    "returned": ("waiting", "wait"),
    "lost": ("missing", "bad"),
    "found": ("confirmed", "good"),
    "received": ("waiting", "wait"),
    "completed": ("confirmed", "good"),
}
_SENTENCES: Final = {
    "control_change_needs_two_people": "whoever proposed this cannot agree to it; another person decides",
    "control_change_has_its_paper": "the SHA-256 of the issuer's paper is 64 hexadecimal digits",
    "control_change_names_its_authority": "write which paper of the issuer says so",
    "control_change_changes_the_units": "so many units are authorised already",
    "authorised_units_are_positive": "authorise at least one unit",
    "one_control_change_waits": "another change of this control book waits for a second person",
    "declined_control_change_has_its_reason": "write why it is declined",
    "issue_stays_within_authorised": "more units are issued than that",
    "resolved_difference_is_none": "the records still differ; compare again once the cause is removed",
    "resolved_difference_has_its_reason": "write why the records differed",
    "holder_does_not_approve_a_wallet": "a holder does not consent to a wallet of its own",
    "wallet_is_linked_by_another_person": "whoever gave the issuer's consent does not link; another does",
    "custodian_has_an_agreement_in_force": "its custodian has no agreement on record that is in force",
    "custodian_needs_two_people": "whoever proposed the custodian does not put it in force; another does",
    "custody_ends_after_it_begins": "the agreement ends after the day it was agreed on",
    "declined_custodian_has_its_reason": "write why it is declined",
    "wallet_proof_is_valid": "the proof that was kept of this wallet does not stand; ask for a new one",
    "transfer_is_approved_by_another_person": "whoever asked, gives or takes does not approve; another does",
    "contract_wallet_is_asked_again_when_linked": "the contract has to be asked again first",
    "wallet_changes_between_deliveries": "units for the earlier wallet are on their way; link after them",
    "further_wallet_stands_beside_a_linked_one": "the holder has no linked wallet; link this one",
    "further_wallet_is_given_up_empty": "units stand in it, or are on their way to it; move them first",
    "transition_is_listed_for_the_keeper": "it is no longer where that step begins",
    "legend_removal_needs_two_people": "whoever proposed the removal cannot agree to it",
    "legend_removal_has_its_paper": "an opinion or registration is named by the SHA-256 of its paper",
    "legend_removal_has_its_reason": "write why the legend goes",
    "declined_removal_has_its_reason": "write why it is declined",
    "lot_is_held_for_its_period": "by the rule alone a lot is held a year",
    "legend_is_removed_once": "a removal of this legend is under way, or done",
    "item_was_received_before_now": "that moment is to come",
    "item_names_its_paper": "write what was received",
    "answered_inquiry_keeps_its_answer": "an inquiry is closed with the SHA-256 of its answer",
    "rejected_item_has_its_reason": "write why it goes back",
    "subsidiary_entry_needs_two_people": "whoever opened the entry does not resolve it; another person does",
    "debit_is_covered_by_its_holding": "that holding has fewer units",
    "entry_names_a_holding_of_the_register": "the register has no such holding",
    "removal_names_a_lot_of_the_register": "the register has no such lot",
    "subsidiary_units_are_positive": "write one unit or more",
    "register_day_has_begun": "that day is to come",
    "statement_is_not_before_the_first_posting": "nothing was posted to this holding by then",
}


def registers(database: Database, offering: str | None = None) -> Sequence[Row]:
    """Return each offer with what waits at its agent, or the one named."""
    with database.transaction("registry") as transaction:
        found: Sequence[Row] = load(__package__).registers(transaction, offering=offering)
    return found


def register(database: Database, offering: str) -> Row:
    """Return the head of one offer's pages; raises NotFound for an unknown one."""
    found = registers(database, offering)
    if not found:
        raise NotFound(f"there is no offer {offering}")
    return found[0]


def control(database: Database, offering: str) -> dict[str, Any]:
    """Return the control book beside register and chain, what differs, and what is kept apart."""
    names = ("comparisons", "differences", "control_changes", "subsidiary")
    balance = registry.keeper(database).balance(offering=offering)
    return {"balance": balance, **_lists(database, offering, names)}


def holders(database: Database, offering: str, page: int) -> dict[str, Any]:
    """Return a page of the master securityholder file."""
    with database.transaction("registry") as transaction:
        rows = load(__package__).holdings(
            transaction, offering=offering, most=PAGE_ROWS, skip=(page - 1) * PAGE_ROWS
        )
    total = rows[0]["total"] if rows else 0
    shown = {"holdings": rows, "total": total, "page": page, "has_more": total > page * PAGE_ROWS}
    return {**shown, "today": clock.today().isoformat()}


def on_day(database: Database, offering: str, day: date) -> dict[str, Any]:
    """Return the register and the control book at the end of a day; refuses a day to come."""
    keeper, where = registry.keeper(database), {"offering": offering, "day": day}
    return {"asked": keeper.register_as_of(**where), "asked_book": keeper.control_as_of(**where)}


def holder(database: Database, offering: str, holding: str) -> dict[str, Any]:
    """Return one holding with its lots, postings and wallets; raises NotFound for an unknown one."""
    queries, on = load(__package__), {"offering": offering, "holding": holding}
    with database.transaction("registry") as transaction:
        found: Row | None = queries.holding(transaction, **on)
        if found is None:
            raise NotFound(f"there is no holding {holding}")
        lots, postings = queries.lots(transaction, **on), queries.postings(transaction, **on)
        stand = {bytes(row["address"]): row["units"] for row in queries.places(transaction, **on)}
    had = registry.keeper(database).wallet_history(
        offering=offering, investor=found["investor_id"], address=None
    )
    told = {"holding": found, "lots": lots, "postings": postings, "had": had, "stand": stand}
    return {**told, "today": clock.today().isoformat()}


def wallets(database: Database, offering: str) -> dict[str, Any]:
    """Return the wallets of an offer, those that lack a step first."""
    custodians = registry.holders_of(database).custodians(offering=offering)
    return {**_lists(database, offering, ("wallets",), most=MOST), "steps": STEPS, "custodians": custodians}


def issuance(database: Database, offering: str) -> dict[str, Any]:
    """Return the instructions and the signed batches of an offer, and what is stopped."""
    return {
        **_lists(database, offering, ("instructions",), most=MOST),
        **_lists(database, offering, ("batches", "stops")),
    }


def turnaround(database: Database, offering: str) -> dict[str, Any]:
    """Return the turnaround log of an offer and the figures of this month over all offers."""
    figures = registry.month_figures(registry.keeper(database), clock.today())
    lists = _lists(database, offering, ("items",), most=MOST)
    return {**lists, "figures": figures, "chart": turned(lists["items"], clock.today())}


def told(fault: Refused) -> dict[str, str]:
    """Return a refusal in the words of these pages."""
    return shell.told(fault, _SENTENCES)


def mark(status: str) -> tuple[str, str]:
    """Return the icon and the tone of a state."""
    return _MARKS.get(status, ("not-started", "grey"))


def path_of(offering: str, *parts: str) -> str:
    """Return the address of a page of an offer's register."""
    return "/registry/" + "/".join(quote(part, safe="") for part in (offering, *parts))


def _lists(database: Database, offering: str, names: Sequence[str], **more: object) -> Mapping[str, Any]:
    queries = load(__package__)
    with database.transaction("registry") as transaction:
        return {name: getattr(queries, name)(transaction, offering=offering, **more) for name in names}
