"""A browser that looks at pages, and the accessibility checker that it runs; for the tests of pages."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Any, Final, Literal, NoReturn

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from bookrunner.core.errors import ConfigurationError
from bookrunner.sandbox.toolchain import npm

# The shell keeps no windows, profiles or extensions: a page costs it a third of what it costs the browser.
PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser")
CHROMIUM = next(filter(None, map(shutil.which, PROGRAMS)), None)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
Look = tuple[Literal["light", "dark"], int]
# Both schemes and both widths; a flow goes on as its page is seen last, on a phone.
WIDE, PHONE, HEIGHT = 1280, 390, 900
LOOKS: Final[Sequence[Look]] = (("light", WIDE), ("dark", PHONE))
BOTH_SCHEMES: Final[Sequence[Look]] = (("light", WIDE), ("dark", WIDE))
EVERY_LOOK: Final[Sequence[Look]] = (("light", WIDE), ("light", PHONE), ("dark", WIDE), ("dark", PHONE))
AXE = "axe-core@4.14.1"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Only the broken rules leave the browser: all others with their nodes take it longer to send than to find.
# A selector for each node that was looked at takes longer still; who reads the finding reads its markup.
_ASKED = """rules => axe.run(document, {runOnly: rules, resultTypes: ["violations"], selectors: false})
    .then(found => found.violations)"""


def lacking(what: str) -> NoReturn:
    """Skip for want of something on this machine; continuous integration leaves nothing out."""
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start the distribution's Chromium for a file; its event loop would stay for the files that follow."""
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


def looks(page: Page, wanted: Sequence[Look] = LOOKS) -> Iterator[Look]:
    """Show what a page shows in each of these schemes and widths, so that a flow is played once for all.

    A colour on its way from one scheme to the next is none that a reader sees: nothing moves.
    """
    for scheme, width in wanted:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.set_viewport_size({"width": width, "height": HEIGHT})
        yield scheme, width


def fits(page: Page) -> None:
    """Fail when a page is wider than the screen."""
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), page.url


def violations(page: Page, axe: str) -> list[dict[str, Any]]:
    """Return every rule of accessibility that the page breaks, with the nodes that break it."""
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(axe + "\n;0")
    found: list[dict[str, Any]] = page.evaluate(_ASKED, RULES)
    return found


def axe_is_content(page: Page, axe: str) -> None:
    """Fail with the broken rules and their first nodes."""
    told = [(rule["id"], [node["html"] for node in rule["nodes"][:2]]) for rule in violations(page, axe)]
    assert told == [], page.url
