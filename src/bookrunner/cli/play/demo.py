"""The demo: the seeded raise from its first profile to its certificate, then the pages to look at."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from bookrunner.adapters.webhooks import Sender
from bookrunner.app.settings import Settings, hooks_on_loopback, read_settings
from bookrunner.app.tending import PUT_RIGHT
from bookrunner.app.tracing import tracing
from bookrunner.cli.offers import show_refusal
from bookrunner.cli.screen import app, bars, console, marked, show_counts
from bookrunner.core.credentials import ISSUER
from bookrunner.core.errors import ConfigurationError, GateClosed
from bookrunner.core.money import grouped
from bookrunner.sandbox.story import INVESTORS, Story
from bookrunner.sandbox.world import World, opened, worker_seat
from bookrunner.sandbox.world import wipe as remove_state

if TYPE_CHECKING:
    from bookrunner.app import Application
    from bookrunner.engine.process.workflow import Workflows

ACTOR = "operator.otto"
# Two of each, since some decisions take two people.
PEOPLE = {
    "compliance": ("officer.ana", "officer.ben"),
    "treasury": ("fund.flo", "fund.gus"),
    "registry": ("agent.theo", "agent.tess"),
    "subscription": ("desk.rosa", "issuer.ivan"),
}
ISSUING = {
    "name": "Harbor Street Capital",
    "colour": "#0b4f6c",
    "escrow_bank": "First Harbor Bank",
    "transfer_agent": "Theo Transfer Agency",
    "administrator": "Flo Fund Services",
}


@app.command()
def demo(
    *,
    wipe: Annotated[bool, typer.Option("--wipe", help="Remove the demo's data and stop.")] = False,
    investors: Annotated[int, typer.Option(min=6, help="How many investors.")] = INVESTORS,
    packets: Annotated[
        bool, typer.Option("--packets", help="Let the offer take signed PDF packets.")
    ] = False,
    leave: Annotated[bool, typer.Option("--exit", help="Stop after the story instead of serving.")] = False,
) -> None:
    """Play the raise of 310 investors over five books and show what the close refuses and what it does."""
    settings = read_settings()
    if wipe:
        removed = remove_state(settings)
        console.print(f"{settings.state_dir} is removed" if removed else f"{settings.state_dir} is not there")
        return
    from bookrunner.cli.site import serving
    from bookrunner.engine.process.workflow import Workflows

    began = time.monotonic()
    with (
        tracing(settings),
        listening(settings) as bound,
        opened(settings) as world,
        worker_seat(settings.state_dir) as mine,
    ):
        if not mine:
            raise ConfigurationError(f"another process works off the closings of {settings.state_dir}")
        story = Story(world.application, investors=investors, packets=packets)
        with serving(world.application, bound, settings.hosts):
            home = f"http://{settings.host}:{settings.port}"
            console.print(f"Pages up after {time.monotonic() - began:.1f} s:")
            console.print(f"  closing console   {home}/offers/{story.offering}")
            console.print(f"  investor's page   {home}/investments/{story.people[0].investment}")
            console.print(f"  compliance        {home}/compliance")
            console.print(f"  treasury          {home}/treasury")
            console.print(f"  registry          {home}/registry")
            console.print(f"  agreements        {home}/desk")
            console.print(f"  issuer            {home}/issuer")
            console.print(f"  mail, as sent     {home}/mailbox")
            workflows = Workflows(world.endpoint, world.application.run_closing)
            left_open = world.application.open_closings()
            workflows.start(left_open)
            try:
                if story.exists():
                    _go_on(world, story, workflows, left_open)
                else:
                    _tell(world, story, workflows)
                    _issue_keys(world, story)
                if not leave:
                    workflows.keep_trying(world.application.open_closings)
                    world.application.after("closings", PUT_RIGHT, workflows.try_now)
                    _stay(world.application, settings)
            finally:
                workflows.stop()


def _go_on(world: World, story: Story, workflows: Workflows, left_open: Sequence[tuple[str, str]]) -> None:
    """Say how far an earlier run came, and wait for the closings that it left."""
    if story.is_told():
        console.print("This raise was played before; its data is here again.")
    else:
        marked("interrupted", "an earlier run ended before the certificate; what it did is here", "yellow")
        console.print("To play the raise from its beginning, remove it first: bookrunner demo --wipe")
    for _, closing in left_open:
        console.print(f"Going on with {closing}: {workflows.wait(closing)} issued and registered")
    counts = world.application.desk.engine.five_counts(offering=story.offering)
    if counts is not None:
        show_counts(counts)
    console.print("Another key to sign in with: bookrunner key NAME KEEPER")


def _tell(world: World, story: Story, workflows: Workflows) -> None:
    application = world.application
    with bars() as report:
        story.play(
            lambda: application.deploy_token(world.tools.artifacts, story.offering, story.units), report
        )
    show_counts(application.desk.engine.five_counts(offering=story.offering))
    console.print(f"Closing all {len(story.people)}:")
    try:
        application.close_offer(story.offering, actor=ACTOR, ready=False)
    except GateClosed as refused:
        marked("refused", f"{refused.rule}; nothing was frozen")
        show_refusal(refused)
    began = time.monotonic()
    closing = application.close_offer(story.offering, actor=ACTOR, ready=True)
    issued = workflows.wait(closing)
    console.print(
        f"Closing those who are ready: {issued} issued and registered in {time.monotonic() - began:.1f} s"
    )
    amount = story.release(closing)
    released = grouped(amount, application.desk.offer(story.offering)["currency"])
    console.print(f"Two fund administrators released {released} from escrow.")
    certificate = application.desk.engine.certificate(offering=story.offering, closing=closing)
    console.print(f"Certificate of {closing}: sha256 {bytes(certificate['sha256']).hex()}")
    totals = application.totals(story.offering)
    console.print(
        f"Units: register {totals['registered_units']:,} · control book {totals['control_units']:,}"
        f" · chain {totals['chain_units']:,} · displayed {totals['displayed_units']:,}"
    )
    for one in application.reconcile(story.offering, actor=ACTOR):
        marked("break", f"{one['comparison']}: {one['kind']} {one['subject_id']}", "yellow")
    show_counts(application.desk.engine.five_counts(offering=story.offering))
    program = "bookrunner" if shutil.which("bookrunner") else sys.argv[0]
    console.print(f"Why is one of the four blocked?  {program} why {story.people[0].investment}")


def _issue_keys(world: World, story: Story) -> None:
    """Show the keys of officers, of fund administrators, and of the operator who closes."""
    from bookrunner import api

    console.print("Sign in to the consoles, or to close as the operator; each key is shown once:")
    for keeper, names in {**PEOPLE, "engine": (ACTOR,)}.items():
        for name in names:
            key = api.issue(world.endpoint, name, keeper, actor=ACTOR)
            console.print(f"  {name}  {key}", soft_wrap=True)
    desk = world.application.desk
    issuer = desk.offer(story.offering)["issuer_id"]
    desk.life.name_issuer(actor=ACTOR, issuer=issuer, profile=ISSUING, logo=None)
    key = api.issue(world.endpoint, "issuer.iris", ISSUER, actor=ACTOR, issuer=issuer)
    console.print(f"  issuer.iris  {key}", soft_wrap=True)


def listening(settings: Settings) -> socket.socket:
    """Take the pages' address before anything else starts; ConfigurationError when it cannot be had."""
    try:
        return socket.create_server((settings.host, settings.port))
    except OSError as fault:
        raise ConfigurationError(
            f"the pages cannot listen on {settings.host}:{settings.port}, {os.strerror(fault.errno or 0)};"
            " name another port with BOOKRUNNER_PORT"
        ) from None


def _stay(application: Application, settings: Settings) -> None:
    """Serve until stopped; meanwhile events are answered and sealed."""
    from bookrunner.api.hooks.courier import at_work

    console.print(f"Press Ctrl-C to stop; the data stays in {settings.state_dir} until --wipe.")
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    sender = Sender(loopback=hooks_on_loopback(settings))
    try:
        with at_work(application.database, sender, keep_days=settings.webhooks.keep_days):
            while not stopped.wait(0.2):
                application.tend()
    except KeyboardInterrupt:
        console.print("stopped")
