"""Wallets whose key the platform holds, for investors who have none."""

from __future__ import annotations

from typing import Annotated

import typer

from bookrunner.app.custody import embed_wallet, export_wallet
from bookrunner.app.settings import SANDBOX_CHAIN, read_settings
from bookrunner.cli.offers import Id
from bookrunner.cli.screen import app, console
from bookrunner.sandbox.world import opened

wallet = typer.Typer(no_args_is_help=True, help="Wallets whose key the platform holds.")
app.add_typer(wallet, name="wallet")

_Investor = Annotated[str, typer.Argument(help="The investor.")]


@wallet.command()
def embed(
    offer: Id,
    investor: _Investor,
    *,
    domain: Annotated[str, typer.Option(help="The domain that the claim names.")] = "localhost",
) -> None:
    """Make a wallet for an investor who has none and claim it; the platform holds its key."""
    settings = read_settings()
    with opened(settings) as world:
        keys = (settings.state_dir.resolve() / "keys", settings.chain_id == SANDBOX_CHAIN)
        claim = embed_wallet(world.application, keys, (offer, investor), domain=domain)
        world.application.answer()
    console.print(f"{claim}: the platform holds the key of this wallet")


@wallet.command()
def export(investor: _Investor) -> None:
    """Refused: a key leaves only after the investor was proved again, which this installation cannot do."""
    export_wallet(investor)
