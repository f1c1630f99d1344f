"""An issuer reads the rows of its own offers: every other statement of its login is empty or refused."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg.types.json import Jsonb

from bookrunner.core.credentials import digest as digest_of
from bookrunner.core.credentials import make_key
from tests.attack.conftest import shared
from tests.attack.world import Connect, World

__all__ = ["shared"]

PROFILE = {
    "name": "Harbor Street Capital",
    "colour": "#0b4f6c",
    "escrow_bank": "First Harbor Bank",
    "transfer_agent": "Theo Transfer Agency",
    "administrator": "Flo Fund Services",
}
VIEWS = (
    "profile",
    "offer",
    "investment",
    "closing",
    "holder",
    "money",
    "escrow",
    "release",
    "document",
    "notice",
)
TABLES = """
select c.oid::regclass::text from pg_class c where c.relrowsecurity order by 1
"""
OPEN_TO_ISSUERS = """
select c.oid::regclass::text, c.relkind::text, c.relrowsecurity,
    coalesce(c.reloptions @> '{security_invoker=true}', false)
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'v', 'm', 'p') and n.nspname not in ('pg_catalog', 'information_schema')
    and has_any_column_privilege('issuer', c.oid, 'select')
"""
CALLABLE = """
select p.oid::regprocedure::text from pg_proc p join pg_namespace n on n.oid = p.pronamespace
where n.nspname not in ('pg_catalog', 'information_schema')
    and has_function_privilege('issuer', p.oid, 'execute')
    and p.prosecdef order by 1
"""
MAY_CALL = [
    "api.admit(bytea)",
    "api.caller(bytea)",
    "api.end_session(bytea)",
    "api.holder(bytea)",
    "api.open_session(bytea,bytea)",
    "api.refuse_call(bytea,text,text,text)",
    "api.session_of(bytea,boolean)",
    "issuer.enter(bytea)",
    "issuer.enter_session(bytea)",
    "issuer.entered()",
    "issuer.filing_pack(text)",
    "issuer.own_offers()",
]


class Issuers:
    """Two issuers with one offer each, and a key of each."""

    def __init__(self, connect: Connect) -> None:
        self.connect = connect
        self.keys: dict[str, bytes] = {}
        owner = connect("owner")
        for label in ("one", "two"):
            world = World(connect, label)
            world.terms = {"issuer_id": f"iss_{label}"}
            world.build("registered" if label == "two" else "received")
            connect("engine").execute(
                "select engine.name_issuer('usr_operator', %s, %s, %s)",
                [f"req_{label}", f"iss_{label}", Jsonb(PROFILE | {"name": f"Issuer {label}"})],
            )
            self.keys[label] = digest_of(make_key("issuer"))
            owner.execute(
                "insert into api.key (name, key_sha256, keeper, issuer_id, issued_by, expires_at)"
                " values (%s, %s, 'issuer', %s, 'usr_operator', clock_timestamp() + interval '1 hour')",
                [f"staff.{label}", self.keys[label], f"iss_{label}"],
            )
        self.login = connect("issuer")

    def ask(self, statement: str, *, label: str | None = "one", first: str = "") -> list[tuple[object, ...]]:
        """Return what the issuers' login reads after it entered with a key, or without one."""
        with self.login.transaction(force_rollback=True):
            if label is not None:
                self.login.execute("select issuer.enter(%s)", [self.keys[label]])
            if first:
                self.login.execute(first.encode())
            return self.login.execute(statement.encode()).fetchall()


@pytest.fixture(scope="module")
def issuers(shared: Connect) -> Iterator[Issuers]:
    """Lend two issuers; what the tests do is rolled back."""
    return Issuers(shared)


@pytest.mark.parametrize("view", VIEWS)
def test_an_issuer_reads_its_own_and_nothing_of_another(issuers: Issuers, view: str) -> None:
    key = "issuer_id" if view == "profile" else "offering_id"
    found = {
        label: issuers.ask(f"select distinct {key} from issuer.{view}", label=label)  # noqa: S608
        for label in ("one", "two")
    }
    of = "iss" if view == "profile" else "ofr"
    for label, rows in found.items():
        assert rows in ([], [(f"{of}_{label}",)]), view
    if view not in {"notice", "closing", "holder", "release"}:
        assert all(found.values()), view


@pytest.mark.parametrize("view", VIEWS)
def test_without_a_credential_nothing_is_there(issuers: Issuers, view: str) -> None:
    assert issuers.ask(f"select * from issuer.{view}", label=None) == []  # noqa: S608


@pytest.mark.parametrize(
    "setting",
    [
        "set local bookrunner.issuer = 'iss_two'",
        "set local issuer.entered = 'iss_two'",
        "select set_config('bookrunner.actor', 'iss_two', true)",
        "set local row_security = off",
        "set constraints all immediate",
    ],
)
def test_no_setting_names_an_issuer(issuers: Issuers, setting: str) -> None:
    other = "select * from issuer.offer where offering_id = 'ofr_two'"
    for label in (None, "one"):
        if "row_security" in setting:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                issuers.ask(other, label=label, first=setting)
        else:
            assert issuers.ask(other, label=label, first=setting) == []


