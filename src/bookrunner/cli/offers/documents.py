"""Documents of an offer, and who may read each."""

from __future__ import annotations

import mimetypes
from pathlib import Path
from typing import Annotated

import typer

from bookrunner.app.settings import read_settings
from bookrunner.cli.offers import Actor, Id, require_offer
from bookrunner.cli.screen import app, console
from bookrunner.core.ids import new_id
from bookrunner.sandbox.world import opened

Level = Annotated[str, typer.Option("--to", help="public, invited, committed or staff.")]


@app.command()
def document(
    offer: Id,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    *,
    title: Annotated[str, typer.Option(help="As readers see it.")],
    to: Level,
    actor: Actor,
) -> None:
    """Place a document of an offer where readers of one kind see it."""
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    with opened(read_settings()) as world:
        require_offer(world.application, offer)
        desk, name = world.application.desk.subscription, new_id("ofd")
        digest = desk.archive(actor=actor, content=file.read_bytes(), media_type=kind)
        desk.offer_document(
            actor=actor, offering=offer, document=name, sha256=digest, title=title, visibility=to
        )
    console.print(f"{name}: {title}, {to}")


@app.command()
def show(
    offer: Id,
    name: Annotated[str, typer.Argument(help="The id of the document.")],
    *,
    to: Annotated[
        str | None, typer.Option("--to", help="As above; left out, the document is withdrawn.")
    ] = None,
    actor: Actor,
) -> None:
    """Show a document of an offer to others than before, or withdraw it."""
    with opened(read_settings()) as world:
        world.application.desk.subscription.show_document_to(
            actor=actor, offering=offer, document=name, visibility=to
        )
    console.print(f"{name}: {to or 'withdrawn'}")


@app.command()
def invite(offer: Id, investor: Id, *, actor: Actor) -> None:
    """Let an investor read what invited ones may read of an offer."""
    with opened(read_settings()) as world:
        require_offer(world.application, offer)
        world.application.desk.subscription.invite(actor=actor, offering=offer, investor=investor)
    console.print(f"{investor} is invited to {offer}")
