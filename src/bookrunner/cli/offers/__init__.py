"""Offers, investments and closings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bookrunner.adapters.chain import checksum
from bookrunner.app import Application
from bookrunner.app.settings import read_settings
from bookrunner.cli.screen import app, bars, console, marked, one_name, show_counts, show_missing
from bookrunner.core.errors import GateClosed, NotFound
from bookrunner.core.ids import new_id
from bookrunner.core.money import grouped
from bookrunner.db import Row
from bookrunner.engine.gates import STAGES
from bookrunner.engine.intake import fingerprint
from bookrunner.reconciliation.outside import Outside
from bookrunner.sandbox.world import opened, worker_seat

Actor = Annotated[str, typer.Option("--actor", help="The person who acts.", callback=one_name)]
Id = Annotated[str, typer.Argument(callback=one_name)]
OPERATOR = "operator.cli"


@app.command()
def why(investment: Id) -> None:
    """Say which conditions an investment misses, who confirms them, and since when."""
    with opened(read_settings()) as world:
        stage = world.application.desk.engine.stage(investment=investment)
        if stage is None:
            raise NotFound(f"there is no investment {investment}")
        free = world.application.desk.life.free_cancellation(
            offering=stage["offering_id"], investment=investment
        )
        if free is not None:
            console.print(f"may be cancelled freely until {free['ends_at']} ({free['rule_id']})")
        reached = [name for name in STAGES if stage[name]]
        console.print(f"{investment}: {stage['status']}, stages reached: {', '.join(reached) or 'none'}")
        if stage["missing"]:
            show_missing(stage["missing"])
            for one in stage["missing"]:
                if one["lacks"]:
                    console.print(f"  {one['condition']} lacks: {', '.join(one['lacks'])}")
        elif stage["issuance"]:
            console.print("nothing is missing; the holding is registered")
        else:
            console.print("nothing is missing; it can be issued in the next closing")
            show_stops(world.application, stage["offering_id"])


def show_stops(application: Application, offer: str) -> None:
    """Say what keeps an offer from signing until two people let it go on."""
    registry = application.desk.registry
    for row in registry.key_stops(offering=offer):
        marked("stopped", f"{checksum(bytes(row['sender']))}: somebody else used this key")
    for row in registry.delivery_stops(offering=offer):
        marked("stopped", f"{', '.join(row['changed'])}: not as recorded; see bookrunner restart")


@app.command()
def close(
    offer: Id,
    *,
    ready: Annotated[bool, typer.Option("--ready", help="Close only those whose gate is open.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would close; write nothing.")] = False,
    propose: Annotated[bool, typer.Option("--propose", help="Name the set for somebody else.")] = False,
    closing: Annotated[str, typer.Option("--closing", help="Freeze what somebody else proposed.")] = "",
    actor: Actor = OPERATOR,
) -> None:
    """Close an offer: everybody, or those who are ready. A missing condition refuses the whole close."""
    settings = read_settings()
    with opened(settings) as world, worker_seat(settings.state_dir) as mine:
        application = world.application
        require_offer(application, offer)
        if dry_run:
            show_dry_run(application, offer)
            return
        if mine:
            # Nobody else screens whoever waits for a changed list.
            application.screening.drain()
        if propose:
            console.print(f"{application.desk.propose(offer, actor=actor, ready_only=ready)}: proposed")
            return
        try:
            if closing:
                application.desk.freeze_proposed(offer, closing, actor=actor)
            else:
                closing = application.close_offer(offer, actor=actor, ready=ready)
        except GateClosed as refused:
            if console.told is not None:
                # A program is told every condition in the problem.
                raise
            marked("refused", f"{refused.rule}: nothing was frozen")
            show_refusal(refused)
            raise typer.Exit(1) from None
        if not mine:
            console.print(f"{closing}: frozen; the worker that runs carries it on")
            return
        with bars() as report:
            issued = application.run_closing(offer, closing, report)
        console.print(f"{closing}: {issued} issued and registered")
        console.print(f"escrow waits for two people: bookrunner release {offer} {closing} PAYEE --actor NAME")


@app.command()
def release(offer: Id, closing: Id, *, payee: Id, actor: Actor) -> None:
    """Propose or, as a second person, approve the release of a closing's escrow to the payee account."""
    digest = fingerprint(payee)
    with opened(read_settings()) as world:
        desk, currency = world.application.desk, require_offer(world.application, offer)["currency"]
        row = desk.engine.release_of_closing(offering=offer, closing=closing)
        if row is not None and row["status"] in {"sent", "settled"}:
            world.application.answer()
            console.print(
                f"{grouped(row['amount_minor'], currency)} was released before; {closing} is certified"
            )
            return
        if row is None or row["status"] != "proposed":
            amount = desk.treasury.propose_release(
                actor=actor, offering=offer, release=new_id("rel"), closing=closing, payee_fingerprint=digest
            )
            console.print(f"{grouped(amount, currency)} proposed; a second person runs the same command")
            return
        desk.treasury.approve_release(
            actor=actor,
            offering=offer,
            release=row["release_id"],
            payee_fingerprint=digest,
            amount_minor=row["amount_minor"],
        )
        world.application.answer()
        console.print(f"{grouped(row['amount_minor'], currency)} released; {closing} is certified")


