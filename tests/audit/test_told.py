"""What events tell of a row is the canonical text of the columns that differ, of every kept table."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import product

import psycopg
import pytest
from psycopg import sql
from psycopg.types.json import Jsonb

Connect = Callable[[str], psycopg.Connection]

KINDS = {
    "a_text": "text",
    "Z_text": "text",
    "flag": "boolean",
    "day": "date",
    "moment": "timestamptz",
    "digest": "bytea",
    "small": "integer",
    "large": "bigint",
    "exact": "numeric(38, 0)",
    "papers": "jsonb",
    "names": "text[]",
}
ROWS: tuple[tuple[object, ...], ...] = (
    (None,) * len(KINDS),
    ("x", "", True, "2026-02-28", "2026-02-28 12:00:00.5+00", b"\x00\xff", 0, 2**53 - 1, 7, Jsonb([]), []),
    (
        'Façade "A"\n\t\\ \x7f 🏛',
        "\x01",
        False,
        "0999-01-01",
        "infinity",
        b"",
        -1,
        1 - 2**53,
        0,
        Jsonb({"b": [1, None, {"é": True, "a": "\x1f"}], "aa": {}}),
        ["a b", 'q"', "NULL"],
    ),
)
CANONICAL = """
    select coalesce(audit.told(o, n), ''), audit.canonical((
        select coalesce(jsonb_object_agg(e.key, e.value), '{}') from jsonb_each(to_jsonb(n)) e
        where e.value is distinct from coalesce(to_jsonb(o) -> e.key, 'null')
            and e.key <> all ('{version,chain_head,hidden,live}')))
    from audit.sample o, audit.sample n where o.id = %s and n.id = %s
"""


@pytest.fixture
def sample(connect: Connect) -> psycopg.Connection:
    """Return a connection with a table of each kind of column, whose rows are told."""
    owner = connect("owner")
    columns = ", ".join(f'"{name}" {kind}' for name, kind in KINDS.items())
    owner.execute(
        f"create table audit.sample (id text, scope text default 's', status text default 'new', {columns},"
        " hidden text default 'h', version bigint, chain_head bytea,"
        " live boolean generated always as (small > 0) stored)"
    )
    owner.execute("call audit.tell('audit.sample', 'id', 'scope', '{hidden}')")
    insert = sql.SQL("insert into audit.sample (id, {}) values ({})").format(
        sql.SQL(", ").join(map(sql.Identifier, KINDS)),
        sql.SQL(", ").join([sql.Placeholder()] * (len(KINDS) + 1)),
    )
    for number, row in enumerate(ROWS):
        owner.execute(insert, (f"r{number}", *row))
    return owner


def test_a_difference_is_told_as_its_canonical_text(sample: psycopg.Connection) -> None:
    told = set()
    for before, after in product(range(len(ROWS)), repeat=2):
        ((text, canonical),) = sample.execute(CANONICAL, (f"r{before}", f"r{after}")).fetchall()
        assert text == canonical, (before, after)
        told.add(text)
    assert "{}" in told
    assert len(told) == 1 + len(ROWS)


@pytest.mark.parametrize(("column", "value"), [("large", 2**53), ("exact", 2**53), ("papers", Jsonb([0.5]))])
def test_a_number_with_two_spellings_is_refused(
    sample: psycopg.Connection, column: str, value: object
) -> None:
    change = sql.SQL("update audit.sample set {} = %s where id = 'r1'").format(sql.Identifier(column))
    sample.execute(change, (value,))
    with pytest.raises(psycopg.Error) as refusal:
        sample.execute(CANONICAL, ("r0", "r1"))
    assert refusal.value.diag.constraint_name == "numbers_are_whole_and_exact"


def test_every_column_of_a_kept_table_is_told_or_private(connect: Connect) -> None:
    owner = connect("owner")
    kept = owner.execute(
        "select t.tgrelid::regclass::text, encode(t.tgargs, 'escape'), pg_get_functiondef(p.oid), array("
        "  select a.attname::text from pg_attribute a where a.attrelid = t.tgrelid and a.attnum > 0"
        "  and not a.attisdropped and a.attgenerated = '' and a.attname <> all ('{version,chain_head}'))"
        " from pg_trigger t join pg_class c on c.oid = t.tgrelid"
        " left join pg_proc p on p.pronamespace = 'audit'::regnamespace and p.proname = 'told'"
        " and p.proargtypes[0] = c.reltype where t.tgname = 'zz_guard'"
    ).fetchall()
    assert len(kept) > 20
    for table, arguments, definition, columns in kept:
        private = set(arguments.split("\\000")[3].strip("{}").split(",")) - {""}
        told = {column for column in columns if f'\'"{column}":' in definition}
        assert told == set(columns) - private, table


GUARDED = """
insert into engine.machine (machine, keeper, sentence) values ('sample', session_user, 'A row of a test.');
insert into engine.state (machine, state, sentence)
values ('sample', 'new', 'Born.'), ('sample', 'old', 'Moved.');
insert into engine.transition (machine, from_state, to_state, trigger, role)
values ('sample', 'new', 'old', 'aged', session_user), ('sample', 'new', 'new', 'kept', session_user);
update audit.sample set version = 1, chain_head = audit.genesis(id);
call audit.keep('audit.sample', 'sample', 'id', 'scope', '{hidden}');
select set_config('bookrunner.actor', 'usr_1', false), set_config('bookrunner.request', 'req_1', false);
"""


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("status = 'old'", {"status": "old"}),
        ("status = 'old', hidden = 'x', version = 7", {"status": "old"}),
        ("hidden = 'x'", {}),
        ("status = 'new'", {}),
        *((f"status = 'old', \"{name}\" = null", {name: None, "status": "old"}) for name in KINDS),
    ],
)
def test_an_event_tells_what_differs_and_no_more(
    sample: psycopg.Connection, change: str, told: dict[str, object]
) -> None:
    sample.execute(GUARDED)
    place = f"audit.sample set {change} where id = 'r1'"
    sample.execute(f"update {place}".encode())
    event = sample.execute(
        "select version, kind, canonical,"
        " hash = sha256(audit.genesis('r1') || convert_to(canonical, 'UTF8')),"
        " hash = (select chain_head from audit.sample where id = 'r1') from audit.event where subject = 'r1'"
    ).fetchall()
    kind = "sample.aged" if "old" in change else "sample.kept"
    ((version, said, canonical, *hashes),) = event
    assert (version, said, hashes) == (2, kind, [True, True])
    assert json.loads(canonical)["payload"] == told


@pytest.mark.parametrize("change", ["id = 'r9'", "scope = 't'"])
def test_a_plain_move_takes_no_key_along(sample: psycopg.Connection, change: str) -> None:
    sample.execute(GUARDED)
    place = f"audit.sample set status = 'old', {change} where id = 'r1'"
    with pytest.raises(psycopg.Error) as refusal:
        sample.execute(f"update {place}".encode())
    assert refusal.value.diag.constraint_name == "keys_never_change"


def test_an_unlisted_move_leaves_no_event(sample: psycopg.Connection) -> None:
    sample.execute(GUARDED)
    with pytest.raises(psycopg.Error) as refusal:
        sample.execute("update audit.sample set status = 'gone' where id = 'r1'")
    assert refusal.value.diag.constraint_name == "transition_is_listed_for_the_keeper"
    assert sample.execute("select from audit.event where subject = 'r1'").fetchall() == []
