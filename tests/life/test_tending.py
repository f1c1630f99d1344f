"""What a round of a worker asks of the database, and who does what an event or the clock tells."""

from __future__ import annotations

import json
import re
import secrets
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from bookrunner.adapters.chain.deposits import DepositTree
from bookrunner.adapters.chain.evm import EvmChain
from bookrunner.adapters.mail.smtp import SmtpPost
from bookrunner.app import Application, open_keys
from bookrunner.app.settings import Outside
from bookrunner.app.tending import PUT_RIGHT
from bookrunner.audit import advance_feed
from bookrunner.core.errors import Refused
from bookrunner.db import LOGINS, Database, Endpoint, load
from bookrunner.engine import Desk
from bookrunner.engine.intake import Watched
from bookrunner.engine.process import Clocks, Errand, Errands, Scopes, Timed
from bookrunner.engine.process.workflow import Workflows
from tests.allocation.book import Book
from tests.attack.world import CHAIN, LIST, Connect
from tests.life.test_post import Mailbox
from tests.treasury.escrow import Escrow

ROUNDS = 3
ROUNDS = 3
TREE = (
    "xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhe"
    "PY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8"
)
# What a round may ask when nothing is new: of the feed its end, which the relay moves on.
END_OF_THE_FEED = (("bookrunner.audit", "advance_feed"), ("bookrunner.engine", "feed_end"))
# What a look outward asks before it looks: where.
OUTWARD = (
    ("bookrunner.books.treasury", "deposit_addresses"),
    ("bookrunner.books.registry.transfers", "watched_offers"),
)

Start = Callable[..., Application]


@pytest.fixture
def start(endpoint: Endpoint, tmp_path: Path) -> Iterator[Start]:
    """Return what starts a worker; its node is gone."""
    with ExitStack() as opened, EvmChain("http://127.0.0.1:1") as chain:
        keys = open_keys(tmp_path / "keys", CHAIN, embedded=True)

        def begin(outside: Outside) -> Application:
            made = Application(endpoint, chain, keys, pause=lambda: None, outside=outside)
            opened.callback(made.close)
            return made

        yield begin


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    """Return a mail server that runs."""
    box = Mailbox()
    yield box
    box.close()


class Statements:
    """What the logins of one database ask, as the server logs it."""

    def __init__(self, folder: Path, speak: Callable[[str], object]) -> None:
        self._folder = folder
        self._speak = speak
        self._read = 0
        self.since()

    def since(self) -> Counter[str]:
        """Return the statements since the last call, without their parameters' numbers."""
        mark = f"mark {secrets.token_hex(8)}"
        self._speak(mark)
        deadline = time.monotonic() + 10
        while mark not in (text := self._text()[self._read :]):
            assert time.monotonic() < deadline, "the server logs nothing"
            time.sleep(0.02)
        text = text[: text.rindex("\n") + 1]
        self._read += len(text)
        said = [str(json.loads(line).get("message", "")) for line in text.splitlines()]
        found = [each.partition(": ")[2] for each in said if each.startswith(("statement: ", "execute "))]
        return Counter(plain(each) for each in found if "mark " not in each)

    def _text(self) -> str:
        return "".join(path.read_text(encoding="utf-8") for path in sorted(self._folder.glob("*.json")))


def plain(text: str) -> str:
    """Return a statement with one spelling of its parameters and spaces."""
    return " ".join(re.sub(r"\$\d+|%\(\w+\)s", "?", text).split())


def named(*names: tuple[str, str]) -> list[str]:
    """Return the texts of queries."""
    return [plain(getattr(load(package), name).sql) for package, name in names]


@pytest.fixture
def statements(endpoint: Endpoint, connect: Connect, state_root: Path) -> Statements:
    """Have the server log what the keepers of a database ask from their next connection on."""
    admin = connect("admin")
    for login in LOGINS:
        admin.execute(
            f"alter role {login} in database {endpoint.database} set log_statement = 'all'".encode()
        )
    (folder,) = state_root.glob("session/pg/*/log")
    speaker = connect("engine")
    return Statements(folder, lambda mark: speaker.execute(f"select '{mark}'".encode()))


def test_an_idle_round_asks_for_nothing_but_the_end_of_the_feed(
    connect: Connect, statements: Statements, start: Start, tmp_path: Path
) -> None:
    Book(connect).build("confirmed")
    (tmp_path / "lists").mkdir()
    app = start(
        Outside(
            post=SmtpPost("smtp://127.0.0.1:1", "notices@example.org"),
            lists=tmp_path / "lists",
            orders_to=str(tmp_path / "orders"),
            deposits=Watched(DepositTree.parse(TREE), CHAIN),
        )
    )
    idle, deadline = Counter(named(*END_OF_THE_FEED)), time.monotonic() + 30
    app.tend()
    while (asked := statements.since()) != idle:
        assert time.monotonic() < deadline, asked
        app.tend()
    for _ in range(ROUNDS):
        app.tend()
    assert statements.since() == Counter(named(*END_OF_THE_FEED) * ROUNDS)
    time.sleep(2.1)
    app.tend()
    looked = set(statements.since()) - set(idle)
    assert looked
    assert looked <= set(named(*OUTWARD))


