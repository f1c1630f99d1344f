"""The demo: the seeded raise from its first profile to its certificate, then the pages to look at."""

from __future__ import annotations

import shutil
import signal
import threading
import time
from typing import Annotated

import typer
import uvicorn

from bookrunner.app import Application, Settings
from bookrunner.audit import advance_feed, seal
from bookrunner.cli.offers import show_refusal
from bookrunner.cli.screen import app, bars, console, money, show_counts
from bookrunner.cli.site import site
from bookrunner.core.errors import GateClosed
from bookrunner.engine.workflow import Workflows
from bookrunner.sandbox.story import INVESTORS, Story
from bookrunner.sandbox.world import World, opened

ACTOR = "operator.otto"


@app.command()
def demo(
    *,
    wipe: Annotated[bool, typer.Option("--wipe", help="Remove the demo's data and stop.")] = False,
    investors: Annotated[int, typer.Option(min=6, help="How many investors.")] = INVESTORS,
    leave: Annotated[bool, typer.Option("--exit", help="Stop after the story instead of serving.")] = False,
) -> None:
    """Play the raise of 310 investors over five books and show what the close refuses and what it does."""
    settings = Settings()
    if wipe:
        shutil.rmtree(settings.state_dir, ignore_errors=True)
        console.print(f"{settings.state_dir} is removed")
        return
    began = time.monotonic()
    with opened(settings) as world:
        story = Story(world.application, investors=investors)
        server = _serve(world.application, settings)
        home = f"http://{settings.host}:{settings.port}"
        console.print(f"Pages up after {time.monotonic() - began:.1f} s:")
        console.print(f"  closing console   {home}/offers/{story.offering}")
        console.print(f"  investor's page   {home}/investments/{story.people[0].investment}")
        workflows = Workflows(world.endpoint, world.application.run_closing)
        workflows.start()
        try:
            if story.exists():
                console.print("This raise was played before; its data is here again.")
                show_counts(world.application.desk.engine.five_counts(offering=story.offering))
            else:
                _tell(world, story, workflows)
            if not leave:
                _stay(world.application)
        finally:
            workflows.stop()
            server.should_exit = True


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
        console.print(f"[red]refused[/red] {refused.rule}; nothing was frozen")
        show_refusal(refused)
    began = time.monotonic()
    closing = application.close_offer(story.offering, actor=ACTOR, ready=True)
    issued = workflows.wait(closing)
    console.print(
        f"Closing those who are ready: {issued} issued and registered in {time.monotonic() - began:.1f} s"
    )
    amount = story.release(closing)
    console.print(f"Two fund administrators released {money(amount)} from escrow.")
    certificate = application.desk.engine.certificate(offering=story.offering, closing=closing)
    console.print(f"Certificate of {closing}: sha256 {bytes(certificate['sha256']).hex()}")
    totals = application.totals(story.offering)
    console.print(
        f"Units: register {totals['registered_units']:,} · control book {totals['control_units']:,}"
        f" · chain {totals['chain_units']:,} · displayed {totals['displayed_units']:,}"
    )
    for one in application.reconcile(story.offering, actor=ACTOR):
        console.print(f"[yellow]break[/yellow] {one['comparison']}: {one['kind']} {one['subject_id']}")
    show_counts(application.desk.engine.five_counts(offering=story.offering))
    console.print(f"Why is one of the four blocked?  bookrunner why {story.people[0].investment}")


def _serve(application: Application, settings: Settings) -> uvicorn.Server:
    config = uvicorn.Config(
        site(application),
        host=settings.host,
        port=settings.port,
        log_level="warning",
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)
    threading.Thread(target=server.run, daemon=True, name="pages").start()
    return server


def _stay(application: Application) -> None:
    """Serve until stopped; meanwhile events are answered and sealed."""
    console.print("Press Ctrl-C to stop; the data stays until --wipe.")
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    try:
        while not stopped.wait(0.2):
            application.process.drain()
            advance_feed(application.database)
            seal(application.database)
    except KeyboardInterrupt:
        console.print("stopped")
