"""Control actions: freezes, thaws, forced transfers, recoveries and pauses, by two people."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from bookrunner.adapters.chain import broken_rules, contracts_of
from bookrunner.app.settings import read_settings
from bookrunner.books import registry
from bookrunner.cli.offers import Id
from bookrunner.cli.screen import app, console, one_name
from bookrunner.core.errors import NotFound
from bookrunner.core.ids import new_id
from bookrunner.sandbox.world import opened

control = typer.Typer(no_args_is_help=True, help="Freeze, thaw, force, recover, pause and resume.")
app.add_typer(control, name="control")

_Actor = Annotated[str, typer.Option(help="The person who acts.", callback=one_name)]
_Action = Annotated[str, typer.Argument(help="The id of the action.")]
_Because = Annotated[str, typer.Option(help="Why.")]


@control.command()
def propose(  # noqa: PLR0913 - one option for each field of an order
    offer: Id,
    kind: Annotated[
        str,
        typer.Argument(
            help="freeze_account, thaw_account, freeze_units, thaw_units, force_transfer,"
            " recover_wallet, freeze_unknown, thaw_unknown, pause or resume."
        ),
    ],
    *,
    actor: _Actor,
    because: _Because,
    holder: Annotated[str | None, typer.Option(help="The holder, of all but a pause.")] = None,
    units: Annotated[int | None, typer.Option(help="How many units.")] = None,
    receiver: Annotated[str | None, typer.Option(help="Who receives a forced transfer.")] = None,
    wallet: Annotated[str | None, typer.Option(help="The new wallet's mapping, of a recovery.")] = None,
    observed: Annotated[
        str | None, typer.Option("--break", help="The break that shows a wallet nobody registered.")
    ] = None,
    order: Annotated[Path | None, typer.Option(help="The order's document, kept as its SHA-256.")] = None,
    reference: Annotated[str | None, typer.Option(help="Court, file and date of the order.")] = None,
) -> None:
    """Ask for a control action; a second person approves it."""
    given = {
        "kind": kind,
        "because": because,
        "investor": holder,
        "units": units,
        "receiver": receiver,
        "mapping": wallet,
        "observed": observed,
        "order_sha256": None if order is None else _digest_of(order),
        "order_reference": reference,
    }
    action = new_id("cta")
    with opened(read_settings()) as world:
        asked = {name: value for name, value in given.items() if value is not None}
        world.application.desk.registry.ask_control(actor=actor, offering=offer, action=action, asked=asked)
    console.print(f"{action} waits for a second person")


@control.command()
def approve(offer: Id, action: _Action, *, actor: _Actor, because: _Because = "") -> None:
    """Approve a control action as a second person, and carry it out on chain and in the register."""
    with opened(read_settings()) as world:
        keeper = world.application.desk.registry
        keeper.decide_control(actor=actor, offering=offer, action=action, is_approved=True, because=because)
        world.application.controls.carry(offer)
        console.print(f"{action}: {keeper.control_plan(offering=offer, action=action)['status']}")


@control.command()
def decline(offer: Id, action: _Action, *, actor: _Actor, because: _Because) -> None:
    """Decline a control action, with the reason."""
    with opened(read_settings()) as world:
        world.application.desk.registry.decide_control(
            actor=actor, offering=offer, action=action, is_approved=False, because=because
        )
    console.print(f"{action}: declined")


@control.command()
def retry(offer: Id, action: _Action) -> None:
    """Sign anew what the chain refused of a control action, as it stands now."""
    with opened(read_settings()) as world:
        world.application.controls.retry(offer, action)
        found = world.application.desk.registry.control_plan(offering=offer, action=action)
    console.print(f"{action}: {found['status']}")


@control.command("list")
def list_actions(offer: Id) -> None:
    """List the control actions of an offer, newest first, with where they stand on chain."""
    with opened(read_settings()) as world:
        rows = world.application.desk.registry.control_actions(offering=offer)
    table = Table("Action", "Kind", "Holder", "Units", "State", "Chain", "Asked by", "Decided by")
    for row in rows:
        chain = f"{row['final_calls']} of {row['calls']} final" if row["calls"] else "none yet"
        who = (row["investor_id"] or "all", str(row["units"] or ""), row["status"], chain)
        table.add_row(row["action_id"], row["kind"], *who, row["asked_by"], row["decided_by"] or "")
    console.print(table)


@control.command()
def check(
    offer: Id,
    seller: Annotated[str, typer.Argument(help="The holder that would give.")],
    buyer: Annotated[str, typer.Argument(help="The holder that would take.")],
    units: Annotated[int, typer.Argument(help="How many units.", min=1)],
) -> None:
    """Say which rules of the register and of the token keep units from moving now."""
    with opened(read_settings()) as world:
        desk, chain = world.application.desk, world.application.chain
        token = desk.offer(offer)["token_address"]
        broken = registry.refusals(desk.transfers, offer, (seller, buyer), units)
        for row in broken:
            console.print(f"register: {row['rule']} {row['detail']}".rstrip())
        giver, taker = (desk.registry.linked_address(offering=offer, investor=one) for one in (seller, buyer))
        if token is None or giver is None or taker is None:
            console.print("chain: not asked, for want of a token or a wallet")
            return
        (rules,) = broken_rules(chain, contracts_of(chain, bytes(token)), [(giver, taker, units)])
    for rule in rules:
        console.print(f"chain: {rule}")
    if not broken and not rules:
        console.print("the units may move")


def _digest_of(document: Path) -> str:
    try:
        return hashlib.sha256(document.read_bytes()).hexdigest()
    except OSError:
        raise NotFound(f"there is no file {document}") from None
