"""Transfers of registered units: asked, papers, approved, refused, listed, and why one may not go."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from bookrunner.adapters.chain import checksum, parse_address
from bookrunner.app.settings import read_settings
from bookrunner.books import registry
from bookrunner.cli.offers import Id
from bookrunner.cli.screen import app, console, keep_facts, marked, one_name
from bookrunner.core import clock
from bookrunner.core.errors import NotFound, Refused
from bookrunner.core.ids import new_id
from bookrunner.core.money import grouped, parse
from bookrunner.db import Database, Row
from bookrunner.engine import Desk
from bookrunner.sandbox.world import database_of, opened

transfer = typer.Typer(no_args_is_help=True, help="Transfers of registered units.")
app.add_typer(transfer, name="transfer")

_MOST = 200
_Actor = Annotated[str, typer.Option(help="The person who acts.", callback=one_name)]
_Transfer = Annotated[str, typer.Argument(help="The id of the transfer.")]
_Units = Annotated[int, typer.Argument(min=1, max=2**63 - 1, help="How many units.")]
_Paper = Annotated[list[str] | None, typer.Option("--paper", help="PAPER=FILE; kept by its SHA-256.")]


@transfer.command()
def ask(  # noqa: PLR0913 - one option for each field of a request
    offer: Id,
    seller: Annotated[str, typer.Argument(help="Who gives.")],
    buyer: Annotated[str, typer.Argument(help="Who takes.")],
    units: _Units,
    *,
    actor: _Actor,
    kind: Annotated[str, typer.Option(help="sale, gift, inheritance, trust or own.")] = "sale",
    route: Annotated[str, typer.Option(help="agent, or holder who moves the units itself.")] = "agent",
    price: Annotated[str, typer.Option(help="The price of a sale.")] = "",
    currency: Annotated[str, typer.Option(help="The currency of the price.")] = "USD",
    source: Annotated[str, typer.Option("--from", help="A wallet of the giver; else the linked one.")] = "",
    to: Annotated[str, typer.Option(help="A wallet of the taker; else the linked one.")] = "",
    paper: _Paper = None,
) -> None:
    """Take a request of a holder with its papers; its clock runs from now."""
    said: dict[str, object] = {"kind": kind, "route": route, "seller": seller, "buyer": buyer, "units": units}
    for place, written in (("from", source), ("to", to)):
        if written:
            said[place] = parse_address(written).hex()
    if price:
        said |= {"price_minor": parse(price, currency).minor, "currency": currency}
    presented = _presented(paper or [])
    with opened(read_settings()) as world:
        desk = world.application.desk
        made = registry.request_transfer(desk.transfers, (offer, actor), said, presented)
        world.application.answer()
        _told(desk, offer, made)


@transfer.command()
def papers(offer: Id, asked: _Transfer, *, actor: _Actor, paper: _Paper = None) -> None:
    """Add papers to a request, or present a returned one again."""
    presented = _presented(paper or [])
    with opened(read_settings()) as world:
        desk = world.application.desk
        if _found(desk, offer, asked)["status"] == "returned":
            registry.present_again(desk.transfers, (offer, asked, actor), presented)
        else:
            desk.transfers.add_transfer_papers(actor=actor, offering=offer, transfer=asked, papers=presented)
        world.application.answer()
        _told(desk, offer, asked)


@transfer.command()
def approve(
    offer: Id,
    asked: _Transfer,
    *,
    actor: _Actor,
    days: Annotated[int, typer.Option(min=1, max=90, help="For how many days it serves.")] = 10,
) -> None:
    """Approve a screened request as another person than who asked, and carry it to the register."""
    with opened(read_settings()) as world:
        desk = world.application.desk
        _found(desk, offer, asked)
        until = clock.now() + timedelta(days=days)
        desk.transfers.approve_transfer(actor=actor, offering=offer, transfer=asked, until=until)
        world.application.transfers.carry(offer)
        _told(desk, offer, asked)


@transfer.command()
def refuse(
    offer: Id,
    asked: _Transfer,
    *,
    actor: _Actor,
    outcome: Annotated[str, typer.Option("--as", help="returned, rejected or withdrawn.")] = "returned",
    because: Annotated[list[str] | None, typer.Option("--because", help="Why; may come again.")] = None,
) -> None:
    """Send a request back with what it lacks, reject it, or withdraw it for its holder."""
    with opened(read_settings()) as world:
        desk = world.application.desk
        _found(desk, offer, asked)
        ending = {"status": outcome, "reasons": because or []}
        desk.transfers.end_transfer(actor=actor, offering=offer, transfer=asked, **ending)
        _told(desk, offer, asked)


@transfer.command()
def rescind(
    offer: Id,
    asked: _Transfer,
    paper: Annotated[Path, typer.Argument(help="The paper that says so, kept as its SHA-256.")],
    *,
    reference: Annotated[str, typer.Option(help="Who wrote the paper, and when.")],
    because: Annotated[str, typer.Option(help="Why.")],
    actor: _Actor,
) -> None:
    """Ask for a registered transfer to be taken back, by an order that another person approves."""
    said = {"transfer": asked, "because": because, "order_reference": reference}
    said["order_sha256"] = _digest_of(paper).hex()
    action, rescission = new_id("cta"), new_id("rsn")
    with opened(read_settings()) as world:
        desk = world.application.desk
        _found(desk, offer, asked)
        on = {"offering": offer, "rescission": rescission, "action": action}
        desk.transfers.ask_rescission(actor=actor, **on, asked=said)
    keep_facts(rescission=rescission, action=action)
    console.print(f"{rescission} waits for a second person: bookrunner control approve {offer} {action}")


@transfer.command()
def repaid(
    offer: Id,
    rescission: Annotated[str, typer.Argument(help="The id of the rescission.")],
    proof: Annotated[Path, typer.Argument(help="What proves it, kept as its SHA-256.")],
    *,
    actor: _Actor,
) -> None:
    """Record that the price of a transfer that was taken back was paid back."""
    with opened(read_settings()) as world:
        world.application.desk.transfers.record_repayment(
            actor=actor, offering=offer, rescission=rescission, sha256=_digest_of(proof)
        )
    console.print(f"{rescission}: repaid")


@transfer.command()
def swap(
    offer: Id,
    asked: _Transfer,
    contract: Annotated[str, typer.Argument(help="A DVDTransferManager of the token suite.")],
    *,
    number: Annotated[
        int | None, typer.Option(min=0, help="Its txNonce when the seller's offer was mined.")
    ] = None,
) -> None:
    """Show the calls that seller and buyer of an approved sale against a coin sign; nothing is sent."""
    manager = parse_address(contract)
    with database_of(read_settings()) as endpoint:
        database = Database(endpoint, max_size=1)
        try:
            legs = registry.legs_of(registry.market_of(database), (offer, asked))
        finally:
            database.close()
    prepared = registry.swap_over(legs, manager)
    table = Table("Signer", "Wallet", "To", "Data", title=f"Chain {legs['chain_id']}")
    for signer, wallet, calls in (
        ("seller", prepared.maker, prepared.offered()),
        ("buyer", prepared.taker, prepared.taken(number)),
    ):
        for call in calls:
            table.add_row(signer, checksum(wallet), checksum(call.to), "0x" + call.data.hex())
    console.print(table)


@transfer.command("list")
def list_transfers(
    offer: Id, *, holder: Annotated[str | None, typer.Option(help="Only those of this holder.")] = None
) -> None:
    """List the transfers of an offer, those that wait first."""
    with opened(read_settings()) as world:
        rows = world.application.desk.transfers.transfers(offering=offer, investor=holder, most=_MOST)
        backs = world.application.desk.transfers.rescissions(offering=offer, most=_MOST)
    table = Table("Transfer", "Kind", "From", "To", "Units", "State", "Missing", "Due")
    for row in rows:
        parties = (row["kind"], row["seller_id"], row["buyer_id"], str(row["units"]))
        table.add_row(
            row["request_id"], *parties, row["status"], " ".join(row["missing"]), str(row["due_on"])
        )
    console.print(table)
    for back in backs:
        owed = "" if back["price_minor"] is None else grouped(back["price_minor"], back["currency"])
        owes = (
            f"; {back['owed_by']} owes {back['owed_to']} {owed}" if owed and back["status"] == "done" else ""
        )
        console.print(f"{back['rescission_id']} takes {back['request_id']} back: {back['status']}{owes}")


@transfer.command()
def why(
    offer: Id,
    seller: Annotated[str, typer.Argument(help="Who would give.")],
    buyer: Annotated[str, typer.Argument(help="Who would take.")],
    units: _Units,
) -> None:
    """Say whether units may go now, and else every rule that keeps them, in order; status 1 then."""
    with opened(read_settings()) as world:
        failing = registry.refusals(world.application.desk.transfers, offer, (seller, buyer), units)
    for row in failing:
        passes = "" if row["passes_on"] is None else f" (passes on {row['passes_on']})"
        marked("refused", f"{row['rule']}: {row['detail']}{passes}")
    if failing:
        raise typer.Exit(1)
    console.print(f"{units} units of {seller} may go to {buyer} now")


def _presented(given: Sequence[str]) -> list[dict[str, str]]:
    found = []
    for pair in given:
        name, _, file = pair.partition("=")
        if not (name and file):
            raise Refused("paper_is_named_with_its_file", "write each as PAPER=FILE")
        found.append({"paper": name, "sha256": _digest_of(Path(file)).hex()})
    return found


def _digest_of(file: Path) -> bytes:
    try:
        return hashlib.sha256(file.read_bytes()).digest()
    except OSError:
        raise NotFound(f"there is no file {file}") from None


def _found(desk: Desk, offer: str, asked: str) -> Row:
    found: Row | None = desk.transfers.transfer(offering=offer, transfer=asked)
    if found is None:
        raise NotFound(f"there is no transfer {asked} in {offer}")
    return found


def _told(desk: Desk, offer: str, asked: str) -> None:
    found = _found(desk, offer, asked)
    missing = f"; missing: {', '.join(found['missing'])}" if found["missing"] else ""
    console.print(f"{asked}: {found['status']}{missing}")
