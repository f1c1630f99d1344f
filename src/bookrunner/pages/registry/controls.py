"""Control actions on the agent's pages: asked by one person, decided by another, followed to the chain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import Form

from bookrunner.books import registry
from bookrunner.core.errors import Refused
from bookrunner.core.ids import new_id
from bookrunner.core.money import read_whole, ungrouped
from bookrunner.db import Database, load

_MOST: Final = 100
_DIGEST: Final = "the SHA-256 of the order has 64 hexadecimal digits"
_Line = Annotated[str, Form(max_length=4000)]
KINDS: Final = {
    "freeze_account": "Freeze an account",
    "thaw_account": "Thaw an account",
    "freeze_units": "Freeze units",
    "thaw_units": "Thaw units",
    "force_transfer": "Force a transfer",
    "recover_wallet": "Recover a lost wallet",
    "freeze_unknown": "Freeze a wallet that nobody registered",
    "thaw_unknown": "Thaw such a wallet",
    "pause": "Pause the security",
    "resume": "Resume the security",
}
_STATES: Final = {
    "asked": ("waiting", "wait", "waits for a second person"),
    "approved": ("progress", "calm", "approved, goes to the chain"),
    "submitted": ("progress", "calm", "signed, waits for the chain"),
    "reverted": ("refused", "bad", "the chain refused it"),
    "executed": ("confirmed", "good", "done"),
    "declined": ("cancelled", "grey", "declined"),
    "abandoned": ("cancelled", "grey", "given up"),
}
_SENTENCES: Final = {
    "control_action_needs_two_people": "whoever asked for it cannot approve it; another person decides",
    "control_action_has_its_reason": "write why it is done",
    "control_action_has_its_order": "a forced transfer and a recovery need an order: its name, its SHA-256",
    "order_hash_is_sha256": _DIGEST,
    "control_action_names_its_account": "name the holder; a pause is of the whole security and names none",
    "control_action_names_its_units": "part freezes, thaws of units and forced transfers name units",
    "control_units_are_positive": "write one unit or more",
    "forced_transfer_names_its_receiver": "a forced transfer names who receives the units, nothing else does",
    "forced_transfer_goes_to_another": "units are not forced on the holder that has them",
    "recovery_names_the_new_wallet": "a recovery names the holder's new wallet, nothing else does",
    "freeze_of_an_unknown_wallet_names_its_break": "such a freeze names the break, nothing else does",
    "break_shows_an_unknown_wallet": "that break shows no wallet that the register does not know",
    "unknown_wallet_is_free": "that wallet is frozen already",
    "unknown_wallet_is_frozen": "that wallet is not frozen",
    "declined_control_action_has_its_reason": "write why it is declined",
    "account_to_freeze_is_free": "that account is frozen already",
    "account_to_thaw_is_frozen": "that account is not frozen",
    "units_to_freeze_are_free": "so many units are not free",
    "units_to_thaw_are_frozen": "fewer units than that are frozen; nothing is thawed",
    "units_to_move_are_held": "the holder has fewer units than that, less what is under way",
    "one_wallet_holds_the_units_to_move": "no single wallet of the holder has so many; order each wallet's",
    "receiver_wallet_is_linked": "who receives the units has no linked wallet",
    "moved_units_are_carried_through": "its units went over on chain, or are on their way; it is tried again",
    "lost_wallet_is_linked": "that holder has no linked wallet that could be lost",
    "recovered_account_moves_nothing": "units of that account are on their way; recover after them",
    "recovery_wallet_is_approved": "the new wallet is the holder's, screened, with the issuer's consent",
    "wallet_is_linked_by_another_person": "who gave the issuer's consent to the wallet does not approve this",
    "security_to_pause_is_open": "the security is paused already",
    "security_to_resume_is_paused": "the security is not paused",
    "one_unit_action_runs_per_account": "another action on that account's units is under way",
    "one_account_action_runs_per_account": "another action on that account is under way",
    "one_pause_runs_per_security": "a pause or its end is under way",
    "transition_is_listed_for_the_keeper": "it is no longer where that step begins",
}


@dataclass(frozen=True, slots=True)
class Order:
    """What a form of control actions sent."""

    act: str
    what: str
    kind: str
    because: str
    terms: dict[str, object]


def order(  # noqa: PLR0913 - one field of the form each
    *,
    act: _Line = "",
    what: _Line = "",
    kind: _Line = "",
    because: _Line = "",
    investor: _Line = "",
    receiver: _Line = "",
    mapping: _Line = "",
    observed: _Line = "",
    units: _Line = "",
    order_reference: _Line = "",
    order_sha256: _Line = "",
) -> Order:
    """Read a form; what was left empty is not part of the order."""
    given = {
        "investor": investor,
        "receiver": receiver,
        "mapping": mapping,
        "observed": observed,
        "units": units,
        "order_reference": order_reference,
        "order_sha256": order_sha256,
    }
    return Order(
        act, what, kind, because, {name: text.strip() for name, text in given.items() if text.strip()}
    )


def facts_of(database: Database, offering: str) -> dict[str, Any]:
    """Return the actions, and the accounts under a freeze."""
    queries = load(__package__)
    with database.transaction("registry") as transaction:
        actions = queries.control_queue(transaction, offering=offering, most=_MOST)
        restraints = queries.restraints(transaction, offering=offering, most=_MOST)
    return {"actions": actions, "restraints": restraints, "titles": KINDS, "states": _STATES}


def act(database: Database, by: tuple[str, str], form: Order) -> None:
    """Do what a form asks for (offering, actor).

    Refuses ``decision_is_one_of_those_offered``, ``units_are_a_whole_number``, ``order_hash_is_sha256`` and
    what the register refuses.
    """
    offering, actor = by
    keeper, who = registry.keeper(database), {"offering": offering, "actor": actor}
    if form.act == "ask":
        keeper.ask_control(**who, action=new_id("cta"), asked=_asked(form))
    elif form.act in {"approve", "decline"}:
        keeper.decide_control(
            **who, action=form.what, is_approved=form.act == "approve", because=form.because
        )
    elif form.act == "abandon":
        keeper.abandon_control(**who, action=form.what, because=form.because)
    else:
        raise Refused("decision_is_one_of_those_offered", "choose one of the acts")


def told(fault: Refused) -> dict[str, str]:
    """Return a refusal as the page says it."""
    detail = "" if fault.rule in fault.detail else fault.detail
    return {"rule": fault.rule, "detail": _SENTENCES.get(fault.rule, detail)}


def _asked(form: Order) -> dict[str, object]:
    units, digest = ungrouped(str(form.terms.get("units", ""))), str(form.terms.get("order_sha256", ""))
    if units and read_whole(units) is None:
        raise Refused("units_are_a_whole_number", "write whole units, at most 18 digits")
    if set(digest.lower()) - set("0123456789abcdef") or len(digest) % 2:
        raise Refused("order_hash_is_sha256", _DIGEST)
    typed = form.terms | ({"units": units} if units else {})
    return {"kind": form.kind, "because": form.because, **typed}
