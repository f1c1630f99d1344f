"""Proof: export the history, verify it with or without a database."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bookrunner.app.anchors import MARK, root_of
from bookrunner.app.settings import read_settings
from bookrunner.audit import (
    Verdict,
    advance_feed,
    export_history,
    seal,
    verify_certificate,
    verify_export,
    verify_history,
    write_verifier,
)
from bookrunner.cli.proof import anchors
from bookrunner.cli.screen import app, console, keep_facts, marked
from bookrunner.sandbox.world import opened

ROOT_BYTES = 32


@app.command()
def export(
    target: Path,
    *,
    verifier: Annotated[
        bool, typer.Option("--verifier", help="Write beside it the verifier that needs nothing but Python.")
    ] = False,
) -> None:
    """Seal what has happened and write the whole history to a file that anybody can verify offline."""
    with opened(read_settings()) as world:
        advance_feed(world.application.database)
        seal(world.application.database)
        summary = export_history(world.application.database, target)
    holds = f"{summary.events} events, {summary.seals} seals, {summary.size_bytes:,} bytes"
    keep_facts(path=str(summary.path), sha256=summary.sha256, events=summary.events, seals=summary.seals)
    marked("written", f"{summary.path}: {holds}, sha256 {summary.sha256}", "green")
    if verifier:
        marked("written", f"{write_verifier(summary.path.parent)}", "green")


@app.command()
def verify(
    export: Annotated[Path | None, typer.Argument(help="An exported file; without it, the database.")] = None,
    certificate: Annotated[
        Path | None, typer.Option(help="The certificate of a closing; with an export, against its history.")
    ] = None,
    root: Annotated[
        str | None,
        typer.Option(
            help="A root that was published, or the data of an anchor: a seal of the export has it."
        ),
    ] = None,
    event: Annotated[
        str | None,
        typer.Option(help="[SCOPE/]SUBJECT@VERSION; says the anchor of this event, or that it has none yet."),
    ] = None,
) -> None:
    """Verify an exported history or a certificate offline, or the whole history in the database."""
    if event is not None:
        if export is not None or certificate is not None:
            raise typer.BadParameter(
                "the anchor of an event is looked for in the database", param_hint="--event"
            )
        anchors.show_anchor(event)
        return
    if root is not None and export is None:
        raise typer.BadParameter("a root is looked for in an export", param_hint="--root")
    if certificate is not None:
        faults = verify_certificate(certificate, export)
        for each in faults:
            marked("fault", each)
        console.print(f"{certificate.name}: {len(faults)} faults")
        if faults:
            raise typer.Exit(1)
        if export is None:
            return
    if export is not None:
        _judge(verify_export(export, None if root is None else _root(root)))
        return
    with opened(read_settings()) as world:
        _judge(verify_history(world.application.database))


def _root(digits: str) -> bytes:
    """Return the 32 bytes of 64 hexadecimal digits, or those in the data of an anchor, with or without 0x."""
    try:
        root = bytes.fromhex(digits.removeprefix("0x"))
    except ValueError:
        root = b""
    if root.startswith(MARK) and len(root) > ROOT_BYTES:
        root = root_of(root)
    if len(root) != ROOT_BYTES:
        raise typer.BadParameter("a root is 64 hexadecimal digits", param_hint="--root")
    return root


def _judge(verdict: Verdict) -> None:
    for fault in verdict.faults[:20]:
        marked("fault", " ".join(filter(None, (fault.rule, fault.event))) + f": {fault.detail}")
    found = [{"rule": one.rule, "event": one.event, "detail": one.detail} for one in verdict.faults]
    keep_facts(events=verdict.events, seals=verdict.seals, faults=found)
    console.print(f"{verdict.events} events, {verdict.seals} seals, {len(verdict.faults)} faults")
    if not verdict.ok:
        raise typer.Exit(1)
