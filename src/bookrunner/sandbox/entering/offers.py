"""What an offer of the sandbox needs around it, played by the people who would do it elsewhere."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable

from bookrunner.app import Application
from bookrunner.core import clock
from bookrunner.core.errors import Refused
from bookrunner.core.ids import new_id
from bookrunner.db import Arguments, Keeper
from bookrunner.engine import Desk
from bookrunner.engine.intake import fingerprint
from bookrunner.sandbox.bank import Payment, StatementHead, write_statement
from bookrunner.sandbox.entering.papers import ITEMS, Papers

_BANK_CODE = "021000021"
_PAYABLE = frozenset({"initialized", "in_progress"})
_COME = frozenset({"received", "cleared", "settled"})


def equip(app: Application, offering: str, deploy: Callable[[], object]) -> None:
    """Give an offer that counsel has accepted all that it is published with.

    The transfer agent opens its control book and ``deploy`` puts its token on the chain, counsel names its
    packet, the desk what investors acknowledge, two administrators its escrow account. Refuses
    ``equipped_offer_is_legally_accepted`` and what a verb refuses.
    """
    offer = app.desk.offer(offering)
    if offer["status"] != "legal_accepted":
        raise Refused("equipped_offer_is_legally_accepted", f"{offering} is {offer['status']}")
    open_control_book(app.desk, offering, new_id("ctl"), offer["units_total"])
    deploy()
    Papers(app, offering).prepare()
    require_items(app.desk, offering, ITEMS)
    open_escrow(app.desk.treasury, offering, (new_id("esc"), account_of(offering)), offer["name"])


def open_control_book(desk: Desk, offering: str, control: str, units: int) -> None:
    """Let the transfer agent open the control book of an offer for so many units."""
    desk.registry.open_control_book(
        actor="agent.theo",
        offering=offering,
        control=control,
        authorised_units=units,
        authority_sha256=hashlib.sha256(b"board resolution").digest(),
    )


def require_items(desk: Desk, offering: str, items: Iterable[tuple[str, str, str]]) -> None:
    """Let the desk ask for items, each of a kind, a code and a sentence, with its document on file."""
    for kind, code, sentence in items:
        digest = desk.subscription.archive(
            actor="desk.sam", content=f"{code}\n{sentence}\n{offering}".encode(), media_type="text/plain"
        )
        desk.subscription.require_item(
            actor="desk.sam",
            offering=offering,
            kind=kind,
            code=code,
            version=1,
            document_sha256=digest,
            sentence=sentence,
        )


def open_escrow(treasury: Keeper, offering: str, where: tuple[str, str], name: str) -> None:
    """Let two administrators put an escrow account in force; ``where`` is its id and its number."""
    escrow, account = where
    on = {"offering": offering, "escrow": escrow}
    terms = {
        "agent": "Meridian Trust Company",
        "beneficiary": f"Meridian Trust Company, escrow of {name}",
        "bank": "First Harbor Bank",
        "bank_code": _BANK_CODE,
        "account": account,
        "agreement_sha256": hashlib.sha256(b"escrow agreement").hexdigest(),
        "agreed_on": clock.today().isoformat(),
        "because": "the agreement was signed",
    }
    treasury.propose_escrow(actor="fundadmin.fay", **on, terms=terms)
    treasury.decide_escrow(actor="fundadmin.finn", **on, is_agreed=True, seen=1)


def account_of(owner: str) -> str:
    """Return the account at the sandbox's bank that an offer or investor always has."""
    return f"{_BANK_CODE}-{int.from_bytes(hashlib.sha256(owner.encode()).digest()[:4]) % 10**9:09d}"


def pay(app: Application, offering: str) -> int:
    """Let each investor who was told where to pay send its wire, and clear it; return how many paid.

    Each pays from an account of its own, which an administrator has approved.
    """
    treasury, today = app.desk.treasury, clock.today()
    rows = treasury.attempts(offering=offering)
    due = [row for row in rows if row["status"] in _PAYABLE]
    if not due:
        return 0
    investors = [row["investor_id"] for row in due]
    named = app.desk.portal.names_on_paper(investors=investors)
    names = {row["investor_id"]: row["legal_name"] for row in named}
    with treasury.together() as within:
        within.approve_source.each(map(_source, investors))
    wires = [
        Payment(
            amount_minor=row["due_minor"],
            reference=row["reference"],
            debtor_name=names[row["investor_id"]],
            debtor_account=account_of(row["investor_id"]),
            value_on=today,
        )
        for row in due
    ]
    come = [row["due_minor"] for row in rows if row["status"] in _COME]
    currency = app.desk.offer(offering)["currency"]
    head = StatementHead(account_of(offering), currency, 1 + len(come), today, sum(come))
    app.import_statement(offering, write_statement(head, wires), actor="fundadmin.fay")
    app.answer()
    treasury.clear(actor="fundadmin.fay", offering=offering, receipts=None)
    app.answer()
    return len(due)


def _source(investor: str) -> Arguments:
    account = fingerprint(account_of(investor))
    return {"actor": "fundadmin.fay", "investor": investor, "source": new_id("src"), "fingerprint": account}


def link_wallets(app: Application, offering: str) -> int:
    """Approve each screened wallet as the issuer and link it as the transfer agent; return how many."""
    app.answer()
    waiting = app.desk.registry.claimed_mappings(offering=offering)
    screened = [row["mapping_id"] for row in waiting if row["status"] == "screened"]
    where = [{"offering": offering, "mapping": mapping} for mapping in screened]
    with app.desk.registry.together() as within:
        within.approve_wallet.each({"actor": "issuer.iris", **each} for each in where)
        within.link_wallet.each({"actor": "agent.theo", "witness": None, **each} for each in where)
    return len(where)
