"""Distributions: what holders of a record date get, and its payment."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.table import Table

from bookrunner.app.settings import read_settings
from bookrunner.cli.offers import Actor, Id, require_offer
from bookrunner.cli.screen import app, console, keep_facts
from bookrunner.core.errors import NotFound, Refused
from bookrunner.core.money import grouped, parse
from bookrunner.db import Row
from bookrunner.engine.intake import fingerprint
from bookrunner.engine.life.servicing.distributions import Step, Terms
from bookrunner.sandbox.world import opened

distribution = typer.Typer(help="What holders of a record date get, and its payment.", no_args_is_help=True)
app.add_typer(distribution, name="distribution")

Accounts = Annotated[Path, typer.Option(help="Lines of name,number,bank; the escrow account first.")]
Folder = Annotated[Path | None, typer.Option(help="Where the orders are written as files.")]
Bank = Annotated[str | None, typer.Option(help="Address of a bank that takes orders.")]
_PARTS: Final = ("gross", "withheld", "reinvested", "net")
_SUMS: Final = (
    "available",
    "reserved",
    "distributable",
    *_PARTS[1:],
    "funded",
    "taken_back",
    "receivable",
)
Sender = Annotated[Path | None, typer.Option(help="Who sends entries of the ACH, as OFFER.ach.json says it.")]


@distribution.command("draft")
def draft(
    offer: Id,
    file: Annotated[Path, typer.Argument(help="The terms, as JSON.")],
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what the tiers pay; write nothing.")
    ] = False,
    actor: Actor,
) -> None:
    """Draft a distribution from the register of its record date, and screen its payees."""
    with opened(read_settings()) as world:
        currency = require_offer(world.application, offer)["currency"]
        runs, terms = world.application.distributions, read_terms(file, currency)
        show_steps(runs.work_out(offer, terms), currency)
        if dry_run:
            console.print("dry run: nothing is written")
            return
        made = runs.draft(offer, terms, actor=actor)
        world.application.screening.drain()
        keep_facts(distribution=made)
        console.print(f"{made} waits for a second person: bookrunner distribution approve {offer} {made}")


@distribution.command("list")
def list_all(offer: Id) -> None:
    """List the distributions of an offer."""
    with opened(read_settings()) as world:
        require_offer(world.application, offer)
        rows = world.application.distributions.terms.distributions(offering=offer)
    table = Table("distribution", "state", "record date", "paid from", "amount", "withheld", "lines")
    for row in rows:
        money = (grouped(row[f"{name}_minor"], row["currency"]) for name in ("distributable", "withheld"))
        table.add_row(
            row["distribution_id"],
            row["status"],
            str(row["record_on"]),
            str(row["pay_on"]),
            *money,
            told(row),
        )
    console.print(table)


@distribution.command("show")
def show(
    offer: Id,
    name: Id,
    *,
    lines: Annotated[str, typer.Option("--lines", help="Lines in a state, or all of them.")] = "",
) -> None:
    """Show a distribution: its tiers with their working, its sums, its lines."""
    with opened(read_settings()) as world:
        runs = world.application.distributions
        row = runs.standing(offer, name)
        tiers = runs.terms.distribution_tiers(offering=offer, distribution=name)
        state = None if lines in {"", "all"} else lines
        found = [*runs.lines(offer, name, status=state)] if lines else []
    currency = row["currency"]
    console.print(f"{name}: {row['status']}, version {row['version']}; {told(row)}")
    console.print(", ".join(f"{part} {grouped(row[f'{part}_minor'], currency)}" for part in _SUMS))
    for tier in tiers:
        holders, sponsor = (grouped(tier[f"{who}_minor"], currency) for who in ("holders", "sponsor"))
        console.print(f"{tier['tier']}. {tier['kind']}: holders {holders}, sponsor {sponsor}")
        for line in tier["working"]:
            console.print(f"   {line}")
    if found:
        show_lines(found, currency)


@distribution.command("approve")
def approve(
    offer: Id,
    name: Id,
    *,
    seen: Annotated[int, typer.Option("--seen", help="The version that was looked at.")],
    actor: Actor,
) -> None:
    """Approve a distribution, as another person than who drafted it."""
    with opened(read_settings()) as world:
        world.application.distributions.terms.approve_distribution(
            actor=actor, offering=offer, distribution=name, seen=seen
        )
    console.print(f"{name}: approved")


@distribution.command("cancel")
def cancel(
    offer: Id,
    name: Id,
    *,
    because: Annotated[str, typer.Option("--because", help="Why.")],
    seen: Annotated[int, typer.Option("--seen", help="The version that was looked at.")],
    actor: Actor,
) -> None:
    """End a distribution before its payment."""
    with opened(read_settings()) as world:
        world.application.distributions.terms.cancel_distribution(
            actor=actor, offering=offer, distribution=name, because=because, seen=seen
        )
    console.print(f"{name}: cancelled")


@distribution.command("fund")
def fund(offer: Id, name: Id, receipt: Id, *, actor: Actor) -> None:
    """Take a receipt that nobody owns as the issuer's money for a distribution."""
    with opened(read_settings()) as world:
        payments = world.application.distributions.payments
        waiting = {row["receipt_id"]: row for row in payments.unowned_receipts(offering=offer)}
        if receipt not in waiting:
            raise NotFound(f"no receipt {receipt} waits in {offer}")
        payments.fund_distribution(
            actor=actor, offering=offer, distribution=name, receipt=receipt, seen=waiting[receipt]["version"]
        )
    console.print(f"{name}: funded by {receipt}")


