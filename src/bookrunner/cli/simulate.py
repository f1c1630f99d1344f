"""The raise at any size."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from bookrunner.cli.screen import app, bars, console
from bookrunner.sandbox.simulation import simulate as play


@app.command()
def simulate(
    investors: Annotated[int, typer.Option(min=6, help="How many investors.")] = 310,
    seed: Annotated[int, typer.Option(help="The same seed tells the same story.")] = 1,
) -> None:
    """Play a whole raise with its four investors in trouble on a world of its own, and report it."""
    folder = Path(tempfile.mkdtemp(prefix="bkr-sim-"))
    folder.chmod(0o711)
    with bars() as report:
        result = play(folder, investors, seed, report)
    console.print(
        f"{result.investors} investors: the full close was refused for {result.refused} missing conditions,"
        f" {result.first_issued} were issued in {result.close_seconds:.1f} s, {result.issued} after repair,"
        f" {result.breaks} breaks left; set-up took {result.setup_seconds:.1f} s. State: {folder}"
    )