def turns(connect: Connect) -> Sequence[object]:
    """Return who took which turn when."""
    return connect("owner").execute("select work, taken_at from engine.turn order by work").fetchall()


def cancel(book: Book, number: int) -> None:
    """End an investment, of which its investor gets a notice."""
    book.call("engine.cancel_investment", book.offering, book.id("inv", number), "a duplicate")


def test_mail_follows_its_notice_by_the_event_alone(connect: Connect, start: Start, mailbox: Mailbox) -> None:
    book = Book(connect).build("confirmed")
    outside = Outside(post=SmtpPost(mailbox.url, "notices@example.org"))
    app = start(outside)
    app.tend()
    before = turns(connect)
    cancel(book, 1)
    app.tend()
    assert len(mailbox.letters) == 1
    # A worker that was not there when it happened finds it at its start, though no turn is due.
    cancel(book, 2)
    other = start(outside)
    other.tend()
    assert len(mailbox.letters) == 2
    assert before == turns(connect)
    cancel(book, 3)
    with ThreadPoolExecutor(2) as pool:
        for round_ in [pool.submit(worker.tend) for worker in (app, other)]:
            round_.result(30)
    app.tend()
    assert len(mailbox.letters) == 3
    assert book.ask("select distinct status from engine.notice") == [("sent",)]


def test_a_worker_killed_on_its_way_to_the_mail_server_is_followed(
    connect: Connect, endpoint: Endpoint, start: Start, mailbox: Mailbox
) -> None:
    book = Book(connect).build("confirmed")
    start(Outside()).tend()
    before = turns(connect)
    cancel(book, 1)
    command = [
        sys.executable,
        "-m",
        "tests.life.mail_worker",
        endpoint.admin_dsn(),
        str(endpoint.secrets.folder),
    ]
    assert subprocess.run(command, check=False).returncode == -9
    assert book.ask("select status from engine.notice") == [("written",)]
    start(Outside(post=SmtpPost(mailbox.url, "notices@example.org"))).tend()
    assert book.ask("select status from engine.notice") == [("sent",)]
    assert (len(mailbox.letters), turns(connect)) == (1, before)


def test_what_is_left_is_tried_again_by_the_clock(connect: Connect, database: Database) -> None:
    tried: list[Scopes] = []

    def run(scopes: Scopes) -> int | None:
        tried.append(scopes)
        return 1 if len(tried) == 2 else None

    book = Book(connect).build("confirmed")
    errands = Errands(Desk(database), [Errand("mail", frozenset({"investment.cancelled"}), run)])
    end = Desk(database).engine.feed_end
    errands.hear(end())
    assert (errands.run(), errands.run(), tried) == (1, 0, [None]), "the first look runs everything"
    cancel(book, 1)
    advance_feed(database)
    errands.hear(end())
    assert (errands.run(), errands.run(), tried[1:]) == (1, 0, [frozenset({book.offering})])
    time.sleep(1.1)
    assert (errands.run(), errands.run(), tried[2:]) == (1, 0, [None])


def test_what_a_fault_ended_is_announced_still(database: Database) -> None:
    tried: list[int] = []

    def run(_: Scopes) -> int | None:
        tried.append(1)
        if len(tried) == 1:
            raise OSError("no answer")
        return None

    errands = Errands(Desk(database), [Errand("mail", frozenset({"notice.written"}), run)])
    errands.hear(0)
    with pytest.raises(OSError, match="no answer"):
        errands.run()
    assert (errands.run(), errands.run()) == (1, 0)


def test_what_a_rule_refuses_holds_nothing_else_up(database: Database) -> None:
    ran: list[str] = []

    def refuse(_: Scopes) -> int | None:
        ran.append("refused")
        raise Refused("mail_is_sent", "not now")

    def other(_: Scopes) -> int | None:
        ran.append("other")
        return None

    kinds = frozenset({"notice.written"})
    both = [Errand("mail", kinds, refuse), Errand("orders", kinds, other)]
    errands = Errands(Desk(database), both, refused_seconds=1)
    errands.hear(0)
    assert (errands.run(), errands.run(), ran) == (2, 0, ["refused", "other"])
    time.sleep(1.1)
    assert (errands.run(), ran[2:]) == (1, ["refused"])


def test_work_by_the_clock_is_done_once_by_several_workers_and_after_restarts(
    endpoint: Endpoint, connect: Connect
) -> None:
    done: list[str] = []
    both = threading.Barrier(2)

    pools = [Database(endpoint, max_size=2) for _ in range(3)]

    def worker(place: int) -> Clocks:
        database, name = pools[place], str(place)
        run = Timed("lapses", 60, "closes what has an end", lambda: done.append(name))
        return Clocks(Desk(database), [run])

    def race(clocks: Clocks) -> int:
        both.wait(10)
        return clocks.look()

    for period in range(1, 6):
        with ThreadPoolExecutor(2) as pool:
            counts = [pool.submit(race, worker(name)) for name in (0, 1)]
            assert sum(count.result(30) for count in counts) == 1
        assert len(done) == period
        assert worker(2).look() == 0, "its turn is taken"
        connect("owner").execute(b"update engine.turn set taken_at = taken_at - interval '1 minute'")
    for pool_of_one in pools:
        pool_of_one.close()


