"""The raise at any size, with faults."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from bookrunner.cli.screen import app, bars, console, marked
from bookrunner.sandbox.simulation import SimulationReport
from bookrunner.sandbox.simulation import simulate as play


@app.command()
def simulate(
    investors: Annotated[int, typer.Option(min=6, help="How many investors.")] = 310,
    seed: Annotated[int, typer.Option(help="The same seed tells the same story.")] = 1,
) -> None:
    """Play a whole raise on a world of its own with faults that the seed chooses, and say what was found.

    Ends with 1 when the books did not name an injected fault, or named one that nobody injected.
    """
    folder = Path(tempfile.mkdtemp(prefix="bkr-sim-"))
    folder.chmod(0o711)
    with bars() as report:
        result = play(folder, investors, seed, report, faulty=True)
    console.print(
        f"{result.investors} investors: the full close was refused for {result.refused} missing conditions,"
        f" {result.first_issued} were issued in {result.close_seconds:.1f} s, {result.issued} after repair,"
        f" {result.breaks} breaks left; set-up took {result.setup_seconds:.1f} s,"
        f" {result.peak_mib} MiB at most. State: {folder}"
    )
    _show(result)
    if result.missed or result.unexpected:
        raise typer.Exit(1)


def _show(result: SimulationReport) -> None:
    table = Table("injected", "must be found", "found", title=f"{len(result.expected)} faults")
    for name, findings in result.expected.items():
        wanted = "\n".join(f"{each.source}: {each.name}" for each in sorted(findings))
        table.add_row(name, wanted or "turned away", "no" if findings & result.missed else "yes")
    console.print(table)
    for title, findings in (("not found", result.missed), ("nobody injected", result.unexpected)):
        for each in sorted(findings):
            marked(title, f"{each.source}: {each.name} {each.subject}")
