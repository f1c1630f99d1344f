"""The raise at any size, with faults."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from bookrunner.cli.screen import app, bars, console, marked
from bookrunner.sandbox.raises.play import InvariantBroken, RaiseReport, on_paper, play_raises
from bookrunner.sandbox.simulation import SimulationReport
from bookrunner.sandbox.simulation import simulate as play


@app.command()
def simulate(
    investors: Annotated[int, typer.Option(min=6, help="How many investors.")] = 310,
    seed: Annotated[int, typer.Option(help="The same seed tells the same story.")] = 1,
    raises: Annotated[int, typer.Option(min=0, help="Play so many small raises on paper instead.")] = 0,
) -> None:
    """Play a whole raise on a world of its own with faults that the seed chooses, and say what was found.

    Ends with 1 when the books did not name an injected fault, or named one that nobody injected. With
    --raises, when an invariant breaks in one of many small raises; the seed that is named plays it again.
    """
    folder = Path(tempfile.mkdtemp(prefix="bkr-sim-"))
    folder.chmod(0o711)
    if raises:
        _many(folder, raises, seed)
        return
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


def _many(folder: Path, raises: int, seed: int) -> None:
    with on_paper(folder) as application:
        try:
            play_raises(application, raises, seed, _tell)
        except InvariantBroken as broken:
            marked("an invariant is broken", str(broken))
            console.print("bookrunner simulate --raises 1 --seed and the seed above plays it again")
            raise typer.Exit(1) from None


def _tell(report: RaiseReport) -> None:
    struck = ", ".join(f"{name} {count}" for name, count in sorted(report.struck.items()))
    console.print(
        f"seed {report.seed}: {report.end} after {report.steps} steps, {report.issued} issued,"
        f" {report.killed} workers killed; {struck}"
    )


def _show(result: SimulationReport) -> None:
    table = Table("injected", "must be found", "found", title=f"{len(result.expected)} faults")
    for name, findings in result.expected.items():
        wanted = "\n".join(f"{each.source}: {each.name}" for each in sorted(findings))
        table.add_row(name, wanted or "turned away", "no" if findings & result.missed else "yes")
    console.print(table)
    for title, findings in (("not found", result.missed), ("nobody injected", result.unexpected)):
        for each in sorted(findings):
            marked(title, f"{each.source}: {each.name} {each.subject}")
