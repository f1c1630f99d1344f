"""Votes at the pages: two people open one, holders cast, everybody concerned sees the arithmetic."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from bookrunner.api import issue
from bookrunner.db import Endpoint
from tests.allocation.book import Book
from tests.attack.test_issuers import PROFILE
from tests.attack.world import Connect
from tests.browsing import axe_is_content, fits, looks
from tests.pages.conftest import Site
from tests.pages.test_access import visitor
from tests.pages.test_browser import keep
from tests.pages.test_filings import paper
from tests.servicing.votes import ENDS, RECORD_ON, cast, delegate, finish, held, start

pytestmark = pytest.mark.timeout(300)

FORM = {
    "act": "propose",
    "resolution": "The fund may lend.",
    "record_on": str(RECORD_ON),
    "closes_at": f"{ENDS:%Y-%m-%dT%H:%M}",
    "quorum": "50",
    "majority": "more than half",
}


@pytest.fixture
def voting(site: Site, connect: Connect) -> Book:
    """Return an offer with three holders, and its issuer on record."""
    book = held(connect)
    site.world.desk.life.name_issuer(actor="usr_operator", issuer="iss_one", profile=PROFILE, logo=None)
    return book


def test_two_people_open_a_vote_and_holders_cast(site: Site, voting: Book, endpoint: Endpoint) -> None:
    path = f"/offers/{voting.offering}/votes"
    key = issue(endpoint, "operator.otto", "engine", actor="usr_admin")
    with visitor(site, key) as otto:
        assert otto.post(path, data=FORM).status_code == 409
        files = {"paper": ("resolution.pdf", paper(), "application/pdf")}
        assert otto.post(path, data=FORM | {"majority": "a few"}, files=files).status_code == 409
        assert otto.post(path, data=FORM, files=files).status_code == 303
        ((vote,),) = voting.ask("select vote_id from engine.vote")
        alone = otto.post(path, data={"act": "open", "vote": vote, "seen": "1"})
        assert (alone.status_code, "vote needs two people" in alone.text) == (409, True)
    with visitor(site, issue(endpoint, "operator.olga", "engine", actor="usr_admin")) as olga:
        assert olga.post(path, data={"act": "open", "vote": vote, "seen": "1"}).status_code == 303
    own = f"/votes/{voting.offering}/{vote}"
    with visitor(site, issue(endpoint, voting.id("ivr", 3), "portal", actor="usr_admin")) as holder:
        assert "3 units" in holder.get("/votes").text
        assert holder.post(own, data={"choice": "perhaps"}).status_code == 409
        for choice in ("against", "for"):
            assert holder.post(own, data={"choice": choice}).status_code == 303
        finish(voting)
        assert holder.post(own, data={"choice": "against"}).status_code == 409
        told = holder.get("/votes").text
        assert "carried" in told
        assert "3 \N{MULTIPLICATION SIGN} 2 &gt; 3 \N{MULTIPLICATION SIGN} 1" in told
    with visitor(site, issue(endpoint, "ivr_0003", "portal", actor="usr_admin")) as stranger:
        assert stranger.post(f"{own}/proxy", data={"delegate": "ivr_0002"}).status_code == 404
        assert stranger.post(own, data={"choice": "for", "holder": voting.id("ivr", 3)}).status_code == 404
        assert vote not in stranger.get("/votes").text
        assert stranger.post(own, data={"choice": "for"}).status_code == 404


def test_a_holder_names_a_delegate_who_casts(site: Site, voting: Book, endpoint: Endpoint) -> None:
    start(voting)
    own, holder = f"/votes/{voting.offering}/vot_one", voting.id("ivr", 3)
    with visitor(site, issue(endpoint, holder, "portal", actor="usr_admin")) as three:
        assert three.post(f"{own}/proxy", data={"delegate": "somebody"}).status_code == 409
        assert three.post(f"{own}/proxy", data={"delegate": voting.id("ivr", 1)}).status_code == 303
        assert "Your delegate" in three.get("/votes").text
    with visitor(site, issue(endpoint, voting.id("ivr", 1), "portal", actor="usr_admin")) as one:
        assert "in the place of" in one.get("/votes").text
        assert one.post(own, data={"choice": "for", "holder": holder}).status_code == 303
        assert one.post(own, data={"choice": "for", "holder": voting.id("ivr", 2)}).status_code == 404
    finish(voting)
    assert voting.ask("select result ->> 'for' from engine.vote") == [("3",)]


def test_the_oldest_of_many_votes_is_voted_in(site: Site, voting: Book, endpoint: Endpoint) -> None:
    start(voting)
    admin = voting.login("admin")
    admin.execute("alter table engine.vote disable trigger user")
    admin.execute("alter table engine.vote_weight disable trigger user")
    admin.execute(
        "insert into engine.vote select (jsonb_populate_record(v, jsonb_build_object('vote_id', 'vot_' || n,"
        " 'closes_at', v.closes_at + interval '1 day'))).* from engine.vote v, generate_series(1, 200) n"
    )
    admin.execute(
        "insert into engine.vote_weight select w.offering_id, 'vot_' || n, w.investor_id, w.units"
        " from engine.vote_weight w, generate_series(1, 200) n"
    )
    own, holder = f"/votes/{voting.offering}/vot_one", voting.id("ivr", 3)
    with visitor(site, issue(endpoint, holder, "portal", actor="usr_admin")) as three:
        assert "vot_one" not in three.get("/votes").text
        assert three.post(own, data={"choice": "for"}).status_code == 303
        assert three.post(f"{own}x", data={"choice": "for"}).status_code == 404


def test_an_issuer_reads_counts_and_no_ballot(site: Site, voting: Book, endpoint: Endpoint) -> None:
    start(voting)
    cast(voting, 3, "against")
    finish(voting)
    with visitor(site, issue(endpoint, "staff.ivan", "issuer", actor="usr_admin", issuer="iss_one")) as ivan:
        told = ivan.get("/issuer/votes").text
        assert "not carried" in told
        assert voting.id("ivr", 3) not in told
    site.world.desk.life.name_issuer(actor="usr_operator", issuer="iss_other", profile=PROFILE, logo=None)
    with visitor(site, issue(endpoint, "staff.x", "issuer", actor="usr_admin", issuer="iss_other")) as other:
        assert "vot_one" not in other.get("/issuer/votes").text


@pytest.mark.browser
def test_the_pages_of_votes_are_readable(
    site: Site, voting: Book, endpoint: Endpoint, *, browser: Browser, axe: str
) -> None:
    start(voting)
    cast(voting, 1, "for")
    finish(voting)
    # Asked twice: each of the two is a landmark of its own.
    start(voting, "vot_two")
    cast(voting, 1, "against", "vot_two")
    delegate(voting, 2, voting.id("ivr", 1), "vot_two")
    readers = {
        f"/offers/{voting.offering}/votes": issue(endpoint, "operator.otto", "engine", actor="usr_admin"),
        "/issuer/votes": issue(endpoint, "staff.ivan", "issuer", actor="usr_admin", issuer="iss_one"),
        "/votes": issue(endpoint, voting.id("ivr", 1), "portal", actor="usr_admin"),
    }
    for path, key in readers.items():
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"{site.url}/sign-in")
        page.get_by_label("Your key").fill(key)
        page.get_by_role("button", name="Sign in").click()
        page.goto(site.url + path)
        expect(page.locator("main")).to_contain_text("not carried")
        for _, width in looks(page):
            keep(page, f"votes-{path.replace('/', '-')}-{width}")
            axe_is_content(page, axe)
            fits(page)
        context.close()
