"""The kit to leave with, and an empty installation that is rebuilt from one."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from bookrunner.adapters.documents import Typesetter
from bookrunner.app.examination import compare_kit, open_kit, rebuild, take_kit
from bookrunner.app.settings import read_settings
from bookrunner.books import registry
from bookrunner.cli.offers import OPERATOR, Actor
from bookrunner.cli.screen import app, console, keep_facts, marked
from bookrunner.core.errors import NotFound
from bookrunner.db import Database
from bookrunner.sandbox.world import database_of

kit = typer.Typer(help="Everything in open formats, to leave with or to start from.", no_args_is_help=True)
app.add_typer(kit, name="kit")

_ISSUER = re.compile(r"([a-z0-9_]{1,64})=(\d{4}-\d\d-\d\d)/([A-Z]{2})/(.*\S.*)")
_SHOWN = 20

File = Annotated[Path, typer.Argument(help="A kit, as a file that ends in .zip.")]
Manifest = Annotated[
    str,
    typer.Option("--manifest", help="The SHA-256 of its manifest, as it was told when the kit was taken."),
]


@kit.command("take")
def take(
    out: Annotated[Path, typer.Argument(help="An empty folder, or a new file that ends in .zip.")],
    *,
    because: Annotated[str, typer.Option("--because", help="What it is taken for; on record.")],
    issuer: Annotated[
        list[str] | None,
        typer.Option(
            "--issuer", help="ID=DAY/COUNTRY/LEGAL NAME: when and where it was formed, and its name."
        ),
    ] = None,
    actor: Actor = OPERATOR,
) -> None:
    """Write everything that an installation has in open formats: history, registers, papers, people."""
    issuers = dict(_described(one) for one in issuer or ())
    with _database() as database:
        press = Typesetter()
        try:
            made = take_kit(database, press, (actor, because), out, issuers=issuers)
        finally:
            press.close()
    keep_facts(examination=made.examination, files=made.files, manifest_sha256=made.manifest_sha256)
    marked("written", f"{made.path}: {made.files} files, manifest sha256 {made.manifest_sha256}", "green")
    console.print("personal numbers are in it in clear: keep it as you keep them")


@kit.command("rebuild")
def rebuild_from(
    file: File,
    *,
    manifest: Manifest,
    authority: Annotated[Path, typer.Option("--authority", help="The issuer's paper.")],
    reference: Annotated[str, typer.Option("--reference", help="What the paper is called.")],
    actor: Actor = OPERATOR,
) -> None:
    """Judge a kit whole, then enter its people and offers here and propose its registers."""
    try:
        digest = hashlib.sha256(authority.read_bytes()).hexdigest()
    except OSError:
        raise NotFound(f"there is no file {authority}") from None
    with open_kit(file, manifest) as found, _database() as database:
        made = rebuild(database, found, actor, {"authority_sha256": digest, "reference": reference})
    keep_facts(imports=[{"offer": offer, "import": proposed} for offer, proposed in made])
    console.print(f"{len(found.people)} people, {len(found.offers)} offers")
    for offer, proposed in made:
        console.print(f"{proposed} waits for a second person: bookrunner register decide {offer} {proposed}")


@kit.command("compare")
def compare(file: File, *, manifest: Manifest, actor: Actor = OPERATOR) -> None:
    """Say in what people and registers here are not those of a kit; ends with 1 when anything differs."""
    with open_kit(file, manifest) as found, _database() as database:
        differing = compare_kit(database, found, actor)
    for one in differing[:_SHOWN]:
        marked("differs", f"{one.subject} {one.what}: {one.in_kit} in the kit, {one.here} here")
    keep_facts(differences=len(differing))
    console.print(f"{len(found.people)} people, {len(found.offers)} offers, {len(differing)} differences")
    if differing:
        raise typer.Exit(1)


@contextmanager
def _database() -> Iterator[Database]:
    with database_of(read_settings()) as endpoint:
        database = Database(endpoint)
        try:
            yield database
        finally:
            database.close()


def _described(said: str) -> tuple[str, registry.Described]:
    found = _ISSUER.fullmatch(said)
    try:
        parts: Sequence[str] = found.groups() if found else ()
        issuer, day, country, name = parts
        return issuer, registry.Described(name.strip(), date.fromisoformat(day), country)
    except ValueError:
        raise typer.BadParameter("write ID=YYYY-MM-DD/COUNTRY/LEGAL NAME", param_hint="--issuer") from None
