"""The parts that other people have in an offer of the sandbox, played from the command line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from bookrunner.app.settings import read_settings
from bookrunner.cli.offers import Id
from bookrunner.cli.screen import app, console
from bookrunner.core.errors import ConfigurationError
from bookrunner.sandbox.entering import offers
from bookrunner.sandbox.world import World, opened

parts = typer.Typer(no_args_is_help=True, help="Play other people's parts in an offer of the sandbox.")
app.add_typer(parts, name="sandbox")


@parts.command()
def equip(offer: Id) -> None:
    """Give an accepted offer its control book, token, packet, items and escrow account."""
    with _sandbox() as world:
        application = world.application
        units = application.desk.offer(offer)["units_total"]
        offers.equip(
            application, offer, lambda: application.deploy_token(world.tools.artifacts, offer, units)
        )
    console.print(f"{offer} can be published")


@parts.command()
def link(offer: Id) -> None:
    """Approve the screened wallets of an offer as its issuer, and link them as its transfer agent."""
    with _sandbox() as world:
        linked = offers.link_wallets(world.application, offer)
    console.print(f"{linked} linked")


@parts.command()
def pay(offer: Id) -> None:
    """Let every investor who was told where to pay send its money, and clear it."""
    with _sandbox() as world:
        paid = offers.pay(world.application, offer)
    console.print(f"{paid} paid")


@contextmanager
def _sandbox() -> Iterator[World]:
    """Lend the installation; raises ConfigurationError for one that is not the sandbox's own."""
    settings = read_settings()
    if not settings.is_sandbox:
        raise ConfigurationError("parts are played in the sandbox alone: its own database and its own chain")
    with opened(settings) as world:
        yield world
