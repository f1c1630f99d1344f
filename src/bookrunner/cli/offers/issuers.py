"""Issuers: how each shows itself, and its counterparties."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bookrunner.app.settings import read_settings
from bookrunner.cli.offers import OPERATOR, Actor, Id
from bookrunner.cli.screen import app, console
from bookrunner.sandbox.world import opened

Name = Annotated[str, typer.Option(help="As it is written on its pages.")]


@app.command()
def issuer(
    name: Id,
    *,
    called: Name,
    colour: Annotated[str, typer.Option(help="As #rrggbb; white text must be readable on it.")],
    escrow_bank: Annotated[str, typer.Option(help="Who keeps the money of investors.")],
    transfer_agent: Annotated[str, typer.Option(help="Who keeps the register.")],
    administrator: Annotated[str, typer.Option(help="Who administers the funds.")],
    logo: Annotated[Path | None, typer.Option(help="A PNG of at most 64 KiB.", exists=True)] = None,
    actor: Actor = OPERATOR,
) -> None:
    """Name an issuer, or change how it shows itself and who its counterparties are."""
    profile = {
        "name": called,
        "colour": colour,
        "escrow_bank": escrow_bank,
        "transfer_agent": transfer_agent,
        "administrator": administrator,
    }
    with opened(read_settings()) as world:
        world.application.desk.life.name_issuer(
            actor=actor, issuer=name, profile=profile, logo=None if logo is None else logo.read_bytes()
        )
    console.print(f"{name} is on record; its key: bookrunner key NAME issuer --issuer {name}")
