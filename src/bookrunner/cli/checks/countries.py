"""Where the investors of an offer may live."""

from __future__ import annotations

from typing import Annotated

import typer

from bookrunner.app.settings import read_settings
from bookrunner.cli.offers import Id
from bookrunner.cli.screen import app, console, one_name
from bookrunner.core.countries import known_country
from bookrunner.core.errors import Refused
from bookrunner.db import Database
from bookrunner.engine import Desk
from bookrunner.sandbox.world import database_of


@app.command()
def countries(
    offer: Id,
    *,
    only: Annotated[str, typer.Option(help="The countries in which it is made, such as US,CA.")] = "",
    never: Annotated[str, typer.Option(help="The countries in which it is not made.")] = "",
    because: Annotated[str, typer.Option(help="Why.")],
    under: Annotated[str, typer.Option(help="The programme seen; screening status says it.")],
    actor: Annotated[str, typer.Option(help="The person who decides.", callback=one_name)],
) -> None:
    """Say in which countries an offer is made; the clearances of everybody else close at once."""
    if bool(only) == bool(never):
        raise Refused("country_rule_allows_or_restricts", "name the countries with --only or with --never")
    kind, written = ("allow", only) if only else ("restrict", never)
    named = [known_country(code.strip().upper()) for code in written.split(",")]
    with database_of(read_settings()) as endpoint:
        database = Database(endpoint)
        try:
            desk = Desk(database)
            desk.offer(offer)
            with desk.compliance.together() as within:
                within.decide_under(actor=actor, programme=under)
                within.set_country_rule(
                    actor=actor, offering=offer, kind=kind, countries=named, because=because
                )
        finally:
            database.close()
    console.print(f"{offer}: {'only' if only else 'never'} in {', '.join(named)}")
