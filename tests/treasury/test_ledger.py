"""The ledger under many hands: it stays at zero, balances equal entries, and one key is one journal."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.attack.world import Connect
from tests.treasury.escrow import Escrow

ACCOUNTS = (
    "asset:escrow_bank",
    "asset:clawback_receivable",
    "liab:unmatched",
    "liab:issuer_payable",
    "exp:bank_fees",
)
TABLES = (
    "account",
    "journal",
    "entry",
    "balance",
    "booking",
    "refund",
    "payout",
    "deduction",
    "release_line",
)
LOGINS = ("portal", "compliance", "subscription", "treasury", "registry", "engine", "audit", "reconciliation")
THREADS = 8
WAITING = "select count(*) from pg_stat_activity where wait_event = 'advisory' and query like '%treasury.%'"
HELD = """
begin
    perform pg_advisory_xact_lock(777) where current_setting('application_name') = 'late';
    return null;
end
"""


def _post(connection: psycopg.Connection, journal: str, lines: Sequence[dict[str, object]]) -> str:
    try:
        with connection.transaction():
            connection.execute(
                "select treasury.post('ofr_one', %s, 'test', 'USD', %s)", [journal, json.dumps(lines)]
            )
    except psycopg.Error as fault:
        return fault.diag.constraint_name or fault.sqlstate or "unknown"
    return "posted"


def _lines(rng: random.Random) -> list[dict[str, object]]:
    """Return random legs that balance."""
    debits = [(account, rng.randint(1, 900)) for account in rng.sample(ACCOUNTS, 2)]
    rest = [account for account in ACCOUNTS if account not in {name for name, _ in debits}]
    total = sum(amount for _, amount in debits)
    first = rng.randint(1, total - 1)
    credits_ = list(zip(rng.sample(rest, 2), (first, total - first), strict=True))
    sides = [("debit", debits), ("credit", credits_)]
    return [{"account": a, "side": side, "amount": n} for side, legs in sides for a, n in legs]


def test_random_journals_from_eight_threads_leave_zero(connect: Connect) -> None:
    world = Escrow(connect).build("published")
    clients = [connect("owner") for _ in range(THREADS)]

    def work(seed: int) -> list[str]:
        rng = random.Random(seed)
        return [_post(clients[seed], f"j:{seed}:{n}", _lines(rng)) for n in range(60)]

    with ThreadPoolExecutor(THREADS) as pool:
        told = Counter(answer for answers in pool.map(work, range(THREADS)) for answer in answers)
    assert set(told) == {"posted", "account_is_never_overdrawn"}
    assert world.ask("select count(*) from treasury.journal") == [(told["posted"],)]
    world.check_ledger()


def test_long_and_short_journals_never_wait_for_each_other_in_a_ring(connect: Connect) -> None:
    world = Escrow(connect).build("published")
    clients = [connect("owner") for _ in range(THREADS)]
    funded = [_leg("asset:escrow_bank", "debit", 10**6), _leg("liab:unmatched", "credit", 10**6)]
    assert _post(clients[0], "funded", funded) == "posted"

    def work(seed: int) -> list[str]:
        rng = random.Random(seed)
        return [_post(clients[seed], f"j:{seed}:{n}", _matched(rng, n)) for n in range(30)]

    with ThreadPoolExecutor(THREADS) as pool:
        told = Counter(answer for answers in pool.map(work, range(THREADS)) for answer in answers)
    assert set(told) == {"posted"}
    world.check_ledger()


def _matched(rng: random.Random, turn: int) -> list[dict[str, object]]:
    """Return money of investors that is found, in every second journal that of very many."""
    owners = rng.sample(range(99), 3 if turn % 2 else 60)
    return [
        _leg("liab:unmatched", "debit", len(owners)),
        *(_leg(_received(owner), "credit", 1) for owner in owners),
    ]


def _of_investors(rng: random.Random, turn: int) -> list[dict[str, object]]:
    """Return money of investors that comes in, in every second journal that of very many."""
    owners = rng.sample(range(99), 3 if turn % 2 else 60)
    whose: list[dict[str, object]] = [
        {"account": f"liab:inv:inv_{owner}:received", "side": "credit", "amount": 2} for owner in owners
    ]
    nobodys = {"account": "liab:unmatched", "side": "credit", "amount": 1}
    return [{"account": "asset:escrow_bank", "side": "debit", "amount": 2 * len(owners) + 1}, nobodys, *whose]


def test_a_journal_waits_for_its_turn_at_an_account_of_the_offer(connect: Connect) -> None:
    world = Escrow(connect).build("published")
    first, second, third = (connect("owner") for _ in range(3))
    cash = "select treasury.cash('ofr_one', 'USD', 'debit', 5)"
    for n in range(9):
        assert _post(first, f"open:{n}", _of_investors(random.Random(n), 0)) == "posted"
    with ThreadPoolExecutor(2) as pool:
        with first.transaction():
            first.execute(cash)
            posted = pool.submit(_post, second, "short", _of_investors(random.Random(1), 1))
            longer = pool.submit(_post, third, "long", _of_investors(random.Random(1), 0))
            _await_sessions(connect("admin"), 2)
        assert (posted.result(), longer.result()) == ("posted", "posted")
    world.check_ledger()


def test_a_long_journal_moves_money_between_accounts_and_overdraws_none(connect: Connect) -> None:
    world = Escrow(connect).build("published")
    owner, owners = connect("owner"), range(100)
    funded = [_leg("asset:escrow_bank", "debit", 100), _leg("liab:unmatched", "credit", 100)]
    assert _post(owner, "funded", funded) == "posted"
    owed = [_leg("liab:unmatched", "debit", 100), *(_leg(_received(n), "credit", 1) for n in owners)]
    assert _post(owner, "owed", owed) == "posted"
    moved = [("received", "debit"), ("cleared", "credit")]
    cleared = [_leg(f"liab:inv:inv_{n}:{account}", side, 1) for n in owners for account, side in moved]
    assert _post(owner, "cleared", cleared) == "posted"
    assert (world.balance(_received(3)), world.balance("liab:inv:inv_3:cleared")) == (0, 1)
    assert _post(owner, "again", cleared) == "account_is_never_overdrawn"
    unknown = [
        _leg("liab:unmatched", "credit", 99),
        *(_leg(f"{_received(n)}:other", "debit", 1) for n in owners[1:]),
    ]
    assert _post(owner, "unknown", unknown) == "account_is_never_overdrawn"
    world.check_ledger()


def test_a_long_journal_that_missed_a_balance_opened_beside_it_changes_nothing(connect: Connect) -> None:
    world = Escrow(connect).build("published")
    holder, late, other = (connect("owner") for _ in range(3))
    holder.execute(
        f"create function treasury.held() returns trigger language plpgsql as $$ {HELD} $$".encode()
    )
    holder.execute("create trigger held before update on treasury.balance execute function treasury.held()")
    funded = [_leg("asset:escrow_bank", "debit", 100), _leg("liab:unmatched", "credit", 99)]
    assert _post(other, "funded", [*funded, _leg(_received(1), "credit", 1)]) == "posted"
    holder.execute(
        "insert into treasury.account (offering_id, account, currency, side) "
        "values ('ofr_one', 'liab:inv:inv_0:received', 'USD', 'credit')"
    )
    late.execute("set application_name = 'late'")
    paid = [_leg("liab:unmatched", "debit", 59), _leg(_received(0), "debit", 1)]
    long = [*paid, *(_leg(_received(owner), "credit", 1) for owner in range(2, 62))]
    with ThreadPoolExecutor(1) as pool:
        with holder.transaction():
            holder.execute("select pg_advisory_xact_lock(777)")
            posted = pool.submit(_post, late, "long", long)
            _await_sessions(connect("admin"), 1)
            opened = [_leg(_received(0), "credit", 1), _leg(_received(1), "debit", 1)]
            assert _post(other, "opened", opened) == "posted"
        assert posted.result() == "40001"
    world.check_ledger()
    assert _post(late, "long", long) == "posted"
    world.check_ledger()


def _await_sessions(seeing: psycopg.Connection, many: int) -> None:
    """Return when so many sessions that post wait for an advisory lock."""
    for _ in range(500):
        if seeing.execute(WAITING).fetchone() == (many,):
            return
        time.sleep(0.01)
    raise AssertionError("a journal did not wait for its turn")


def _received(owner: int) -> str:
    return f"liab:inv:inv_{owner}:received"


def _leg(account: str, side: str, amount: int) -> dict[str, object]:
    return {"account": account, "side": side, "amount": amount}


def test_sixteen_postings_of_one_key_are_one_journal(connect: Connect) -> None:
    world = Escrow(connect).build("published")
    clients = [connect("owner") for _ in range(16)]
    lines: list[dict[str, object]] = [
        {"account": "asset:escrow_bank", "side": "debit", "amount": 5},
        {"account": "liab:unmatched", "side": "credit", "amount": 5},
    ]
    with ThreadPoolExecutor(16) as pool:
        told = Counter(pool.map(lambda client: _post(client, "same", lines), clients))
    assert set(told) <= {"posted", "journal_pkey"}
    assert world.balance("asset:escrow_bank") == 5
    assert _post(clients[0], "same", lines) == "posted"
    assert _post(clients[0], "same", [line | {"amount": 6} for line in lines]) == "journal_id_has_one_body"
    assert world.balance("asset:escrow_bank") == 5
    world.check_ledger()


@pytest.mark.parametrize("login", LOGINS)
def test_no_login_writes_the_ledger(connect: Connect, login: str) -> None:
    connection = connect(login)
    for table in TABLES:
        for statement in (
            "insert into {} default values",
            "update {} set offering_id = ''",
            "delete from {}",
            "truncate {}",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.format(f"treasury.{table}").encode())


def test_an_account_statement_ends_with_the_balance(connect: Connect) -> None:
    world = Escrow(connect).build("funded")
    world.call("treasury.record_return", world.offering, "rcp_one3")
    last = world.ask(
        "select distinct on (account) account, balance_minor from treasury.account_statement"
        " order by account, occurred_at desc, leg desc"
    )
    assert len(last) == 8
    assert last == world.ask("select account, amount_minor from treasury.trial_balance order by account")
