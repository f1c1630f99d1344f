"""The pages on a real server over a small real world, and a browser that looks at them."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

import pytest
import uvicorn
from playwright.sync_api import Browser, sync_playwright

from bookrunner.app import Application
from bookrunner.core.errors import ConfigurationError
from bookrunner.pages import web
from bookrunner.sandbox.toolchain import npm
from tests.pages.world import World

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
AXE = "axe-core@4.14.1"


@dataclass(frozen=True)
class Site:
    """A running server of the pages and the world behind it."""

    url: str
    world: World


def lacking(what: str) -> NoReturn:
    """Skip for want of something on this machine; continuous integration leaves nothing out."""
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture
def site(application: Application) -> Iterator[Site]:
    """Serve the pages of a fresh world on loopback."""
    world = World(application)
    world.build()
    app = web(application, operator="operator:console")
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        server = uvicorn.Server(
            uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1, ws="none")
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
        thread.start()
        deadline = time.monotonic() + 10
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.02)
        try:
            yield Site(f"http://127.0.0.1:{bound.getsockname()[1]}", world)
        finally:
            app.state.hints.closing = True
            server.should_exit = True
            thread.join(10)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start the distribution's Chromium once."""
    if CHROMIUM is None:
        lacking("Chromium is not installed")
    driver = [sys.executable, "-m", "playwright", "--version"]
    if subprocess.run(driver, capture_output=True, check=False).returncode != 0:
        lacking("Playwright's own Node does not run; on Debian it needs libatomic1")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the source of the accessibility checker, from the package manager's cache or its registry."""
    try:
        command = npm()
    except ConfigurationError as missing:
        lacking(str(missing))
    folder = tmp_path_factory.mktemp("axe")
    packed = subprocess.run(
        [*command, "pack", AXE, "--silent", "--prefer-offline"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if packed.returncode != 0:
        lacking("the accessibility checker cannot be fetched")
    shutil.unpack_archive(folder / packed.stdout.strip(), folder)
    return (folder / "package" / "axe.min.js").read_text(encoding="utf-8")
