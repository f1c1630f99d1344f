"""The state of an installation, in plain words."""

from __future__ import annotations

import typer

from bookrunner.app.settings import diagnose_capital, diagnose_chain, diagnose_database, read_settings
from bookrunner.cli.screen import app, console, marked
from bookrunner.core.errors import ConfigurationError
from bookrunner.sandbox import toolchain


@app.command()
def doctor() -> None:
    """Say what is wrong with the set-up, if anything is, and what is closed because it is not set."""
    settings = read_settings()
    wrong, closed = diagnose_capital(settings)
    findings = [*diagnose_database(settings), *diagnose_chain(settings), *wrong]
    try:
        toolchain.ensure()
    except ConfigurationError as missing:
        findings.append(str(missing))
    for finding in findings:
        marked("•", finding, "yellow")
    if findings:
        raise typer.Exit(1)
    console.print("nothing is wrong with this set-up")
    for sentence in closed:
        marked("closed", sentence, "yellow")
