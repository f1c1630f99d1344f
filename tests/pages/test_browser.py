"""The pages as a person meets them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browsing import EVERY_LOOK, PHONE, axe_is_content, fits, looks
from tests.pages.conftest import Site
from tests.pages.world import OFFERING

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

PATHS = {"offers": "/", "console": f"/offers/{OFFERING}?dry_run=1", "investment": "/investments/inv_0003"}


@contextmanager
def opened(browser: Browser, *, width: int = 1200, scripts: bool = True) -> Iterator[Page]:
    """Lend a page that fails on any console error."""
    context = browser.new_context(viewport={"width": width, "height": 900}, java_script_enabled=scripts)
    page = context.new_page()
    faults: list[str] = []
    page.on("console", lambda said: faults.append(said.text) if said.type in {"error", "warning"} else None)
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    yield page
    context.close()
    # A refusal answers 409, which the browser reports as a failed load of the page itself.
    assert [fault for fault in faults if "409" not in fault] == []


def keep(page: Page, name: str) -> None:
    """Save a picture where BOOKRUNNER_TEST_SHOTS says, for eyes."""
    folder = os.environ.get("BOOKRUNNER_TEST_SHOTS")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def test_no_page_breaks_an_accessibility_rule_or_is_wider_than_a_phone(
    site: Site, browser: Browser, axe: str
) -> None:
    with opened(browser) as page:
        for name, path in PATHS.items():
            page.goto(site.url + path)
            expect(page.get_by_role("complementary", name="Environment")).to_contain_text("Sandbox")
            for scheme, width in looks(page, EVERY_LOOK):
                keep(page, f"{name}-{scheme}-{width}")
                if width == PHONE:
                    fits(page)
                else:
                    axe_is_content(page, axe)


def test_a_refusal_is_shown_and_a_closing_works_without_scripts(site: Site, browser: Browser) -> None:
    with opened(browser, scripts=False) as page:
        page.goto(f"{site.url}/offers/{OFFERING}")
        page.get_by_role("button", name="Close all").click()
        expect(page.get_by_role("alert")).to_contain_text("Refused: gate is closed")
        expect(page.get_by_role("alert")).to_contain_text("wallet is linked")
        keep(page, "refused-light-1200")
        page.get_by_role("button", name="Close those ready (2)").click()
        expect(page.get_by_text("is frozen; issuance")).to_be_visible()
        expect(page.locator("#closings")).to_contain_text("2 investments")
        keep(page, "closed-light-1200")


def test_a_change_arrives_without_a_reload(site: Site, browser: Browser) -> None:
    with opened(browser) as page:
        page.goto(f"{site.url}/investments/inv_0003")
        expect(page.locator("#now [role=status]")).to_contain_text("wallet is linked")
        page.evaluate("window.kept = true")
        site.world.link_wallet("0003")
        site.world.publish()
        expect(page.locator("#now [role=status]")).to_contain_text("Everything is confirmed", timeout=5000)
        assert page.evaluate("window.kept") is True


def test_a_slow_script_does_not_keep_the_page_from_following(site: Site, browser: Browser) -> None:
    with opened(browser) as page:

        def late(route: Route) -> None:
            page.wait_for_timeout(700)
            route.continue_()

        page.route("**/hx-sse.min.js", late)
        with page.expect_request("**/live/*", timeout=5000):
            page.goto(f"{site.url}/offers/{OFFERING}")


def test_the_console_follows_too(site: Site, browser: Browser) -> None:
    with opened(browser) as page:
        page.goto(f"{site.url}/offers/{OFFERING}")
        expect(page.locator("#row-inv_0003")).to_be_visible()
        site.world.link_wallet("0003")
        site.world.publish()
        expect(page.locator("#row-inv_0003")).to_have_count(0, timeout=5000)
