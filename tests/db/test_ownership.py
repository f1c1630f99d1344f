"""Every data element has one book and one keeper: docs/ownership.md against the catalog."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from pathlib import Path

from bookrunner.db import LOGINS
from tests.attack.world import Connect

PAGE = Path(__file__).resolve().parents[2] / "docs" / "ownership.md"
ROW = re.compile(r"^\| `([a-z]+\.[a-z_]+)` \| (.*?) \| (.*?) \| (.*?) \|$", re.MULTILINE)
BOOKS = {
    "portal",
    "compliance",
    "subscription",
    "treasury",
    "registry",
    "engine",
    "reconciliation",
}
WRITES = re.compile(r"(?:insert\s+into|update|delete\s+from)\s+(?:only\s+)?([a-z]+\.[a-z_]+)", re.IGNORECASE)
GROUP = re.compile(r"What `(\w+)` says now")
RELATIONS = """
select format('%s.%s', n.nspname, c.relname), a.attname
from pg_class c join pg_namespace n on n.oid = c.relnamespace
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relkind in ('r', 'p') and n.nspname not in ('pg_catalog', 'information_schema', 'dbos')
"""
FUNCTIONS = """
select pg_get_functiondef(p.oid), array(select r.rolname from pg_roles r
    where r.rolname = any (%s) and has_function_privilege(r.oid, p.oid, 'execute'))
from pg_proc p join pg_namespace n on n.oid = p.pronamespace
where n.nspname not in ('pg_catalog', 'information_schema', 'dbos') and p.prokind = 'f'
"""


def told() -> list[tuple[str, str, list[str], set[str]]]:
    """Return the rows of the page: table, whose group of columns, the columns, who else moves it."""
    rows = ROW.findall(PAGE.read_text(encoding="utf-8"))
    return [
        (
            table,
            found[1] if (found := GROUP.search(about)) else table.partition(".")[0],
            re.findall(r"`(\w+)`", columns),
            set(re.findall(r"`(\w+)`", movers)),
        )
        for table, about, columns, movers in rows
    ]


def test_every_element_has_one_book_and_one_keeper(connect: Connect) -> None:
    owned = Counter((table, column) for table, _, columns, _ in told() for column in columns)
    there = set(connect("owner").execute(RELATIONS).fetchall())
    assert sorted(there - owned.keys()) == [], "nobody owns these elements"
    assert sorted(owned.keys() - there) == [], "the page owns what is not there"
    groups = [keeper for table, keeper, _, _ in told() if table == "engine.position"]
    assert groups == ["engine", "portal", "compliance", "subscription", "treasury", "registry"]
    assert [element for element, owners in owned.items() if owners > 1] == [], "two own these elements"


def test_no_login_writes_a_table_beside_its_keepers_verbs(connect: Connect) -> None:
    owner = connect("owner")
    written = owner.execute(
        "select distinct c.oid::regclass::text, r.rolname from pg_class c"
        " join pg_namespace n on n.oid = c.relnamespace"
        " cross join pg_roles r where c.relkind in ('r', 'p') and r.rolname = any (%s)"
        " and n.nspname not in ('pg_catalog', 'information_schema', 'dbos')"
        " and has_table_privilege(r.oid, c.oid, 'insert,update,delete,truncate')",
        [list(LOGINS)],
    )
    assert written.fetchall() == []
    keepers: dict[str, set[str]] = defaultdict(set)
    for table, keeper, _, movers in told():
        keepers[table] |= {keeper} | movers
    reach: dict[str, set[str]] = defaultdict(set)
    for text, logins in owner.execute(FUNCTIONS, [list(LOGINS)]).fetchall():
        for table in WRITES.findall(text):
            if table.partition(".")[0] in BOOKS:
                reach[table] |= set(logins)
    wrong = {table: sorted(logins) for table, logins in reach.items() if not logins <= keepers[table]}
    assert wrong == {}, "these logins write a table that is not theirs"
    assert len(reach) > 100


def test_a_machine_stands_in_the_book_of_its_keeper(connect: Connect) -> None:
    rows = connect("owner").execute(
        "select n.nspname, m.machine, m.keeper from pg_trigger t join pg_class c on c.oid = t.tgrelid"
        " join pg_namespace n on n.oid = c.relnamespace join engine.machine m"
        " on m.machine = split_part(encode(t.tgargs, 'escape'), '\\000', 1) where t.tgname = 'zz_guard'"
    )
    found = rows.fetchall()
    assert len(found) > 80
    # The login of accounts keeps them in the schema of the API, which is nobody's book.
    assert [row for row in found if {"api": "access"}.get(row[0], row[0]) != row[2]] == []