def test_a_turn_whose_worker_failed_is_followed_in_the_next_period(
    database: Database, connect: Connect
) -> None:
    done: list[int] = []

    def fail() -> None:
        raise OSError("no answer")

    def refuse() -> None:
        raise Refused("mail_is_sent", "not now")

    def clocks(run: Callable[[], object]) -> Clocks:
        return Clocks(Desk(database), [Timed("lapses", 60, "closes what has an end", run)])

    with pytest.raises(OSError, match="no answer"):
        clocks(fail).look()
    assert clocks(lambda: done.append(1)).look() == 0
    connect("owner").execute(b"update engine.turn set taken_at = taken_at - interval '1 minute'")
    assert (clocks(lambda: done.append(1)).look(), done) == (1, [1])
    connect("owner").execute(b"update engine.turn set taken_at = taken_at - interval '1 minute'")
    late = Timed("late", 60, "comes after it", lambda: done.append(2))
    pair = Clocks(Desk(database), [Timed("lapses", 60, "is refused", refuse), late])
    assert (pair.look(), done) == (2, [1, 2])


@pytest.mark.timeout(120)
def test_a_refused_closing_is_tried_when_an_event_says_that_it_may_pass(
    connect: Connect, endpoint: Endpoint, start: Start
) -> None:
    book = Book(connect).build("frozen")
    tries: list[str] = []
    hints: list[int] = []
    is_right, done = threading.Event(), threading.Event()

    def hasten() -> None:
        hints.append(len(tries))
        workflows.try_now()

    def carry(offering: str, closing: str) -> int:
        tries.append(closing)
        if not is_right.is_set():
            raise Refused("list_is_not_too_old", f"{offering} {closing}")
        done.set()
        return 0

    workflows = Workflows(endpoint, carry)
    workflows.start([(book.offering, book.closing)])
    workflows.keep_trying(lambda: [(book.offering, book.closing)], seconds=3600)
    app = start(Outside())
    app.after("closings", PUT_RIGHT, hasten)
    app.tend()
    # The first round lets it be tried once more, or more often where it heard of its events in parts.
    assert not done.wait(3)
    before, heard = len(tries), len(hints)
    assert 1 <= before <= 1 + heard
    is_right.set()
    book.call("compliance.confirm_list", LIST[0])
    app.tend()
    assert done.wait(30)
    workflows.stop()
    assert heard < len(hints)
    assert before < len(tries) <= 1 + len(hints)


@pytest.mark.timeout(120)
def test_what_others_write_does_not_keep_a_round_for_ever(connect: Connect, start: Start) -> None:
    book, app = Book(connect).build("confirmed"), start(Outside())
    app.tend()
    is_over, came, written = threading.Event(), threading.Event(), Counter[str]()
    (before,) = book.ask("select count(*) from audit.seal")
    terms = {
        "issuer_id": "iss_one",
        "name": "Example",
        "exemption": "506(c)",
        "currency": "USD",
        "unit_price_minor": 100,
        "units_total": 1000,
        "minimum_units": 1,
    }

    def write() -> None:
        while not is_over.is_set():
            book.call("engine.open_offer", f"ofr_x{written.total()}", terms)
            written["offers"] += 1
            came.set()

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        try:
            for _ in range(ROUNDS):
                came.clear()
                assert came.wait(60)
                app.tend()
            (during,) = book.ask("select count(*) from audit.seal")
        finally:
            is_over.set()
        writing.result(30)
    # Each round ended and sealed while events went on coming; what came last is answered by the next ones.
    assert during[0] == before[0] + ROUNDS
    app.answer()
    (left,) = book.ask("select count(*) from audit.outbox")
    assert left == (0,)


def test_two_workers_that_hear_of_one_payment_open_one_address(connect: Connect, start: Start) -> None:
    world = Escrow(connect, "pair", 10).build("instructed")
    tree = Watched(DepositTree.parse(TREE), CHAIN)
    workers = [start(Outside(deposits=tree)) for _ in range(2)]
    terms = {
        "valid_from": "2026-01-01",
        "currency": "USD",
        "dust_minor": 100,
        "received_after": 2,
        "cleared_after": 4,
        "chain_id": CHAIN,
        "token": "11" * 20,
        "decimals": 6,
        "minor_decimals": 2,
    }
    world.call("treasury.propose_coin", world.offering, "coi_1", terms, actor="usr_first")
    world.call("treasury.decide_coin", world.offering, "coi_1", "true", 1, actor="usr_second")
    both = threading.Barrier(2)

    def open_all(worker: Application) -> int | None:
        assert worker.deposits is not None
        both.wait(10)
        return worker.deposits.open_addresses()

    with ThreadPoolExecutor(2) as pool:
        for opened in [pool.submit(open_all, worker) for worker in workers]:
            opened.result(60)
    attempts = world.ask("select count(*), count(distinct attempt_id) from treasury.deposit_address")
    assert attempts == [(10, 10)]
