"""The sandbox bank as a command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bookrunner.cli.screen import app, console
from bookrunner.core import clock
from bookrunner.sandbox.bank.book import Account
from bookrunner.sandbox.bank.server import CONFIGURATION, configure, serve


@app.command()
def bank(
    folder: Annotated[Path, typer.Argument(help="Where the bank keeps its book and writes its address.")],
    *,
    number: Annotated[str, typer.Option(help="The account that it keeps.")] = "ESCROW1",
    seed: Annotated[int, typer.Option(help="Decides delays, duplicates and returns.")] = 1,
    receiver: Annotated[str, typer.Option(help="Where signed notices go.")] = "",
    key: Annotated[Path | None, typer.Option(help="File with the secret that signs them.")] = None,
) -> None:
    """Run the sandbox bank on a free port of loopback until stopped; its folder keeps what it knows."""
    if not (folder / CONFIGURATION).exists():
        secret = "" if key is None else key.read_text(encoding="ascii").strip()
        configure(folder, Account(number, "USD", seed, clock.today()), receiver, secret)
    console.print(f"the bank writes its address to {folder / 'address'}")
    serve(folder)
