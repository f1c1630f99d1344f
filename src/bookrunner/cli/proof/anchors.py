"""Anchors: the root of the newest seal on the chain."""

from __future__ import annotations

import typer
from rich.table import Table

from bookrunner.app.anchors import MARK
from bookrunner.app.settings import read_settings
from bookrunner.cli.proof.records import told
from bookrunner.cli.screen import app, console, keep_facts, marked
from bookrunner.core.errors import ConfigurationError, Refused, UnknownRecord
from bookrunner.db import Database, Keeper, Row
from bookrunner.sandbox.world import database_of, opened

_EMBEDDED = "on the embedded chain, which proves nothing to a stranger"


@app.command()
def anchor() -> None:
    """Write the root of the newest seal to the chain, and wait until its block is final."""
    settings = read_settings()
    with opened(settings) as world:
        if world.application.anchors is None:
            raise ConfigurationError("anchors are signed by the key of the embedded chain alone")
        made = world.application.anchors.anchor()
    if made is None:
        console.print("the newest seal is anchored already")
        return
    keep_facts(seal=made.seal_no, transaction="0x" + made.transaction_hash.hex())
    marked("anchored", f"seal {made.seal_no} in 0x{made.transaction_hash.hex()}, {_EMBEDDED}", "green")


@app.command()
def anchors() -> None:
    """List the seals that a chain holds, with the data of each transaction."""
    table = Table("seal", "chain", "block", "anchored", "transaction", "data", title="Anchors")
    for row in _rows():
        table.add_row(
            str(row["seal_no"]),
            str(row["chain_id"]),
            str(row["block_number"]),
            told(row["anchored_at"]),
            "0x" + bytes(row["transaction_hash"]).hex(),
            "0x" + (MARK + bytes(row["root"])).hex(),
        )
    console.print(table)


def show_anchor(event: str) -> None:
    """Say which anchor covers ``SUBJECT@VERSION``, or ``SCOPE/SUBJECT@VERSION`` where several scopes have it.

    Raises UnknownRecord ``event_is_in_the_feed`` and Refused ``event_is_named_with_its_scope``.
    """
    record, _, version = event.rpartition("@")
    scope, _, subject = record.rpartition("/")
    if not subject or not version.isdecimal():
        raise typer.BadParameter("write SUBJECT@VERSION", param_hint="--event")
    with database_of(read_settings()) as endpoint:
        database = Database(endpoint)
        try:
            keeper = Keeper(database, "audit", "bookrunner.audit.record")
            rows: list[Row] = list(
                keeper.anchor_of(subject=subject, version=int(version), scope=scope or None)
            )
        finally:
            database.close()
    if not rows:
        raise UnknownRecord("event_is_in_the_feed", f"there is no {event} in the feed")
    if len(rows) > 1:
        scopes = ", ".join(row["scope"] for row in rows)
        raise Refused("event_is_named_with_its_scope", f"{event} is in {scopes}; write SCOPE/{event}")
    (found,) = rows
    keep_facts(event=event, seal=found["seal_no"], anchored_by=found["anchored_by"])
    if found["seal_no"] is None:
        console.print(f"{event}: not yet sealed")
    elif found["anchored_by"] is None:
        console.print(f"{event}: in seal {found['seal_no']}, not yet anchored")
    else:
        where = f"chain {found['chain_id']}, transaction 0x{bytes(found['transaction_hash']).hex()}"
        console.print(
            f"{event}: in seal {found['seal_no']}, anchored with seal {found['anchored_by']}, {where}"
        )


def _rows() -> list[Row]:
    with database_of(read_settings()) as endpoint:
        database = Database(endpoint)
        try:
            return list(Keeper(database, "audit", "bookrunner.audit.record").anchors())
        finally:
            database.close()
