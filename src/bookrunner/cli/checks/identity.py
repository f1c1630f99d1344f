"""Identity providers: ask again for what one knows of an investor."""

from __future__ import annotations

from typing import Annotated

import typer

from bookrunner.app.settings import inquiry_providers, read_settings
from bookrunner.cli.offers import Actor, Id
from bookrunner.cli.screen import app, console, one_name
from bookrunner.core.errors import UnknownRecord
from bookrunner.db import Database
from bookrunner.engine import Desk
from bookrunner.engine.intake import ask_identity
from bookrunner.sandbox.world import database_of

OFFICER = "officer.cli"

identity = typer.Typer(no_args_is_help=True, help="Identity providers, asked beside the messages they post.")
app.add_typer(identity, name="identity")


@identity.command()
def ask(
    investor: Id,
    *,
    provider: Annotated[str, typer.Option(help="The provider that is asked.", callback=one_name)],
    actor: Actor = OFFICER,
) -> None:
    """Ask a provider for the state of an investor's verification, and record it like a posted message."""
    settings = read_settings()
    known = inquiry_providers(settings)
    if provider not in known:
        raise UnknownRecord("identity_provider_is_known", "no such provider is set up to be asked")
    with database_of(settings) as endpoint:
        database = Database(endpoint)
        try:
            is_new = ask_identity(Desk(database), *known[provider], investor, actor=actor)
        finally:
            database.close()
    told = "its answer is recorded" if is_new else "it says nothing new"
    console.print(f"{provider} was asked about {investor}: {told}")
