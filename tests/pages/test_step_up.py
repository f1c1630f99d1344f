"""What a session alone does not do: erase everything of oneself, and take everything of everybody."""

from __future__ import annotations

import psycopg
import pytest
from playwright.sync_api import Browser, expect

from tests.attack.world import Connect
from tests.pages.test_browser import keep
from tests.pages.test_own import DETAIL
from tests.pages.test_passkeys import House, device, house, take_up

__all__ = ["house"]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
NEW, AUDITOR = "ivr_fresh", "auditor.ada"
ERASED = b"select erased_at is not null from portal.profile_detail"
ERASE = b"select portal.erase_personal(%s, 'req_raw', %s, 'asked for')"
TAKE = (
    b"select audit.begin_examination(%s, 'req_raw', 'exm_raw', '2020-01-01', '2021-01-01', 'examination 7')"
)


def refused(login: psycopg.Connection, call: bytes, *arguments: str) -> str | None:
    """Return the rule by which the database refuses a call."""
    with pytest.raises(psycopg.Error) as caught:
        login.execute(call, arguments)
    return caught.value.diag.constraint_name


def test_an_investor_erases_itself_with_a_passkey(house: House, browser: Browser, connect: Connect) -> None:
    owner, raw = connect("owner"), connect("portal")
    with device(browser, width=390) as page:
        take_up(house, page, NEW, "portal")
        said = {"headers": {"Origin": house.url}}
        page.request.post(f"{house.url}/profile", form={"kind": "individual", **DETAIL}, **said)  # type: ignore[arg-type]
        alone = page.request.post(f"{house.url}/privacy/erase", form={"word": "erase"}, **said)  # type: ignore[arg-type]
        assert (alone.status, "decision is confirmed by passkey" in alone.text()) == (409, True)
        for actor in (NEW, f"key:{NEW}", f"key:{NEW}~program"):
            assert refused(raw, ERASE, actor, NEW) == "decision_is_confirmed_by_passkey"
        assert owner.execute(ERASED).fetchall() == [(False,)]
        page.goto(f"{house.url}/privacy")
        page.get_by_label("Type the word erase").fill("erase")
        with page.expect_response("**/confirm") as given:
            page.get_by_role("button", name="Erase my data").click()
        assert given.value.status == 200
        expect(page.get_by_role("status")).to_contain_text("Your personal data was erased")
        keep(page, "own-erased-390")
    assert owner.execute(ERASED).fetchall() == [(True,)]
    used = owner.execute(
        b"""select c.act, u.subject from api.confirmation c
        join api.used_confirmation u using (confirmation_id)"""
    )
    assert used.fetchall() == [("erasure", NEW)]


def test_a_passkey_of_one_erases_no_other(house: House, browser: Browser, connect: Connect) -> None:
    """What one investor has confirmed is of no use for another, and an officer erases by its own rules."""
    with device(browser) as page:
        take_up(house, page, NEW, "portal")
        said = {"headers": {"Origin": house.url}}
        page.request.post(f"{house.url}/profile", form={"kind": "individual", **DETAIL}, **said)  # type: ignore[arg-type]
        page.goto(f"{house.url}/privacy")
        page.get_by_label("Type the word erase").fill("no")
        with page.expect_response("**/confirm") as given:
            page.get_by_role("button", name="Erase my data").click()
        assert given.value.status == 200
        expect(page.get_by_role("alert")).to_contain_text("type the word erase")
    raw = connect("portal")
    with raw.transaction(force_rollback=True):
        raw.execute(ERASE, ["officer.one", NEW])
    with raw.transaction(force_rollback=True):
        raw.execute(ERASE, [NEW, NEW])
    assert refused(raw, TAKE, NEW) is None  # The portal takes no bundle at all.


def test_an_auditor_takes_a_bundle_with_a_passkey(house: House, browser: Browser, connect: Connect) -> None:
    owner, raw = connect("owner"), connect("audit")
    form = {"first": "2026-01-01", "last": "2026-12-31", "purpose": "examination 7"}
    with device(browser) as page:
        take_up(house, page, AUDITOR, "audit")
        alone = page.request.post(f"{house.url}/proof/examinations", form=form, headers={"Origin": house.url})
        assert (alone.status, "decision is confirmed by passkey" in alone.text()) == (409, True)
        for actor in (AUDITOR, f"key:{AUDITOR}", f"key:{AUDITOR}~program"):
            assert refused(raw, TAKE, actor) == "decision_is_confirmed_by_passkey"
        assert owner.execute(b"select from audit.examination").fetchall() == []
        page.goto(f"{house.url}/proof/examinations")
        page.get_by_label("First day").fill(form["first"])
        page.get_by_label("Last day").fill(form["last"])
        page.get_by_label("What it is taken for").fill(form["purpose"])
        with page.expect_download() as sent:
            page.get_by_role("button", name="Take it, on record").click()
        assert sent.value.suggested_filename.startswith("exm_")
    assert owner.execute(b"select status, taken_by from audit.examination").fetchall() == [("taken", AUDITOR)]
    assert refused(raw, TAKE, AUDITOR) == "decision_is_confirmed_by_passkey"