REFUSED = [
    "insert into issuer.entry (issuer_id) values ('iss_two')",
    "update issuer.entry set issuer_id = 'iss_two'",
    "delete from issuer.entry",
    "select * from issuer.entry",
    "truncate issuer.entry",
    "select * from engine.offer",
    "select * from engine.investment",
    "select * from portal.profile_claim",
    "select * from compliance.clearance",
    "select * from treasury.receipt",
    "select * from audit.event",
    "select * from api.key",
    "select * from engine.stage",
    "update issuer.profile set name = 'mine'",
    "alter table engine.offer disable row level security",
    "drop policy issuer_reads_its_own on engine.offer",
    "create policy mine on engine.offer using (true)",
    "alter role issuer bypassrls",
    "set session authorization engine",
    "set role engine",
    "create function issuer.entered() returns text language sql as 'select ''iss_two'''",
    "create schema mine",
    "select engine.name_issuer('usr_x', 'req_x', 'iss_two', '{}')",
    "call issuer.keep_apart('engine.terms', 'true')",
    "select issuer.enter('\\x00')",
]


@pytest.mark.parametrize("statement", REFUSED)
def test_a_statement_that_would_lead_further_is_refused(issuers: Issuers, statement: str) -> None:
    with pytest.raises(psycopg.Error) as caught:
        issuers.ask(statement)
    assert caught.value.sqlstate in {"42501", "BR401", "22023", "0A000"}, caught.value


def test_a_transaction_serves_one_issuer(issuers: Issuers) -> None:
    again = f"select issuer.enter('\\x{issuers.keys['two'].hex()}')"
    with pytest.raises(psycopg.errors.UniqueViolation):
        issuers.ask(again, label="one")


def test_what_was_entered_ends_with_its_transaction(issuers: Issuers) -> None:
    with issuers.login.transaction():
        issuers.login.execute("select issuer.enter(%s)", [issuers.keys["one"]])
        assert issuers.login.execute("select count(*) from issuer.offer").fetchone() == (1,)
    assert issuers.login.execute("select count(*) from issuer.offer").fetchone() == (0,)
    assert issuers.connect("owner").execute("select count(*) from issuer.entry").fetchone() == (0,)


def test_another_session_does_not_read_for_who_has_entered(issuers: Issuers) -> None:
    other = issuers.connect("issuer")
    with issuers.login.transaction(force_rollback=True):
        issuers.login.execute("select issuer.enter(%s)", [issuers.keys["two"]])
        assert other.execute("select count(*) from issuer.offer").fetchone() == (0,)


@pytest.mark.parametrize("keeper", ["engine", "treasury", "portal"])
def test_the_key_of_an_issuer_serves_no_keeper(issuers: Issuers, keeper: str) -> None:
    with pytest.raises(psycopg.Error) as caught:
        issuers.connect(keeper).execute("select api.caller(%s)", [issuers.keys["one"]])
    assert caught.value.sqlstate == "BR401"


def test_an_error_does_not_carry_a_row_of_another_out(issuers: Issuers) -> None:
    leak = "select 1 / (length(name) - length(name)) from issuer.offer where offering_id = 'ofr_two'"
    assert issuers.ask(leak) == []
    cast = "select name::integer from issuer.offer where offering_id <> 'ofr_one'"
    assert issuers.ask(cast) == []


def test_even_a_mistaken_right_on_the_tables_shows_no_row_of_another(issuers: Issuers) -> None:
    admin = issuers.connect("admin")
    tables = [name for (name,) in admin.execute(TABLES).fetchall()]
    assert len(tables) == 21
    with admin.transaction(force_rollback=True):
        admin.execute("grant usage on schema engine, registry, treasury, subscription to issuer")
        for table in tables:
            admin.execute(f"grant select, insert, update, delete on {table} to issuer".encode())
        admin.execute("set local session authorization issuer")
        admin.execute("select issuer.enter(%s)", [issuers.keys["one"]])
        for table in tables:
            rows = admin.execute(f"select to_jsonb(t)::text from {table} t".encode()).fetchall()  # noqa: S608
            assert not [row for (row,) in rows if "_two" in row], table


def test_whatever_the_login_may_read_has_row_security_behind_it(issuers: Issuers) -> None:
    owner = issuers.connect("owner")
    for name, kind, is_kept_apart, asks_the_reader in owner.execute(OPEN_TO_ISSUERS).fetchall():
        assert is_kept_apart or (kind == "v" and asks_the_reader), name
    assert [name for (name,) in owner.execute(CALLABLE).fetchall()] == MAY_CALL


@pytest.mark.parametrize("keeper", ["engine", "treasury"])
def test_row_security_adds_nothing_to_the_plans_of_keepers(issuers: Issuers, keeper: str) -> None:
    plan = "explain (costs off) select * from {0} where offering_id = 'ofr_one'"
    table = {"engine": "engine.position", "treasury": "treasury.balance"}[keeper]
    as_keeper, as_owner = (
        issuers.connect(login).execute(plan.format(table).encode()).fetchall() for login in (keeper, "owner")
    )
    assert as_keeper == as_owner


@pytest.mark.parametrize("colour", ["#ffffff", "#ffcc00", "red", "#0B4F6C", "#0b4f6c;x"])
def test_a_colour_that_bears_no_white_text_is_refused(issuers: Issuers, colour: str) -> None:
    engine = issuers.connect("engine")
    with pytest.raises(psycopg.errors.CheckViolation) as caught:
        engine.execute(
            "select engine.name_issuer('usr_operator', 'req_c', 'iss_one', %s)",
            [Jsonb(PROFILE | {"colour": colour})],
        )
    assert caught.value.diag.constraint_name == "brand_colour_bears_white_text"


def test_a_logo_is_a_picture(issuers: Issuers) -> None:
    with pytest.raises(psycopg.errors.CheckViolation) as caught:
        issuers.connect("engine").execute(
            "select engine.name_issuer('usr_operator', 'req_l', 'iss_one', %s, %s)",
            [Jsonb(PROFILE), b"<svg/>"],
        )
    assert caught.value.diag.constraint_name == "logo_is_a_small_png"
