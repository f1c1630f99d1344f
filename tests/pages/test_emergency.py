"""The banner of an emergency on every page, for everybody, without its reason."""

from __future__ import annotations

import httpx
import pytest
from playwright.sync_api import Browser, expect

from bookrunner.api import Emergencies
from bookrunner.app import Application
from bookrunner.pages import web
from bookrunner.pages.access.people.store import People
from tests.api.conftest import serving
from tests.pages.conftest import Site
from tests.pages.test_browser import keep
from tests.pages.test_officer import axe_is_content
from tests.pages.test_people import entered
from tests.pages.world import OFFERING, World


@pytest.mark.browser
def test_an_emergency_stands_on_every_page(application: Application, browser: Browser, axe: str) -> None:
    World(application).build()
    desk = Emergencies(application.database)
    emergency = desk.ask("portal", "somebody has a key of ours", 60, actor="key:ria")
    with serving(web(application)) as url:
        assert "Emergency" not in httpx.get(f"{url}/sign-in").text
    desk.grant(emergency, actor="key:sam")
    with serving(web(application)) as url:
        for path in (f"/offers/{OFFERING}", "/sign-in", "/nothing"):
            told = httpx.get(url + path).text
            assert "ria and sam may end the keys of portal" in " ".join(told.split())
            assert "somebody" not in told
        for scheme, width in (("light", 1280), ("dark", 390)):
            context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
            page = context.new_page()
            page.goto(f"{url}/offers/{OFFERING}")
            expect(page.get_by_role("alert")).to_contain_text("Emergency until")
            keep(page, f"emergency-{width}")
            axe_is_content(page, axe)
            context.close()


def test_an_emergency_ends_the_sessions_of_accounts_of_its_keeper_alone(site: Site) -> None:
    people, desk = People(site.world.database), Emergencies(site.world.database)
    with entered(site, people) as officer, entered(site, people, "fund.flo", "treasury") as fund:
        assert (officer.get("/security").status_code, fund.get("/security").status_code) == (200, 200)
        emergency = desk.ask("compliance", "a laptop of the desk is lost", 30, actor="usr_one")
        desk.grant(emergency, actor="usr_two")
        desk.end_keys(emergency, actor="usr_two")
        assert (officer.get("/security").status_code, fund.get("/security").status_code) == (303, 200)
