"""One event whose text is none any more stops no reader: not the worker, a page, the feed or a bundle."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from bookrunner.api import api, issue
from bookrunner.app import Application
from bookrunner.app.examination import Asked, examine
from bookrunner.audit import advance_feed
from bookrunner.core import clock
from bookrunner.core.errors import VersionChanged
from bookrunner.db import Database
from bookrunner.engine import Desk, Process
from bookrunner.engine.intake import Screening
from bookrunner.pages.compliance import items
from bookrunner.pages.compliance.deciding import Decision
from bookrunner.pages.treasury.acts import Said
from bookrunner.pages.treasury.facts import changed
from tests.attack.world import Connect, World
from tests.audit.test_examination import LONG_AGO
from tests.pages.conftest import Site, site
from tests.pages.officers import PERSON
from tests.pages.world import OFFERING
from tests.serving import serving

__all__ = ["site"]

CHANGED = VersionChanged("decision_is_on_the_version_seen", "it changed")


def damage(connect: Connect, subject: str, version: int = 1) -> None:
    """Break the text of one event as somebody with the disk could; what it names is still in it."""
    admin = connect("admin")
    with admin.transaction():
        admin.execute("alter table audit.event disable trigger user")
        broken = admin.execute(
            "update audit.event set canonical = canonical || '!' where subject = %s and version = %s",
            [subject, version],
        )
        assert broken.rowcount == 1
        admin.execute("alter table audit.event enable trigger user")


def results(connect: Connect, subject: str) -> list[tuple[str, str, str]]:
    """Return who answered the first event of a record, and how."""
    return (
        connect("owner")
        .execute(
            "select consumer, result, detail from audit.reaction"
            " where subject = %s and version = 1 order by 1",
            [subject],
        )
        .fetchall()
    )


def test_the_worker_answers_everything_else(database: Database, connect: Connect) -> None:
    world = World(connect, "one", 2).build("cleared")
    for number in (1, 2):
        world.claim_wallet(f"wlc_{number}", f"ivr_one{number}", bytes([number]) * 20)
    damage(connect, "wlc_1")
    desk = Desk(database)
    Process(desk).drain()
    Screening(desk).drain()
    (refused,) = [row for row in results(connect, "wlc_1") if row[1] == "refused"]
    assert refused[2] == "event_is_readable"
    assert {result for _, result, _ in results(connect, "wlc_2")} == {"done"}
    mapped = connect("owner").execute("select investor_id from registry.wallet_mapping").fetchall()
    assert mapped == [("ivr_one2",)]


def test_the_page_of_an_investment_and_the_pictures_of_a_raise_open(site: Site, connect: Connect) -> None:
    damage(connect, "agr_0001")
    damage(connect, OFFERING)
    for path in ("/investments/inv_0001", f"/offers/{OFFERING}", f"/offers/{OFFERING}/pictures"):
        answer = httpx.get(site.url + path, timeout=60)
        assert answer.status_code == 200, path


@pytest.mark.usefixtures("built")
def test_the_feed_has_an_event_without_its_payload(application: Application, connect: Connect) -> None:
    damage(connect, "inv_0001")
    advance_feed(application.database)
    key = issue(application.endpoint, "feed", "engine", actor="usr_admin")
    seen = []
    with serving(api(application.database)) as url:
        after, headers = 0, {"Authorization": f"Bearer {key}"}
        while rows := httpx.get(f"{url}/v1/events?after={after}", headers=headers, timeout=60).json()[
            "events"
        ]:
            seen += rows
            after = rows[-1]["seq"]
    assert [row["seq"] for row in seen] == list(range(1, len(seen) + 1))
    without = [(row["subject"], row["version"]) for row in seen if row["payload"] is None]
    assert without == [("inv_0001", 1)]


@pytest.mark.usefixtures("worked")
def test_what_changed_meanwhile_is_shown_without_what_it_said(
    application: Application, connect: Connect
) -> None:
    damage(connect, "rcp_0001")
    damage(connect, "dsc_street")
    database = application.database
    of_receipt = changed(database, (OFFERING, "rcp_0001"), Said(), CHANGED)
    assert (of_receipt[0]["version"], of_receipt[0]["told"]) == (1, [])
    of_item = items.refused(database, (PERSON, "dsc_street"), Decision(0, "prg_1", "verified", ""), CHANGED)[
        "changed"
    ]
    assert [row["told"] for row in of_item] == [[]]  # type: ignore[attr-defined]


@pytest.mark.usefixtures("worked")
@pytest.mark.parametrize("broken", ["inv_0001", "agr_0001"])
def test_a_bundle_is_taken_and_names_what_is_damaged(
    application: Application, connect: Connect, tmp_path: Path, broken: str
) -> None:
    damage(connect, broken)
    asked = Asked(LONG_AGO, clock.now() + timedelta(days=1), "usr_aud", "examination 7")
    examine(application.database, application.press, asked, tmp_path / "bundle")
    manifest = json.loads((tmp_path / "bundle" / "manifest.json").read_bytes())
    assert manifest["damaged"] == [f"{broken}@1"]