@app.command()
def refunds(
    offer: Id,
    accounts: Annotated[Path, typer.Option(help="Lines of name,number,bank; the escrow account first.")],
    *,
    folder: Annotated[Path | None, typer.Option(help="Where the orders are written as files.")] = None,
    bank: Annotated[str | None, typer.Option(help="Address of a bank that takes orders.")] = None,
) -> None:
    """Hand the refunds of an offer that wait to a bank, or write their payment files into a folder."""
    to = _place(folder, bank)
    with opened(read_settings()) as world:
        require_offer(world.application, offer)
        sent = world.application.send_refunds(offer, accounts.read_text(encoding="utf-8"), to)
        console.print(f"{offer}: {sent} orders sent")


@app.command(name="return")
def return_payment(
    offer: Id,
    refund: Id,
    accounts: Annotated[Path, typer.Option(help="Lines of name,number,bank; the escrow account first.")],
    original: Annotated[Path, typer.Option(help="The payment and the reason, as JSON.")],
    *,
    folder: Annotated[Path | None, typer.Option(help="Where the order is written as a file.")] = None,
    bank: Annotated[str | None, typer.Option(help="Address of a bank that takes orders.")] = None,
) -> None:
    """Send one refund as the return of its payment: pacs.004 for a wire, NACHA for an ACH credit."""
    to = _place(folder, bank)
    with opened(read_settings()) as world:
        require_offer(world.application, offer)
        said = [path.read_text(encoding="utf-8") for path in (accounts, original)]
        sent = world.application.send_return((offer, refund), said[0], said[1], to)
        console.print(f"{offer}: {sent} orders sent")


def _place(folder: Path | None, bank: str | None) -> Path | str:
    to = folder if bank is None else bank
    if to is None or (folder is not None and bank is not None):
        raise typer.BadParameter("name a folder or a bank")
    return to


@app.command()
def reconcile(
    offer: Id,
    *,
    against: Annotated[Path | None, typer.Option(help="An export of another system, CSV.")] = None,
    mapping: Annotated[Path | None, typer.Option(help="Which of its columns is which, TOML.")] = None,
) -> None:
    """Compare the five books and the chain, and list every break; or another system against our books."""
    if (against is None) != (mapping is None):
        raise typer.BadParameter("an export is compared by its mapping")
    with opened(read_settings()) as world:
        require_offer(world.application, offer)
        if against is not None and mapping is not None:
            read = against.read_bytes(), mapping.read_bytes()
            if not _show_outside(world.application.comparing.against(offer, *read)):
                raise typer.Exit(1)
            return
        breaks = world.application.reconcile(offer, actor=OPERATOR)
        show_counts(world.application.desk.engine.five_counts(offering=offer))
        for one in breaks:
            values = f"({one['left_value']} against {one['right_value']})"
            told = f"{one['comparison']}: {one['subject_id']} {one['kind']} {values}, owner {one['owner']}"
            marked("break", f"{told}, {one['status']}, {one['severity']}", "yellow")
        console.print(f"{len(breaks)} open breaks")


def _show_outside(found: Outside) -> bool:
    for name in found.only_ours:
        marked("missing", f"{name}: in our books alone", "yellow")
    for name in found.only_theirs:
        marked("missing", f"{name}: in the export alone", "yellow")
    for name in found.repeated:
        marked("repeated", f"{name}: several records of our books", "yellow")
    for said in found.without_id:
        marked("without id", f"{said}: in our books without the id of the mapping", "yellow")
    for name, column, ours, theirs in found.different:
        marked("differs", f"{name}: {column} is {ours} in our books and {theirs} in the export", "yellow")
    console.print(f"{found.equal} equal, {len(found.only_ours)} in our books alone,", end=" ")
    console.print(f"{len(found.only_theirs)} in the export alone, {len(found.different)} values differ")
    return found.agrees


def require_offer(application: Application, offer: str) -> Row:
    """Return an offer; raises NotFound naming the offers that exist when it is none of them."""
    found: Row | None = application.desk.engine.offer(offering=offer)
    if found is None:
        known = ", ".join(row["offering_id"] for row in application.desk.engine.offers()) or "none yet"
        raise NotFound(f"there is no offer {offer}; known: {known}")
    return found


def show_dry_run(application: Application, offer: str) -> None:
    """Print who would close now and what each other one misses."""
    candidates = application.dry_run(offer)
    blocked = [c for c in candidates if c["missing"]]
    ready = len(candidates) - len(blocked)
    console.print(f"{ready} of {len(candidates)} would be issued; {len(blocked)} miss something")
    if blocked:
        show_missing([one for c in blocked for one in c["missing"]])


def show_refusal(refused: GateClosed) -> None:
    """Print each condition that a refused close waits for."""
    show_missing(
        [
            {
                "investment": m.investment_id,
                "condition": m.condition,
                "keeper": m.keeper,
                "since": m.since.isoformat(),
            }
            for m in refused.missing
        ]
    )
