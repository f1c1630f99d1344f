"""The register as open files, out of one installation and into another; work about holders out of reach."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from bookrunner.app.settings import read_settings
from bookrunner.books import registry
from bookrunner.cli.offers import OPERATOR, Actor, Id
from bookrunner.cli.screen import app, console, marked
from bookrunner.core import clock
from bookrunner.core.errors import NotFound, Refused
from bookrunner.sandbox.world import opened

register = typer.Typer(
    help="The register of an offer as open files, and work about its holders.", no_args_is_help=True
)
app.add_typer(register, name="register")

_MOST = 1000
_Day = typer.Option("--formed-on", formats=["%Y-%m-%d"], help="When the issuer was formed.")


@register.command()
def work(offering: Id) -> None:
    """List what the agent owes about holders whom mail or money does not reach, by the day it is due."""
    with opened(read_settings()) as world:
        holders = registry.holders_of(world.application.database)
        rows = list(holders.holder_work(offering=offering, most=_MOST))
    table = Table("work", "of", "holder", "from", "until", "source", title=f"{len(rows)} items")
    for row in rows:
        until = f"{row['due_on']}{' overdue' if row['is_overdue'] else ''}"
        source = row["source"] + (" (not confirmed)" if row["certainty"] == "unconfirmed" else "")
        what = row["work"].replace("_", " ")
        table.add_row(what, row["subject"], row["investor_id"], str(row["opens_on"]), until, source)
    console.print(table)


@register.command("export")
def export(
    offering: Id,
    to: Annotated[Path, typer.Argument(help="A file that ends in .zip (Open Cap Table Format) or .csv.")],
    *,
    issuer: Annotated[str, typer.Option("--issuer", help="The legal name of the issuer.")] = "",
    formed: Annotated[datetime | None, _Day] = None,
    country: Annotated[str, typer.Option("--country", help="Where the issuer was formed.")] = "US",
) -> None:
    """Write the register of an offer, as it stands now, to a file."""
    with opened(read_settings()) as world:
        keeper = world.application.desk.registry
        if to.suffix == ".csv":
            to.write_text(registry.export_csv(keeper, offering), encoding="utf-8")
        else:
            if not issuer or formed is None:
                raise Refused("package_names_its_issuer", "give --issuer and --formed-on")
            described = registry.Described(issuer, formed.date(), country)
            now = clock.now().astimezone(UTC)
            to.write_bytes(registry.export_package(keeper, offering, described, now))
    console.print(f"{offering} written to {to}")


@register.command("import")
def import_file(
    offering: Id,
    file: Annotated[Path, typer.Argument(help="A file that ends in .zip (Open Cap Table Format) or .csv.")],
    *,
    authority: Annotated[Path | None, typer.Option("--authority", help="The issuer's paper.")] = None,
    reference: Annotated[str, typer.Option("--reference", help="What the paper is called.")] = "",
    actor: Actor = OPERATOR,
) -> None:
    """Judge a file object by object; with an authority, propose what it would post."""
    raw = file.read_bytes()
    judged = registry.judge_csv(raw.decode()) if file.suffix == ".csv" else registry.judge_package(raw)
    with opened(read_settings()) as world:
        keeper = world.application.desk.registry
        judged = registry.judge_holders(keeper, offering, judged)
        for fault in judged.faults:
            marked("refused", f"{fault.place} {fault.object_id} {fault.rule}: {fault.detail}")
        console.print(f"{len(judged.lines)} securities, {judged.units} units, {len(judged.faults)} faults")
        if judged.faults:
            raise typer.Exit(1)
        if authority is None:
            console.print("dry run: nothing is written")
            return
        paper = {
            "file_sha256": hashlib.sha256(raw).hexdigest(),
            "authority_sha256": hashlib.sha256(authority.read_bytes()).hexdigest(),
            "reference": reference,
        }
        made = registry.propose_import(keeper, (offering, actor), judged, paper)
    console.print(f"{made} waits for a second person: bookrunner register decide {offering} {made}")


@register.command("decide")
def decide(
    offering: Id,
    proposed: Annotated[str, typer.Argument(help="The id of the import.")],
    *,
    decline: Annotated[str, typer.Option("--decline", help="Decline it, for this reason.")] = "",
    actor: Actor = OPERATOR,
) -> None:
    """Post a proposed import, or decline it; another person than its proposer does it."""
    with opened(read_settings()) as world:
        keeper = world.application.desk.registry
        keeper.decide_import(
            actor=actor, offering=offering, import_id=proposed, is_approved=not decline, because=decline
        )
    console.print(f"{proposed} {'declined' if decline else 'posted'}")


@register.command("verify")
def verify(
    offering: Id, file: Annotated[Path, typer.Argument(help="A statement of a holder, as PDF.")]
) -> None:
    """Say whether a file is a statement that was issued, and can be made again from its record."""
    try:
        content = file.read_bytes()
    except OSError:
        raise NotFound(f"there is no file {file}") from None
    with opened(read_settings()) as world:
        app_ = world.application
        found = registry.verify_statement(app_.desk.registry, app_.press, offering, content)
    told = f"{found['units']} units of {found['holding_id']} at the end of {found['as_of']}"
    console.print(f"{found['statement_id']}: {told}")
