# ruff: noqa: S608 - table and column names come from the constants of this file
"""Statements that must be refused, one sentence each, and legal ones that must not.

One database serves all of them: each statement runs in a transaction that is rolled back. ``ofr_full`` has a
closing with prepared instructions, ``ofr_open`` is funded with a revoked first investor, ``ofr_early`` has
investors with a profile and clearance only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import errors, sql

from bookrunner.db import LOGINS as EVERY_LOGIN
from tests.attack.rights import EVERY_RIGHT
from tests.attack.world import CHAIN, Connect, World

BOOKS = {
    "portal": ("portal.profile", "account_id"),
    "compliance": ("compliance.clearance", "needs_accreditation"),
    "subscription": ("subscription.agreement", "units"),
    "treasury": ("treasury.receipt", "amount_minor"),
    "registry": ("registry.issuance_instruction", "units"),
    "engine": ("engine.investment", "units"),
    "reconciliation": ("reconciliation.break", "owner"),
    "audit": ("audit.event", "actor"),
}
LOGINS = tuple(BOOKS)
NO_RIGHT = "42501"
UNLISTED = "transition_is_listed_for_the_keeper"
APPEND_ONLY = "history_is_append_only"
NEVER_DELETED = "records_are_never_deleted"
NAMELESS = "write_names_actor_and_request"
NAMED = """
select set_config('bookrunner.actor', 'usr_thief', true), set_config('bookrunner.request', 'req_theft', true)
"""
# The keeper's own verb with a bad name for who acts; the other arguments do not matter.
VERBS = {
    "portal": "portal.require_correction({0}, {1}, 'ivr_early1')",
    "compliance": "compliance.revoke_identity({0}, {1}, 'ivr_early1', 'because')",
    "subscription": "subscription.void_agreement({0}, {1}, 'ofr_full', 'agr_full1', 'because')",
    "treasury": "treasury.clear({0}, {1}, 'ofr_full', null)",
    "registry": "registry.stop({0}, {1}, 'ofr_full', '{{inv_full1}}', 'because')",
    "engine": "engine.move_offer({0}, {1}, 'ofr_early', 'legally_closed')",
    "reconciliation": "reconciliation.run({0}, {1}, 'ofr_full', 'run_1', null)",
}
NAMES = [("''", "'req_1'"), ("'usr_1'", "''"), ("null", "'req_1'"), ("'usr_1'", "null")]

Row = tuple[str, str, str, str]


def read(name: str) -> list[Row]:
    """Return the rows of a file of statements; the head of each is ``-- login | rule | sentence``."""
    text = (Path(__file__).parent / "statements" / name).read_text(encoding="utf-8")
    found = re.findall(r"^-- (\w+) \| (\w+) \| (.+)\n((?:(?!--).+\n)+)", text, re.MULTILINE)
    return [(sentence, login, statement, rule) for login, rule, sentence, statement in found]


OWN_RIGHTS = read("own_rights.sql") + read("register.sql") + read("control.sql")
ALL_RIGHTS = read("every_right.sql") + read("restraint.sql")
LEDGER = read("ledger.sql")
LEGAL = read("legal.sql")
CHECKED = "set constraints all immediate"

LONG_AGO = {"issued_at": "2026-03-02T09:00:00Z", "expires_at": "2026-03-02T09:10:00Z"}

FACTS = {
    "portal": "profile_is_complete = not profile_is_complete",
    "compliance": "investor_is_cleared = not investor_is_cleared",
    "subscription": "risks_are_acknowledged = not risks_are_acknowledged",
    "treasury": "received_minor = received_minor + 1",
    "registry": "wallet_is_linked = not wallet_is_linked",
}

VIEWS = """
select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'v' and n.nspname not in ('pg_catalog', 'information_schema', 'dbos')
    and has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select')
