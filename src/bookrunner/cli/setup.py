"""The state of an installation, in plain words."""

from __future__ import annotations

import typer

from bookrunner.app import Settings
from bookrunner.cli.screen import app, console
from bookrunner.core.errors import ConfigurationError
from bookrunner.db import diagnose
from bookrunner.sandbox import toolchain


@app.command()
def doctor() -> None:
    """Say what is wrong with the set-up, if anything is."""
    settings = Settings()
    findings: list[str] = []
    if settings.database_url is None:
        findings += diagnose(settings.state_dir.resolve() / "database")
    try:
        toolchain.ensure()
    except ConfigurationError as missing:
        findings.append(str(missing))
    for finding in findings:
        console.print(f"[yellow]•[/yellow] {finding}")
    if findings:
        raise typer.Exit(1)
    console.print("nothing is wrong with this set-up")