@distribution.command("pay")
def pay(
    offer: Id,
    name: Id,
    accounts: Accounts,
    *,
    sender: Sender = None,
    folder: Folder = None,
    bank: Bank = None,
    actor: Actor,
) -> None:
    """Start the payment, or go on with it: order every line that may be paid now."""
    _pay((offer, name), (accounts, sender), (folder, bank), actor)


@distribution.command("retry")
def retry(
    offer: Id,
    name: Id,
    accounts: Accounts,
    *,
    line: Annotated[list[str] | None, typer.Option("--line", help="Only this line; again for more.")] = None,
    sender: Sender = None,
    folder: Folder = None,
    bank: Bank = None,
    actor: Actor,
) -> None:
    """Pay what came back, is held or unclaimed, and nothing else."""
    with opened(read_settings()) as world:
        opened_again = world.application.distributions.payments.retry_disbursements(
            actor=actor, offering=offer, distribution=name, lines=line
        )
    console.print(f"{name}: {opened_again} lines are tried again")
    _pay((offer, name), (accounts, sender), (folder, bank), actor)


@distribution.command("account")
def account(
    investor: Id,
    source: Annotated[
        str | None, typer.Argument(help="An account of the payee; none for its wallet.")
    ] = None,
    *,
    way: Annotated[
        str, typer.Option("--way", help="bank, ach, stablecoin, or balance to keep it in escrow.")
    ] = "bank",
    entry_class: Annotated[
        str | None, typer.Option("--class", help="Of an ACH entry: PPD to a person, CCD to a company.")
    ] = None,
    because: Annotated[str, typer.Option("--because", help="Why.")],
    actor: Actor,
) -> None:
    """Propose where a payee gets its money; nothing is paid to it until another person agrees."""
    with opened(read_settings()) as world:
        name = world.application.distributions.choose_account(
            investor, (way, source), because, entry_class=entry_class, actor=actor
        )
        world.application.screening.drain()
    keep_facts(account=name)
    console.print(f"{name} waits for a second person: bookrunner distribution agree {investor} {name}")


@distribution.command("new-account")
def new_account(
    investor: Id,
    number: Annotated[str, typer.Argument(help="The account, as the account book writes it.")],
    evidence: Annotated[Path, typer.Argument(help="What the payee gave; its SHA-256 is kept.")],
    *,
    because: Annotated[str, typer.Option("--because", help="Why.")],
    entry_class: Annotated[
        str | None, typer.Option("--class", help="Paid by the ACH: PPD to a person, CCD to a company.")
    ] = None,
    actor: Actor,
) -> None:
    """Propose an account that no book has, and screen its payee; another person agrees after that."""
    named = fingerprint(number), hashlib.sha256(evidence.read_bytes()).digest()
    with opened(read_settings()) as world:
        name = world.application.distributions.name_account(
            investor, named, because, entry_class=entry_class, actor=actor
        )
        world.application.screening.drain()
    keep_facts(account=name)
    console.print(f"{name} waits for a second person: bookrunner distribution agree {investor} {name}")