"""


@pytest.fixture(scope="module")
def attack(shared: Connect) -> World:
    """Return one of several offerings at different steps; its connections serve every attack."""
    World(shared, "full").build("prepared")
    opened = World(shared, "open").build("linked")
    opened.revoke(1)
    World(shared, "sent").build("submitted")
    done = World(shared, "done").build("registered")
    payee = done.login("owner").execute("select sha256('payee')").fetchone()
    assert payee is not None
    done.call("treasury.propose_release", done.offering, "rel_done", done.closing, payee[0])
    _keep_records(done)
    _control(World(shared, "held").build("registered"))
    lone = World(shared, "lone", 1).build("signed")
    lone.call("subscription.propose_allocation", lone.offering, "alc_lone1", "inv_lone1", 1)
    early = World(shared, "early").build("cleared")
    early.call(
        "registry.open_mapping",
        early.offering,
        "wmp_early1",
        "ivr_early1",
        1,
        b"\x09" * 20,
        "wlc_x@1",
        "key",
    )
    for n, kind in ((2, "key"), (3, "contract")):
        mapping = [early.offering, early.id("wmp", n)]
        claimed = [early.id("ivr", n), CHAIN, early.address(n), "wlc_x@1", kind]
        early.call("registry.open_mapping", *mapping, *claimed)
        early.call("registry.mark_screened", *mapping, "scr_x@1")
    for name, old in (("wch_early1", {}), ("wch_early_old", LONG_AGO)):
        asked = early.asked(name, "ivr_early1", b"\x01" * 20, **old)
        early.call("portal.issue_challenge", early.offering, name, "ivr_early1", asked)
    early.call("compliance.open_case", "ivr_fresh1", "kyc_fresh1", "individual")
    return early


def _keep_records(done: World) -> None:
    """Let the agent have one of each record that waits for somebody."""
    where = done.offering
    done.call("registry.propose_control_change", where, "cch_done", 2_000_000, b"\x03" * 32, "resolution 2")
    shown = {"block_number": 9, "block_hash": "09" * 32, "minted": 10, "undelivered": 0}
    assert done.call("registry.compare_records", where, shown) == 1
    done.call("registry.keep_apart", where, "sub_done", "debit", 2, "power 1", "no such lot", "agent.theo")
    paper = [b"\x04" * 32, "counsel has written"]
    done.call("registry.propose_legend_removal", where, "lgr_done", "lot_done1", "opinion", *paper)
    item = {
        "kind": "inquiry",
        "is_routine": True,
        "reference": "letter",
        "received_at": "2026-03-02T16:00:00Z",
    }
    clock = {"counts_from": "2026-03-02", "due_on": "2026-03-09"}
    done.call("registry.receive_item", where, "itm_done", item | clock)
    _ask_transfers(done, item | clock)


def _ask_transfers(done: World, clock: dict[str, object]) -> None:
    """Let somebody ask for transfers, and the chain show one that nobody asked for."""
    where, hashed = done.offering, "0a" * 32
    rule = {"kind": "holder_cap", "amount": 9, "starts_on": "2026-03-02", "because": "x", "paper": hashed}
    done.call("registry.propose_transfer_rule", where, "trl_done", rule)
    done.call("registry.record_affiliation", where, "aff_done", "ivr_done1", "family", "spouses")
    said = {"kind": "gift", "route": "agent", "seller": "ivr_done3", "buyer": "ivr_done1", "units": 1}
    kinds = ("transfer_instruction", "gift_statement")
    every = [{"paper": kind, "sha256": hashed} for kind in kinds]
    done.call("registry.request_transfer", where, "xfr_new", said, "[]", "itm_new", clock, actor="usr_asker")
    done.call(
        "registry.request_transfer", where, "xfr_done", said, every, "itm_sent", clock, actor="usr_asker"
    )
    done.call("registry.mark_transfer_screened", where, "xfr_done")
    log = {"id": "obs_done", "chain_id": CHAIN, "hash": "0b" * 32, "ordinal": 0, "block": 9}
    log |= {"mined_at": "2026-03-02T16:00:00Z"}
    log |= {"from": done.address(3).hex(), "to": "0c" * 20, "units": 1}
    done.call("registry.observe_transfer", where, log, "itm_seen", clock)


def _control(held: World) -> None:
    """Let two agents have one action asked, a part freeze, a forced transfer and a recovery under way."""
    new = [held.offering, "wmp_held_new"]
    held.call("registry.open_mapping", *new, "ivr_held1", CHAIN, b"\x0c" * 20, "wlc_x@1", "key")
    held.call("registry.mark_screened", *new, "scr_x@1")
    held.call("registry.approve_wallet", *new)
    order = {"because": "court", "order_sha256": "ab" * 32, "order_reference": "order 7"}
    for action, asked in {
        "cta_asked": {"kind": "freeze_units", "investor": "ivr_held3", "units": 1},
        "cta_part": {"kind": "freeze_units", "investor": "ivr_held2", "units": 1},
        "cta_force": {"kind": "force_transfer", "investor": "ivr_held3", "receiver": "ivr_held2", "units": 1},
        "cta_lost": {"kind": "recover_wallet", "investor": "ivr_held1", "mapping": "wmp_held_new"},
    }.items():
        held.call("registry.ask_control", held.offering, action, asked | order)
        if action != "cta_asked":
            held.call("registry.decide_control", held.offering, action, "true", "", actor="usr_second")


@contextmanager
def rolled_back(connection: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """Lend the connection inside a transaction that leaves nothing behind."""
    with connection.transaction(force_rollback=True):
        yield connection


def refused(world: World, login: str, statements: str, rule: str, *, rights: str = "") -> None:
    """Assert that the statements are refused with this SQLSTATE or constraint."""
    with rolled_back(world.login(login)) as connection:
        connection.execute(NAMED.encode())
        if rights:
            connection.execute(rights.encode())
        with pytest.raises(psycopg.Error) as caught:
            connection.execute(statements.encode())
    assert rule in {caught.value.sqlstate, caught.value.diag.constraint_name}, caught.value


def sentences(rows: list[Row]) -> list[str]:
    return [f"{login}: {sentence}" for sentence, login, *_ in rows]


@pytest.mark.parametrize("row", OWN_RIGHTS, ids=sentences(OWN_RIGHTS))
def test_a_login_is_refused(attack: World, row: Row) -> None:
    _, login, statement, rule = row
    refused(attack, login, statement, rule)


@pytest.mark.parametrize("row", ALL_RIGHTS, ids=sentences(ALL_RIGHTS))
def test_a_login_with_every_right_is_refused(attack: World, row: Row) -> None:
    _, login, statement, rule = row
    refused(attack, "admin", statement, rule, rights=EVERY_RIGHT.format(login))


@pytest.mark.parametrize("row", LEDGER, ids=sentences(LEDGER))
def test_the_ledger_refuses_even_its_owner(attack: World, row: Row) -> None:
    _, login, statement, rule = row
    refused(attack, login, statement, rule)


@pytest.mark.parametrize("login", EVERY_LOGIN)
@pytest.mark.parametrize("book", LOGINS)
def test_no_login_writes_a_table_directly(attack: World, login: str, book: str) -> None:
    table, column = BOOKS[book]
    for statement in (
        f"update {table} set {column} = {column}",
        f"insert into {table} default values",
        f"delete from {table}",
        f"truncate {table}",
        f"alter table {table} disable trigger all",
        f"drop table {table}",
    ):
        refused(attack, login, statement, NO_RIGHT)


@pytest.mark.parametrize("login", EVERY_LOGIN)
@pytest.mark.parametrize("book", list(VERBS))
def test_no_login_calls_the_verb_of_another_book(attack: World, login: str, book: str) -> None:
    if login != book:
        refused(attack, login, "select " + VERBS[book].format("'usr_1'", "'req_1'"), NO_RIGHT)


@pytest.mark.parametrize("login", list(VERBS))
@pytest.mark.parametrize(("actor", "request_id"), NAMES)
def test_a_verb_without_actor_or_request_is_refused(
    attack: World, login: str, actor: str, request_id: str
) -> None:
    refused(attack, login, "select " + VERBS[login].format(actor, request_id), NAMELESS)


@pytest.mark.parametrize("login", [each for each in EVERY_LOGIN if each != "workflow"])
@pytest.mark.parametrize(
    "statement",
    [
        "set role bookrunner_owner",
        "set session authorization treasury; set session authorization registry",
        "set session_replication_role = replica",
        "alter role portal superuser",
        "create schema mine",
        "create table public.mine ()",
        "create function engine.mine() returns int language sql as 'select 1'",
        "alter function engine.pass(text, text, text) owner to current_user",
        "copy audit.event to program 'true'",
        "select dbos.enqueue_workflow('run_closing', 'closings')",
        "select audit.enter('usr_1', 'req_1')",
        "lock table engine.position in access exclusive mode",
    ],
)
def test_no_login_steps_out_of_its_role(attack: World, login: str, statement: str) -> None:
    refused(attack, login, statement, NO_RIGHT)


@pytest.mark.parametrize("who", ["owner", "admin"])
@pytest.mark.parametrize(
    "statement",
    ["update audit.event set actor = 'usr_x'", "delete from audit.event", "truncate audit.event cascade"],
)
def test_an_event_stands_even_in_replica_mode(attack: World, who: str, statement: str) -> None:
    refused(attack, who, statement, APPEND_ONLY)
    refused(attack, "admin", statement, APPEND_ONLY, rights="set local session_replication_role = replica")


@pytest.mark.parametrize("book", [book for book in LOGINS if book not in {"audit", "reconciliation"}])
def test_a_record_is_never_deleted_even_by_the_owner(attack: World, book: str) -> None:
    table, _ = BOOKS[book]
    refused(attack, "owner", f"delete from {table}", NEVER_DELETED)
    refused(attack, "owner", f"truncate {table} cascade", NEVER_DELETED)
    refused(
        attack,
        "admin",
        f"delete from {table}",
        NEVER_DELETED,
        rights="set local session_replication_role = replica",
    )


@pytest.mark.parametrize("book", [book for book in LOGINS if book not in {"audit", "reconciliation"}])
def test_the_guard_turns_the_owner_away(attack: World, book: str) -> None:
    table, _ = BOOKS[book]
    replica = "set local session_replication_role = replica"
    nameless = "select set_config('bookrunner.actor', '', true)"
    refused(attack, "owner", f"update {table} set status = 'invented'", UNLISTED)
    refused(attack, "owner", f"update {table} set status = status", NAMELESS, rights=nameless)
    refused(attack, "admin", f"update {table} set status = 'invented'", UNLISTED, rights=replica)


@pytest.mark.parametrize("who", [*LOGINS, "nobody"])
@pytest.mark.parametrize("keeper", list(FACTS))
def test_a_fact_is_written_by_its_keeper_alone(attack: World, who: str, keeper: str) -> None:
    statement = f"update engine.position set {FACTS[keeper]} where investment_id = 'inv_early1'"
    rights = "" if who == "nobody" else EVERY_RIGHT.format(who)
    if who != keeper:
        refused(attack, "admin", statement, "keeper_alone_writes_its_facts", rights=rights)


@pytest.mark.parametrize("row", LEGAL, ids=sentences(LEGAL))
def test_a_legal_statement_is_accepted(attack: World, row: Row) -> None:
    _, login, statement, _ = row
    with rolled_back(attack.login(login)) as connection:
        rows = connection.execute(statement.encode()).fetchall()
        connection.execute(CHECKED.encode())
    assert rows


def test_every_login_has_a_legal_statement() -> None:
    assert {row[1] for row in LEGAL} == set(LOGINS)


@pytest.mark.parametrize("login", LOGINS)
def test_no_login_hands_on_a_right(attack: World, login: str) -> None:
    # The server only warns a login that may read but not grant.
    with rolled_back(attack.login(login)) as connection:
        connection.execute("grant insert, update on audit.event to portal")
        row = connection.execute(
            "select has_table_privilege('portal', 'audit.event', 'insert, update')"
        ).fetchone()
    assert row == (False,)


@pytest.mark.parametrize("login", LOGINS)
def test_every_view_that_a_login_may_read_can_be_read(attack: World, login: str) -> None:
    """A view may be granted while a function or table behind it is not."""
    connection = attack.login(login)
    views = connection.execute(VIEWS.encode()).fetchall()
    assert views
    for (view,) in views:
        connection.execute(sql.SQL("select * from {}").format(sql.SQL(view)))


def test_a_late_verb_finds_the_transaction_already_refused(attack: World) -> None:
    """After a refusal nothing of the same transaction can be kept."""
    with rolled_back(attack.login("engine")) as connection:
        with pytest.raises(psycopg.Error):
            connection.execute("select engine.confirm('usr_1', 'req_1', 'ofr_early', 'inv_early1')")
        with pytest.raises(errors.InFailedSqlTransaction):
            connection.execute("select 1")
