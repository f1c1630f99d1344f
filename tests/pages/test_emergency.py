"""The banner of an emergency on every page of whoever is signed in, without its reason."""

from __future__ import annotations

import httpx
import pytest
from playwright.sync_api import Browser, expect

from bookrunner.api import Emergencies, issue
from bookrunner.app import Application
from bookrunner.pages import web
from bookrunner.pages.access.people.store import People
from tests.attack.world import Connect
from tests.browsing import axe_is_content, looks
from tests.pages.conftest import Site
from tests.pages.test_browser import keep
from tests.pages.test_people import entered
from tests.pages.test_wall import exempt
from tests.pages.world import OFFERING
from tests.patience import PATIENT
from tests.serving import serving


@pytest.mark.browser
@pytest.mark.usefixtures("built")
def test_an_emergency_stands_on_every_page_of_whoever_is_signed_in(
    application: Application, browser: Browser, axe: str, connect: Connect
) -> None:
    exempt(connect, "506(c)")
    key = issue(application.endpoint, "auditor.ed", "audit", actor="usr_admin")
    desk = Emergencies(application.database)
    emergency = desk.ask("portal", "somebody has a key of ours", 60, actor="key:ria")
    with serving(web(application)) as url:
        assert "Emergency" not in httpx.get(f"{url}/sign-in", timeout=PATIENT).text
    desk.grant(emergency, actor="key:sam")
    with serving(web(application)) as url:
        with httpx.Client(base_url=url, headers={"Origin": url}, timeout=PATIENT) as client:
            client.post("/sign-in", data={"key": key})
            for path, status in ((f"/offers/{OFFERING}", 200), ("/offers/ofr_nobody", 404)):
                told = client.get(path)
                assert told.status_code == status
                assert "ria and sam may end the keys of portal" in " ".join(told.text.split())
                assert "somebody" not in told.text
        # It names two people, and is not for strangers.
        for path in (f"/offers/{OFFERING}", "/sign-in", "/nothing"):
            assert "Emergency" not in httpx.get(url + path, timeout=PATIENT).text
        assert httpx.get(f"{url}/offers/{OFFERING}", timeout=PATIENT).status_code == 200
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"{url}/sign-in?next=/offers/{OFFERING}")
        page.get_by_label("Your key").fill(key)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"**/offers/{OFFERING}")
        for _, width in looks(page):
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
