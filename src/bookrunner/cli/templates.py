"""Templates of agreements: drafted by one person, approved by another."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from bookrunner.adapters.documents import engine_version, load_template
from bookrunner.app.settings import read_settings
from bookrunner.books.subscription import packets_of
from bookrunner.cli.offers import OPERATOR, Actor
from bookrunner.cli.screen import app, console
from bookrunner.db import Database
from bookrunner.sandbox.world import database_of


@app.command()
def template(
    act: Annotated[Literal["draft", "approve", "retire"], typer.Argument(help="What happens to it.")],
    name: Annotated[str, typer.Argument(help="Name and version, such as subscription_packet/1.1.0.")],
    *,
    actor: Actor = OPERATOR,
) -> None:
    """Record a template version by its files, approve it as another person, or retire it."""
    title, _, version = name.partition("/")
    with database_of(read_settings()) as endpoint:
        database = Database(endpoint, max_size=1)
        try:
            packets = packets_of(database)
            if act == "retire":
                packets.retire_template(actor=actor, template=name)
            else:
                files = bytes.fromhex(load_template(title, version).sha256)
                if act == "draft":
                    packets.draft_template(actor=actor, template=name, sha256=files, engine=engine_version())
                else:
                    packets.approve_template(actor=actor, template=name, sha256=files)
            console.print(f"{name} is {packets.template(template=name)['status']}")
        finally:
            database.close()
