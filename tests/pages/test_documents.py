"""Documents of an offer: each kind of reader gets what is open to it, and no trace of the others."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
import psycopg
import pytest
from playwright.sync_api import Browser, expect

from bookrunner.api import issue, revoke
from bookrunner.core.credentials import digest, make_token
from bookrunner.core.errors import Refused
from bookrunner.db import Endpoint
from tests.attack.test_issuers import PROFILE
from tests.attack.world import Connect
from tests.browsing import axe_is_content
from tests.pages.conftest import Site
from tests.pages.test_access import visitor
from tests.pages.test_browser import keep
from tests.pages.world import OFFERING
from tests.patience import PATIENT

pytestmark = pytest.mark.timeout(240)

LEVELS = ("public", "invited", "committed", "staff")
PAGE = f"/offers/{OFFERING}/documents"
# The world's first investor has committed, its sixth has opened an investment, nobody invested as ivr_guest.
READERS = {
    "nobody": 1,
    "ivr_stranger": 1,
    "ivr_guest": 2,
    "ivr_0006": 2,
    "ivr_0001": 3,
    "program.portal": 1,
    "desk.sam": 4,
    "fund.flo": 4,
}
KEEPERS = {"desk.sam": "subscription", "fund.flo": "treasury"}


@dataclass
class Room:
    """The site with one document for each kind of reader, and keys made as they are asked for."""

    site: Site
    endpoint: Endpoint
    keys: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def at(self, name: str) -> Iterator[httpx.Client]:
        """Lend a client of a reader."""
        if name == "nobody":
            with httpx.Client(base_url=self.site.url, timeout=PATIENT) as client:
                yield client
            return
        if name not in self.keys:
            self.keys[name] = issue(self.endpoint, name, KEEPERS.get(name, "portal"), actor="usr_admin")
        with visitor(self.site, self.keys[name]) as client:
            yield client


@pytest.fixture
def room(site: Site, endpoint: Endpoint) -> Room:
    desk = site.world.desk.subscription
    for level in LEVELS:
        content = f"what is {level}".encode()
        sha256 = desk.archive(actor="desk.sam", content=content, media_type="text/plain")
        desk.offer_document(
            actor="desk.sam",
            offering=OFFERING,
            document=f"ofd_{level}",
            sha256=sha256,
            title=f"Paper of level {level}",
            visibility=level,
        )
    desk.invite(actor="desk.sam", offering=OFFERING, investor="ivr_guest")
    return Room(site, endpoint)


@pytest.mark.parametrize("name", READERS)
def test_each_reader_gets_what_is_open_to_it(room: Room, name: str) -> None:
    with room.at(name) as client:
        listed = client.get(PAGE).text
        for place, level in enumerate(LEVELS):
            answer = client.get(f"{PAGE}/ofd_{level}")
            if place < READERS[name]:
                assert f"Paper of level {level}" in listed
                assert (answer.status_code, answer.text) == (200, f"what is {level}")
            else:
                assert f"Paper of level {level}" not in listed
                assert answer.status_code == client.get(f"{PAGE}/ofd_none").status_code == 404
                assert f"what is {level}" not in answer.text


def test_a_change_counts_at_once(room: Room) -> None:
    desk = room.site.world.desk.subscription
    with room.at("ivr_guest") as guest:
        assert guest.get(f"{PAGE}/ofd_committed").status_code == 404
        for visibility, status in (("invited", 200), ("staff", 404), ("public", 200), (None, 404)):
            desk.show_document_to(
                actor="desk.sam", offering=OFFERING, document="ofd_committed", visibility=visibility
            )
            assert guest.get(f"{PAGE}/ofd_committed").status_code == status


def test_what_ended_a_session_ends_what_it_reads(room: Room) -> None:
    with room.at("desk.sam") as sam:
        assert sam.get(f"{PAGE}/ofd_staff").status_code == 200
        revoke(room.endpoint, "desk.sam", actor="usr_admin")
        assert sam.get(f"{PAGE}/ofd_staff").status_code == 404


@pytest.mark.usefixtures("room")
def test_the_database_itself_asks_for_a_session(connect: Connect) -> None:
    login = connect("subscription")
    question = "select visibility from subscription.readable(%s, %s)"
    for session in (None, digest(make_token("subscription"))):
        assert login.execute(question, [OFFERING, session]).fetchall() == [("public",)]
    for other in ("portal", "treasury", "engine", "issuer"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connect(other).execute(question, [OFFERING, None])


def test_a_session_that_nobody_used_reads_what_is_public(room: Room, connect: Connect) -> None:
    with room.at("desk.sam") as sam:
        session = digest(sam.cookies["bookrunner_session"])
        question = "select count(*) from subscription.readable(%s, %s)"
        assert connect("subscription").execute(question, [OFFERING, session]).fetchone() == (4,)
        connect("admin").execute("update api.session_use set used_at = used_at - interval '31 minutes'")
        assert connect("subscription").execute(question, [OFFERING, session]).fetchone() == (1,)


def test_a_document_is_not_placed_while_it_is_being_required(room: Room, connect: Connect) -> None:
    desk = room.site.world.desk.subscription
    sha256 = desk.archive(actor="desk.sam", content=b"required while placed", media_type="text/plain")
    login = connect("subscription")
    first = (
        "select subscription.require_item('desk.sam', 'r1', %s, 'material', 'late', 1, %s, 'The late one.')"
    )
    second = "select subscription.offer_document('desk.sam', 'r2', %s, 'ofd_late', %s, 'Late', 'staff')"
    with ThreadPoolExecutor(1) as beside:
        with login.transaction():
            login.execute(first, [OFFERING, sha256])
            waiting = beside.submit(connect("subscription").execute, second, [OFFERING, sha256])
            watch = connect("admin")
            asked = "select count(*) from pg_locks where locktype = 'advisory' and not granted"
            while watch.execute(asked).fetchone() == (0,) and not waiting.done():
                pass
        with pytest.raises(psycopg.Error) as caught:
            waiting.result()
    assert caught.value.diag.constraint_name == "required_document_reaches_its_signers"


def test_an_issuer_is_staff_of_its_own_offers_alone(room: Room, connect: Connect) -> None:
    for issuer, count in (("iss_1", 4), ("iss_other", 1)):
        room.site.world.desk.life.name_issuer(actor="usr_o", issuer=issuer, profile=PROFILE, logo=None)
        key = issue(room.endpoint, f"staff.{issuer}", "issuer", actor="usr_admin", issuer=issuer)
        with visitor(room.site, key) as client:
            session = digest(client.cookies["bookrunner_session"])
            question = "select count(*) from subscription.readable(%s, %s)"
            assert connect("subscription").execute(question, [OFFERING, session]).fetchone() == (count,)


def test_what_signers_must_receive_is_open_to_them(room: Room) -> None:
    desk = room.site.world.desk.subscription
    sha256 = desk.archive(actor="desk.sam", content=b"what is staff", media_type="text/plain")
    with pytest.raises(Refused) as caught:
        desk.require_item(
            actor="desk.sam",
            offering=OFFERING,
            kind="material",
            code="memorandum",
            version=1,
            document_sha256=sha256,
            sentence="The memorandum.",
        )
    assert caught.value.rule == "required_document_reaches_its_signers"
    for level, rule in (("friends", "visibility_is_known"), ("public", "document_is_offered_once")):
        with pytest.raises(Refused) as caught:
            desk.offer_document(
                actor="desk.sam",
                offering=OFFERING,
                document="ofd_again",
                sha256=sha256,
                title="Again",
                visibility=level,
            )
        assert caught.value.rule == rule


@pytest.mark.browser
def test_the_list_is_readable(room: Room, browser: Browser, axe: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(f"{room.site.url}{PAGE}")
    expect(page.get_by_role("link", name="Paper of level public")).to_be_visible()
    axe_is_content(page, axe)
    keep(page, "documents-390")
    page.set_viewport_size({"width": 1280, "height": 800})
    keep(page, "documents-1280")
    context.close()
