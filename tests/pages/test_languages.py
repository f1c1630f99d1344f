"""The pages in the language of their reader: which it is, that all of it is in it, and that it fits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime

import httpx
import psycopg
import pytest
from playwright.sync_api import Browser

from bookrunner.api import issue
from bookrunner.app import Application
from bookrunner.db import Endpoint, load
from bookrunner.engine.life.post import LETTERS, letter_of
from bookrunner.pages import web
from bookrunner.pages.access.people.store import People
from bookrunner.pages.shell.language import ENGLISH, tongues
from scripts import stored
from tests.allocation.book import Book
from tests.attack.world import Connect
from tests.browsing import looks, violations
from tests.pages.conftest import Site
from tests.pages.marked import bare, marked
from tests.pages.test_access import visitor
from tests.pages.test_browser import keep
from tests.pages.test_delegates import last_day, name, only, taken_up
from tests.pages.test_people import account, entered
from tests.pages.test_screens import LOOKS, OFFERING
from tests.servicing.books import look
from tests.servicing.paying import DAY, Payer
from tests.servicing.paying import distributions as opened
from tests.servicing.votes import cast, delegate, finish, held, start
from tests.serving import serving
from tests.stages import Built
from tests.treasury.test_refunds import block

GERMAN = {"Accept-Language": "de-AT, de;q=0.9, en;q=0.5"}
INVESTOR = "ivr_0003"
OWN = tuple(path for paths in LOOKS[INVESTOR].values() for path in paths)
PUBLIC = ("/sign-in", "/invitation", "/recovery")
# What the books of this world hold in words of their own, and the names of places and money.
DATA = frozenset({"Harbor Light Income Fund", INVESTOR, "a sender", "Example Trust Company"})
(GERMAN_TONGUE,) = [tongue for tongue in tongues() if tongue.code == "de"]


@pytest.fixture
def key(endpoint: Endpoint, built: Built) -> str:  # noqa: ARG001 - what the copy is of
    return issue(endpoint, INVESTOR, "portal", actor="usr_admin")


@pytest.fixture
def marks(application: Application, built: Built) -> Iterator[str]:  # noqa: ARG001 - what the copy is of
    """Serve the pages in a language that marks each sentence."""
    app = web(application, operator="operator:console", offered=marked())
    with serving(app) as url:
        yield url
        app.state.hints.closing = True


@dataclass(frozen=True)
class Reader:
    """Somebody who has signed in, by its cookies, and the pages on which it has rows."""

    cookies: Mapping[str, str]
    paths: tuple[str, ...]


@pytest.fixture
def readers(site: Site, key: str, endpoint: Endpoint, connect: Connect) -> dict[str, Reader]:
    """Return readers of delegations, payments, votes and missed reports in each of their states."""
    with visitor(site, key) as own:
        found = {"delegate": _named(site, own, endpoint=endpoint, connect=connect)}
        found["principal"] = Reader(dict(own.cookies), ("/delegates",))
    pages = _paid(site, connect) | _asked(site, connect)
    for investor, paths in pages.items():
        with visitor(site, issue(endpoint, investor, "portal", actor="usr_admin")) as client:
            found[investor] = Reader(dict(client.cookies), paths)
    return found


def _named(site: Site, own: httpx.Client, *, endpoint: Endpoint, connect: Connect) -> Reader:
    """Let an investor have a delegation in each state; return the delegate of the one in force."""
    name(own, "prepare")
    for act in ("decline", "end"):
        _, invitation = name(own, "act")
        with taken_up(site, invitation) as other:
            assert other.post(f"/delegations/{only(other)}/{act}").status_code == 303
    _, invitation = name(own, "see")
    with taken_up(site, invitation) as other:
        passed = "valid_from = valid_from - interval '9 days', valid_until = clock_timestamp()"
        Book(connect).backdate("portal.delegation", f"{passed} where delegation_id = '{only(other)}'")
    account, invitation = name(own, "see")
    with taken_up(site, invitation) as client:
        assert client.post(f"/delegations/{only(client)}/accept").status_code == 303
        with visitor(site, issue(endpoint, "ivr_0006", "portal", actor="usr_admin")) as foreign:
            said = {"scope": "act", "until": last_day(), "delegate": account}
            assert foreign.post("/delegates", data=said).status_code == 303
        return Reader(dict(client.cookies), ("/delegations",))


def _paid(site: Site, connect: Connect) -> dict[str, tuple[str, ...]]:
    """Pay three holders: one is paid, one waits for its screening, and to one the payment comes back."""
    world, runs = Payer(connect), opened(site.world.database)
    world.hold()
    distribution = world.ready(runs)
    runs.start(world.offering, distribution, actor="usr_first")
    block(world, 2)
    world.call("treasury.settle_disbursements", world.offering, world.send(distribution), DAY)
    world.call("treasury.return_disbursement", world.offering, world.line(3), "AC04", DAY)
    return {world.id("ivr", n): ("/holdings/distributions",) for n in world.numbers}


def _asked(site: Site, connect: Connect) -> dict[str, tuple[str, ...]]:
    """Ask holders in votes that are carried, not carried, cancelled and open; a report is missed."""
    book = held(connect, "two")
    look(site.world.database)
    book.backdate("engine.filing", "due_on = due_on - 60 where clock = 'form_d'")
    start(book, resolution="Beschluss 1.")
    cast(book, 3, "for")
    start(book, "vot_two", resolution="Beschluss 2.")
    cast(book, 3, "against", "vot_two")
    finish(book)
    start(book, "vot_three", resolution="Beschluss 3.")
    book.call("engine.cancel_vote", book.offering, "vot_three", "Asked anew.", 2, actor="issuer.iris")
    start(book, "vot_four", resolution="Beschluss 4.")
    cast(book, 1, "abstain", "vot_four")
    start(book, "vot_five", resolution="Beschluss 5.")
    delegate(book, 2, book.id("ivr", 1), "vot_five")
    cast_of = [book.offering, "vot_five", book.id("ivr", 2), "for", book.id("ivr", 1)]
    book.call("engine.cast_ballot", *cast_of, actor=book.id("ivr", 1))
    return {book.id("ivr", n): ("/votes", "/holdings") for n in (1, 2)}


def lang(page: str) -> str:
    return page.partition('<html lang="')[2][:2]


@pytest.mark.parametrize(
    ("asked", "cookie", "code"),
    [
        ("", "", "en"),
        ("de", "", "de"),
        ("de-CH, fr;q=0.9", "", "de"),
        ("fr, de;q=0.4", "", "de"),
        ("en;q=0.3, de;q=0.7", "", "de"),
        ("en;q=0.7, de;q=0.3", "", "en"),
        ("de;q=0", "", "en"),
        ("tlh, *", "", "en"),
        ("de;q=nonsense, ;;,", "", "en"),
        ("en", "de", "de"),
        ("de", "en", "en"),
        ("de", "xx", "de"),
    ],
)
def test_a_reader_gets_the_language_it_asks_for(site: Site, asked: str, cookie: str, code: str) -> None:
    headers = {"Accept-Language": asked} if asked else {"Accept-Language": ""}
    cookies = {"bookrunner_language": cookie} if cookie else {}
    answer = httpx.get(f"{site.url}/sign-in", headers=headers, cookies=cookies, timeout=60)
    assert (lang(answer.text), answer.headers["content-language"]) == (code, code)
    assert {"Accept-Language", "Cookie"} <= set(answer.headers["vary"].split(", "))


def test_the_switch_is_kept_and_leads_back(site: Site) -> None:
    with httpx.Client(base_url=site.url, headers={"Origin": site.url}, timeout=60) as client:
        shown = client.get("/recovery").text
        assert 'name="language" value="de"' in shown
        answer = client.post("/language", data={"language": "de", "next": "/recovery"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/recovery")
        assert lang(client.get("/recovery").text) == "de"
        elsewhere = client.post("/language", data={"language": "en", "next": "//elsewhere.example"})
        assert elsewhere.headers["location"] == "/"
        assert client.post("/language", data={"language": "xx"}).status_code == 422
        assert lang(client.get("/recovery").text) == "en"
    foreign = httpx.post(f"{site.url}/language", data={"language": "de"}, timeout=60)
    assert foreign.status_code == 403


def test_the_setting_of_an_account_wins_and_reaches_its_mails(site: Site) -> None:
    people = People(site.world.database)
    with entered(site, people, INVESTOR, "portal") as client:
        assert lang(client.get("/profile", headers=GERMAN).text) == "de"
        chosen = {"language": "de", "zone": "Europe/Berlin", "next": "/security"}
        assert client.post("/language", data=chosen).headers["location"] == "/security"
        client.cookies.delete("bookrunner_language")
        page = client.get("/security", headers={"Accept-Language": "en"}).text
        assert lang(page) == "de"
        assert "Zeiten in Mitteleuropäische Zeit." in page
        assert re.search(r"\d\d\.\d\d\.\d{4}, \d\d:\d\d M", page)
        unlisted = client.post("/language", data=chosen | {"zone": "Europe/Nowhere"})
        assert unlisted.status_code == 422
        # The switch of the footer says nothing of the time zone, which stays.
        client.post("/language", data={"language": "en"})
        assert "Times are Central European Time." in client.get("/security").text
        client.post("/language", data={"language": "de"})
    rows = site.world.desk.life.languages(names=[INVESTOR, "ivr_0001"])
    read_in = {row["name"]: row["language"] for row in rows}
    assert read_in == {INVESTOR: "de"}
    letter = letter_of("ntc_1", INVESTOR, read_in[INVESTOR])
    assert (letter.subject, "ntc_1" in letter.text) == ("Es gibt eine Mitteilung für Sie", True)
    assert letter_of("ntc_1", INVESTOR, "xx") == letter_of("ntc_1", INVESTOR)
    assert set(LETTERS) == {tongue.code for tongue in tongues()}


@pytest.mark.parametrize(
    ("login", "statement", "code"),
    [
        ("access", "insert into api.reading values ('acc_none', 'de', 'UTC')", "42501"),
        ("portal", "select api.choose_reading(decode(repeat('00', 32), 'hex'), 'de', 'UTC')", "42501"),
        ("portal", "select * from api.languages_of(array['ivr_0003'])", "42501"),
        ("engine", "select * from api.reading", "42501"),
        ("owner", "insert into api.reading select account_id, 'DE', 'UTC' from api.account", "23514"),
        ("owner", "insert into api.reading select account_id, 'de', '../etc' from api.account", "23514"),
    ],
)
def test_how_a_person_reads_is_written_by_its_own_session_alone(
    site: Site, connect: Connect, *, login: str, statement: str, code: str
) -> None:
    account(People(site.world.database), INVESTOR, "portal")
    with pytest.raises(psycopg.Error) as refused:
        connect(login).execute(statement)  # type: ignore[arg-type]
    assert refused.value.sqlstate == code


def test_without_an_account_nothing_is_kept(site: Site, key: str, connect: Connect) -> None:
    with visitor(site, key) as client:
        assert client.post("/language", data={"language": "de", "zone": "Europe/Berlin"}).status_code == 303
        client.cookies.set("bookrunner_session", "portal.nonsense")
        assert client.post("/language", data={"language": "en"}).status_code == 303
    assert connect("owner").execute("select count(*) from api.reading").fetchone() == (0,)


def test_a_console_stays_in_english_as_a_whole(site: Site, endpoint: Endpoint) -> None:
    key = issue(endpoint, "desk.rosa", "subscription", actor="usr_admin")
    with visitor(site, key) as client:
        answer = client.get("/desk", headers=GERMAN)
    assert (lang(answer.text), answer.headers["content-language"]) == ("en", "en")
    assert "Sign out" in answer.text


def test_a_refusal_is_in_the_readers_language(site: Site, key: str) -> None:
    with visitor(site, key) as client:
        missing = client.get("/offers/ofr_none", headers=GERMAN)
        assert (missing.status_code, lang(missing.text)) == (404, "de")
        assert "Diese Seite gibt es nicht." in missing.text
        refused = client.post(
            f"/offers/{OFFERING}/apply", data={"units": "many", "order": "x"}, headers=GERMAN
        )
        assert "Abgelehnt" in refused.text
        assert "schreiben Sie die Zahl der Anteile" in refused.text
        assert client.get("/desk", headers=GERMAN).status_code == 403
        fragment = client.get("/investments/inv_0003/now", headers=GERMAN)
        assert fragment.headers["content-language"] == "de"
        again = client.get(
            "/investments/inv_0003/now", headers={**GERMAN, "If-None-Match": fragment.headers["etag"]}
        )
        assert again.status_code == 304
        english = client.get("/investments/inv_0003/now", headers={"If-None-Match": fragment.headers["etag"]})
        assert english.status_code == 200


def test_no_sentence_of_an_investors_page_is_left_out_of_the_catalogue(marks: str, key: str) -> None:
    left: dict[str, list[str]] = {}
    with httpx.Client(base_url=marks, headers={**GERMAN, "Origin": marks}, timeout=60) as client:
        pages = {path: client.get(path).text for path in PUBLIC}
        pages["/sign-in refused"] = client.post("/sign-in", data={"key": "none"}).text
        assert client.post("/sign-in", data={"key": key}).status_code == 303
        pages |= {path: client.get(path).text for path in (*OWN, f"/offers/{OFFERING}")}
        pages["/offers/documents"] = client.get(f"/offers/{OFFERING}/documents").text
        pages["/profile refused"] = client.post("/profile/changes", data={"country": "nowhere"}).text
        pages["/privacy refused"] = client.post("/privacy/erase", data={"word": "no"}).text
        pages["/mailbox"] = client.get("/mailbox").text
        pages["/nowhere"] = client.get("/nowhere").text
        pages["/desk forbidden"] = client.get("/desk").text
    for path, page in pages.items():
        assert lang(page) == "de", path
        if found := bare(page, DATA):
            left[path] = found
    assert left == {}


@pytest.mark.timeout(300)
def test_no_sentence_of_rows_is_left_out_of_the_catalogue(marks: str, readers: dict[str, Reader]) -> None:
    pages = {}
    for name_, reader in readers.items():
        with _reading(marks, reader) as client:
            pages |= {f"{name_} {path}": client.get(path).text for path in reader.paths}
    with _reading(marks, readers["principal"]) as client:
        said = {"scope": "act", "until": last_day()}
        for wrong in (
            {},
            {"delegate": "dlg_nobody"},
            {"until": "x"},
            {"scope": "sign"},
            {"until": last_day(900)},
        ):
            pages[f"/delegates {wrong}"] = client.post("/delegates", data=said | wrong).text
        pages["/delegates end"] = client.post("/delegates/dgn_none/end").text
        pages["/delegations of a delegate"] = client.get("/delegations").text
    with _reading(marks, readers["delegate"]) as client:
        pages["/holdings of nobody"] = client.get("/holdings").text
        (mine,) = set(re.findall(r"/delegations/(dgn_\w+)/enter", client.get("/delegations").text))
        pages["/delegations refused"] = client.post(f"/delegations/{mine}/accept").text
        pages["/delegations unknown"] = client.post(f"/delegations/{mine}/wish").text
        assert client.post(f"/delegations/{mine}/enter").status_code == 303
        pages["/holdings for another"] = client.get("/holdings").text
        for path in (f"/offers/{OFFERING}/apply", "/investments/inv_0003/cancel", "/privacy/erase"):
            pages[f"{path} of a delegate"] = client.post(path).text
    with _reading(marks, readers["ivr_two1"]) as client:
        pages["/votes refused"] = client.post("/votes/ofr_two/vot_four", data={"choice": "perhaps"}).text
        pages["/votes over"] = client.post("/votes/ofr_two/vot_one", data={"choice": "for"}).text
        pages["/votes proxy"] = client.post("/votes/ofr_two/vot_four/proxy", data={"delegate": "x"}).text
    assert {path: lang(page) for path, page in pages.items() if lang(page) != "de"} == {}
    invitations = re.findall(r"\bportal\.\w{20,}", pages["/delegates {}"])
    books = DATA | {"Example", "Beschluss", "Asked anew.", *invitations}
    assert {path: found for path, page in pages.items() if (found := bare(page, books))} == {}


@contextmanager
def _reading(url: str, reader: Reader) -> Iterator[httpx.Client]:
    """Lend a client of somebody who reads German."""
    headers = {**GERMAN, "Origin": url}
    with httpx.Client(base_url=url, headers=headers, cookies=dict(reader.cookies), timeout=60) as client:
        yield client


def test_a_sentence_outside_of_the_catalogue_is_found() -> None:
    page = "<html lang=de><body><p>⟦Kept⟧ and not</p><td data-name='Amount'>⟦a <b>b</b> c⟧</td></body></html>"
    assert [text.strip() for text in bare(page, frozenset())] == ["Amount", "and not"]


def test_moments_numbers_and_money_are_written_as_in_the_language() -> None:
    moment = datetime(2026, 3, 2, 14, 5, tzinfo=UTC)
    assert ENGLISH.moment(moment) == "2026-03-02 14:05 UTC"
    assert ENGLISH.money(123_456_789, "USD") == "1,234,567.89 USD"
    assert ENGLISH.money(-5, "JPY") == "-5 JPY"
    assert GERMAN_TONGUE.moment(moment) == "02.03.2026, 14:05 UTC"
    assert GERMAN_TONGUE.within("Europe/Berlin").moment(moment) == "02.03.2026, 15:05 MEZ"
    assert GERMAN_TONGUE.day(date(2026, 3, 2)) == "02.03.2026"
    assert GERMAN_TONGUE.money(9_007_199_254_740_993, "USD") == "90.071.992.547.409,93 USD"
    assert GERMAN_TONGUE.number(1_234_567) == "1.234.567"
    assert GERMAN_TONGUE.share(150) == "1,50 %"


def test_what_the_books_say_to_investors_is_in_the_list(connect: Connect) -> None:
    queries, owner = load("tests.pages"), connect("owner")
    names = queries.names_for_investors(owner, machines=stored.MACHINES.split())
    sentences = queries.sentences_for_investors(owner)
    said = stored.sentences()
    assert {row["name"].replace("_", " ") for row in names} - said == set()
    assert {row["sentence"] for row in sentences} - said == set()


@pytest.mark.browser
@pytest.mark.timeout(300)
def test_every_investors_page_is_accessible_and_fits_in_german(
    site: Site, key: str, browser: Browser, axe: str
) -> None:
    context = browser.new_context(locale="de-DE")
    page = context.new_page()
    faults: list[tuple[str, str, str]] = []
    page.goto(f"{site.url}/sign-in")
    paths = [*PUBLIC, "", *OWN, f"/offers/{OFFERING}"]
    for path in paths:
        if not path:
            page.goto(f"{site.url}/sign-in")
            page.get_by_label("Ihr Schlüssel").fill(key)
            page.get_by_role("button", name="Anmelden", exact=True).click()
            continue
        page.goto(site.url + path)
        for _, width in looks(page):
            keep(page, f"german{path.replace('/', '-')}-{width}")
            faults += [(path, v["id"], v["nodes"][0]["html"][:200]) for v in violations(page, axe)]
            if page.evaluate("document.documentElement.scrollWidth") > width:
                faults.append((path, "is wider than the screen", ""))
    context.close()
    assert faults == []


@pytest.mark.browser
@pytest.mark.timeout(300)
def test_pages_with_rows_are_accessible_and_fit_in_german(
    site: Site, readers: dict[str, Reader], browser: Browser, axe: str
) -> None:
    faults: list[tuple[str, str, str]] = []
    for name_, reader in readers.items():
        context = browser.new_context(locale="de-DE")
        context.add_cookies([{"name": n, "value": v, "url": site.url} for n, v in reader.cookies.items()])
        page = context.new_page()
        for path in reader.paths:
            page.goto(site.url + path)
            for _, width in looks(page):
                keep(page, f"german-{name_}{path.replace('/', '-')}-{width}")
                faults += [(path, v["id"], v["nodes"][0]["html"][:200]) for v in violations(page, axe)]
                if page.evaluate("document.documentElement.scrollWidth") > width:
                    faults.append((path, "is wider than the screen", name_))
        context.close()
    assert faults == []