@distribution.command("agree")
def agree(
    investor: Id,
    name: Id,
    *,
    decline: Annotated[bool, typer.Option("--decline", help="Decline it.")] = False,
    actor: Actor,
) -> None:
    """Put a payee's account in force, or decline it, as another person than who proposed it."""
    with opened(read_settings()) as world:
        world.application.distributions.payments.decide_payee_account(
            actor=actor, investor=investor, account=name, is_agreed=not decline, seen=1
        )
    console.print(f"{name}: {'declined' if decline else 'in force'}")


@distribution.command("paying-wallet")
def paying_wallet(
    offer: Id,
    *,
    coin: Annotated[str | None, typer.Option("--coin", help="Where the offer takes several coins.")] = None,
    actor: Actor,
) -> None:
    """Propose the wallet that an offer pays its holders from in tokens; another person agrees."""
    with opened(read_settings()) as world:
        name = world.application.payments.propose_wallet(offer, coin, actor=actor)
    keep_facts(wallet=name)
    console.print(f"{name} waits for a second person: bookrunner distribution agree-wallet {offer} {name}")


@distribution.command("agree-wallet")
def agree_wallet(
    offer: Id,
    name: Id,
    *,
    decline: Annotated[bool, typer.Option("--decline", help="Decline it.")] = False,
    actor: Actor,
) -> None:
    """Put a paying wallet in force, or decline it, as another person than who proposed it."""
    with opened(read_settings()) as world:
        world.application.payments.decide_wallet(offer, name, is_agreed=not decline, seen=1, actor=actor)
    console.print(f"{name}: {'declined' if decline else 'in force'}")


def _pay(
    on: tuple[str, str],
    books: tuple[Path, Path | None],
    to: tuple[Path | None, str | None],
    actor: str,
) -> None:
    (offer, name), (accounts, sender) = on, books
    place = to[0] if to[1] is None else to[1]
    if place is None or (to[0] is not None and to[1] is not None):
        raise Refused("orders_go_to_one_place", "give --folder or --bank")
    with opened(read_settings()) as world:
        runs = world.application.distributions
        world.application.screening.drain()
        runs.start(offer, name, actor=actor)
        sent = world.application.pay_lines(offer, accounts.read_text(encoding="utf-8"), place, sender)
        row = runs.standing(offer, name)
    console.print(f"{name}: {sent} orders taken; {told(row)}")


def read_terms(file: Path, currency: str) -> Terms:
    """Return what a file states, amounts in decimals; refuses ``distribution_terms_are_readable``."""
    try:
        said: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return Terms(
            record_on=date.fromisoformat(said["record_on"]),
            pay_on=date.fromisoformat(said["pay_on"]),
            available_minor=parse(said["available"], currency).minor,
            reserves=[(r["name"], parse(r["amount"], currency).minor) for r in said.get("reserves", [])],
            tiers=said.get("tiers") or [{"kind": "split"}],
            income=said.get("income", "dividend"),
            sponsor=said.get("sponsor"),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as fault:
        raise Refused("distribution_terms_are_readable", f"{file}: {type(fault).__name__} {fault}") from None


def show_steps(steps: list[Step], currency: str) -> None:
    """Print what each tier pays, with its working."""
    table = Table("tier", "due", "holders", "sponsor", "left", "working")
    for place, step in enumerate(steps, start=1):
        due = "" if step.due is None else grouped(step.due, currency)
        money = (grouped(minor, currency) for minor in (step.holders, step.sponsor, step.left))
        table.add_row(f"{place}. {step.tier.kind}", due, *money, "\n".join(step.working))
    console.print(table)


def show_lines(rows: list[Row], currency: str) -> None:
    """Print lines with what is withheld and where each stands."""
    table = Table("line", "payee", "units", "gross", "withheld", "reinvested", "net", "form", "state")
    for row in rows:
        money = (grouped(row[f"{part}_minor"], currency) for part in _PARTS)
        because = row["held_because"] or row["bounce_code"]
        state = row["status"] + (f": {because}" if because else "")
        table.add_row(row["line_id"], row["investor_id"], str(row["units"]), *money, row["form"], state)
    console.print(table)


def told(row: Row) -> str:
    """Say how many lines of a distribution are in which state."""
    lines = ", ".join(f"{found['lines']} {state}" for state, found in sorted(row["lines"].items()))
    return lines or f"{row['holders']} holders"
