"""Writes docs/states.md, refusals.md, authority.md, ownership.md, openapi.json and guarantees.md.

With ``--check`` it writes nothing and fails when one of them is stale.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from textwrap import fill
from types import SimpleNamespace
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
# As a program this file sees its own folder alone.
sys.path.insert(0, str(ROOT))
PACKAGE = "src/bookrunner"
_MADE = "<!-- Made by scripts/generate_docs.py; edit the code instead. -->\n"
_TEXT = r"'((?:[^']|'')*)'"
_INSERT = re.compile(
    r"insert into engine\.(machine|state|transition) \(([a-z_, ]+)\) values(.*?)\);\n", re.DOTALL
)
_ROW = re.compile(rf"\(({_TEXT}(?:,\s*{_TEXT})*)\)")
_VALUE = re.compile(_TEXT)
_RAISED = re.compile(r"(?:constraint = |\.refuse\(|\.refuse_unknown\(|\.rule )'([a-z0-9_]+)'")
_DECLARED = re.compile(
    r"\bconstraint ([a-z0-9_]+)\s+(?:check|unique|foreign key|primary key|not null|references)"
)
_INDEX = re.compile(r"create unique index ([a-z0-9_]+)")
_COMMENT = re.compile(r"--[^\n]*")
_KEPT = re.compile(r"call audit\.keep\('([a-z_.]+)', '([a-z_]+)'")
_TABLE = re.compile(
    r"((?:^--[^\n]*\n)*)^create (?:unlogged )?table ([a-z]+\.[a-z_]+) \(\n(.*?)^\)", re.DOTALL | re.MULTILINE
)
_COLUMN = re.compile(r"^    ([a-z_][a-z_0-9]*) ", re.MULTILINE)
_CLAUSES = frozenset({"constraint", "primary", "foreign", "unique", "check", "exclude"})
_KEEPERS = {
    "api": "Keeper: the owner of the schema, by the command line; the entrance writes sessions and uses.",
    "audit": "Keeper: the database, which writes history with each act; `audit` numbers and seals it.",
    "issuer": "Keeper: the database, for the length of one transaction.",
}
_OWNERSHIP = (
    "Every data element has one book and one keeper: the schema that its table stands in, and the login of"
    " that name. No login may write a table; the keeper executes the verbs that do. *Moved by others* names a"
    " login that a state machine lets make some moves of a record, by a verb of its own. A position alone has"
    " groups of columns with a keeper each. A test compares this page with the catalog of a database and asks"
    " it for every table which logins can reach a statement that writes it."
)
_AUTHORITY = (
    "Who may call each operation of the API. A key has one role: its keeper; `issuer`, which reaches its own"
    " offers; `investor`, a key with the id of an investor as its name, which reaches itself. `client` is a"
    " token, `link` a signed link, `signature` a signed message, `anyone` needs nothing. A key may be scoped"
    " to less ([api](api.md)). A call that the role may not make is refused with 403 and the roles that may."
    " *Reveals* is what it reads or takes of a person: nothing, what was done under an id, or who the person"
    " is. *Verb* is executable by the named login alone; *four eyes* is the rule that asks for a second"
    " person. The pages act with the login of the session's key through the same books."
)


@dataclass(frozen=True, slots=True)
class Move:
    """One listed move of a machine; ``before`` is empty for a birth, ``role`` the login that may make it."""

    machine: str
    before: str
    after: str
    trigger: str
    role: str


@dataclass(frozen=True, slots=True)
class Machines:
    """All machines in their order: sentence and keeper of each, the sentence of each state, the moves."""

    about: Mapping[str, tuple[str, str]]
    states: Mapping[str, Mapping[str, str]]
    moves: Mapping[str, Sequence[Move]]


MOVES = (
    "transitions.sql",
    "treasury.sql",
    "register.sql",
    "market.sql",
    "people.sql",
    "proof.sql",
    "servicing.sql",
)


def engine_file(name: str, root: Path = ROOT) -> Path:
    """Return the one file of this name in the engine, whatever folder it is in."""
    (path,) = (root / PACKAGE / "engine").rglob(name)
    return path


def machines(root: Path = ROOT) -> Machines:
    """Read the machines from their rows in the engine."""
    rows: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for name in ("machines.sql", "states.sql", "states_of_proof.sql", *MOVES):
        text = engine_file(name, root).read_text(encoding="utf-8")
        for table, columns, body in _INSERT.findall(text):
            for found in _ROW.finditer(f"{body})"):
                values = tuple(v.replace("''", "'") for v in _VALUE.findall(found.group(1)))
                if len(values) != columns.count(",") + 1:
                    raise SystemExit(f"{name}: {found.group(0)} is not ({columns})")
                rows[table].append(values)
    states: dict[str, dict[str, str]] = defaultdict(dict)
    moves: dict[str, list[Move]] = defaultdict(list)
    for machine, state, sentence in rows["state"]:
        states[machine][state] = sentence
    for row in rows["transition"]:
        moves[row[0]].append(Move(*row))
    return Machines({m: (keeper, sentence) for m, keeper, sentence in rows["machine"]}, states, moves)


def states_page(root: Path = ROOT) -> str:
    """Return the text of docs/states.md: a diagram, the states and the moves of each machine."""
    found = machines(root)
    lines = [_MADE, "# States\n"]
    lines += [
        f"{len(found.about)} state machines, as the database enforces them. A move without a row here is",
        "refused with `transition_is_listed_for_the_keeper`; each move that is made appends one event",
        "`machine.trigger`. `[*]` is the moment before the record exists.\n",
    ]
    for machine, (keeper, sentence) in found.about.items():
        lines += [f"## {machine}\n", f"{sentence} Keeper: `{keeper}`.\n", "```mermaid", "stateDiagram-v2"]
        moves = found.moves.get(machine, ())
        lines += [f"    {m.before or '[*]'} --> {m.after}: {m.trigger}" for m in moves]
        lines += ["```\n", "| State | Means |", "|---|---|"]
        lines += [f"| `{state}` | {told} |" for state, told in found.states[machine].items()]
        lines += ["", "| From | To | Trigger | Login |", "|---|---|---|---|"]
        lines += [f"| {_code(m.before)} | `{m.after}` | `{m.trigger}` | `{m.role}` |" for m in moves]
        lines.append("")
    return "\n".join(lines)


def _code(state: str) -> str:
    return f"`{state}`" if state else "(born)"


def rules_in_sql(root: Path = ROOT) -> Iterator[tuple[str, str, str]]:
    """Yield rule, kind and file for each rule of the schema files.

    The frozen migrations repeat them and are left out.
    """
    for path in sorted((root / PACKAGE).rglob("*.sql")):
        where = path.relative_to(root / PACKAGE).as_posix()
        if where.startswith("db/migrations/"):
            continue
        text = _COMMENT.sub("", path.read_text(encoding="utf-8"))
        for kind, pattern in (("raised", _RAISED), ("constraint", _DECLARED), ("unique index", _INDEX)):
            for rule in pattern.findall(text):
                yield rule, kind, where


def rules_in_python(root: Path = ROOT) -> Iterator[tuple[str, str, str]]:
    """Yield rule, kind and file for each literal in a refusal and each value of an enum named ``…Rule``."""
    for path in sorted((root / PACKAGE).rglob("*.py")):
        where = path.relative_to(root / PACKAGE).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args and ast.unparse(node.func).endswith("Refused"):
                first = node.args[0]
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    yield first.value, "refused", where
            if isinstance(node, ast.ClassDef) and node.name.endswith("Rule"):
                for part in node.body:
                    if isinstance(part, ast.Assign) and isinstance(part.value, ast.Constant):
                        yield str(part.value.value), node.name, where


def refusals_page(root: Path = ROOT) -> str:
    """Return the text of docs/refusals.md: each rule once, sorted, with where it stands."""
    places: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for rule, kind, where in (*rules_in_sql(root), *rules_in_python(root)):
        places[rule].add((kind, where))
    lines = [_MADE, "# Refusals\n"]
    lines += [
        f"{len(places)} rules. A refusal carries the name of the broken rule: a proposition that would",
        "have to hold. *raised* is a RAISE in SQL, *constraint* and *unique index* stand on a table,",
        "*refused* is raised in Python, a name ending in Rule is the enum of the rules of one reader",
        f"or check. Files are under `{PACKAGE}/`.\n",
        "| Rule | Kind | Stands in |",
        "|---|---|---|",
    ]
    for rule in sorted(places):
        kinds = ", ".join(sorted({kind for kind, _ in places[rule]}))
        files = ", ".join(f"`{where}`" for where in sorted({where for _, where in places[rule]}))
        lines.append(f"| `{rule}` | {kinds} | {files} |")
    return "\n".join(lines) + "\n"


def operations(root: Path = ROOT) -> Sequence[Sequence[str]]:
    """Read the authority matrix: operation, area, kind, what it reveals, roles, verbs, login, four eyes."""
    text = (root / PACKAGE / "api/access/authority/rows.sql").read_text(encoding="utf-8")
    found = [_VALUE.findall(row.group(1)) for row in _ROW.finditer(text)]
    return sorted(found, key=lambda row: (row[1], row[0]))


def authority_page(root: Path = ROOT) -> str:
    """Return the text of docs/authority.md: who may call each operation, and what it needs."""
    lines = [_MADE, "# Authority\n"]
    lines += [fill(_AUTHORITY, 110), ""]
    for area, rows in groupby(operations(root), key=lambda row: row[1]):
        lines += [f"## {area}\n", "| Operation | Kind | Reveals | Roles | Verb | Four eyes |"]
        lines.append("|---|---|---|---|---|---|")
        for name, _, kind, reveals, roles, verbs, login, eyes in rows:
            carried = ", ".join(f"`{login}`: `api.{verb}`" for verb in verbs.strip("{}").split(",") if verb)
            shown = ", ".join(f"`{role}`" for role in roles.strip("{}").split(","))
            rule = f"`{eyes}`" if eyes else ""
            lines.append(f"| `{name}` | {kind} | {reveals} | {shown} | {carried} | {rule} |")
        lines.append("")
    return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Table:
    """One table: what it keeps, its columns, the other logins that its machine lets move a row."""

    name: str
    about: str
    columns: Sequence[str]
    movers: Sequence[str]


def tables(root: Path = ROOT) -> Sequence[Table]:
    """Read every table from the schema files, in their order by name."""
    texts = [
        path.read_text(encoding="utf-8")
        for path in sorted((root / PACKAGE).rglob("*.sql"))
        if "migrations" not in path.parts
    ]
    found = machines(root)
    machine_of = {table: machine for text in texts for table, machine in _KEPT.findall(text)}
    read = []
    for text in texts:
        for comment, name, body in _TABLE.findall(text):
            about, movers = _first_sentence(comment), set[str]()
            if machine := machine_of.get(name):
                about = found.about[machine][1]
                movers = {move.role for move in found.moves[machine]} - {name.partition(".")[0]}
            columns = [word for word in _COLUMN.findall(_COMMENT.sub("", body)) if word not in _CLAUSES]
            read.append(Table(name, about, columns, sorted(movers)))
    return sorted(read, key=lambda table: table.name)


def position_groups(root: Path = ROOT) -> Mapping[str, Sequence[str]]:
    """Read which columns of a position each keeper writes, from the trigger that refuses them to others."""
    text = (root / PACKAGE / "engine/gates/position.sql").read_text(encoding="utf-8")
    groups = re.findall(r"case\s+when \(([^)]*)\)\s+is distinct from \([^)]*\)\s+then '(\w+)'", text)
    return {keeper: re.findall(r"new\.(\w+)", columns) for columns, keeper in groups}


def ownership_page(root: Path = ROOT) -> str:
    """Return the text of docs/ownership.md: each table and group of columns with its book and keeper."""
    lines = [_MADE, "# Who owns which data\n", fill(_OWNERSHIP, 110), ""]
    for book, rows in groupby(tables(root), key=lambda table: table.name.partition(".")[0]):
        lines += [f"## {book}\n", f"{_KEEPERS.get(book, f'Keeper: the login `{book}`.')}\n"]
        lines += ["| Table | Keeps | Columns | Moved by others |", "|---|---|---|---|"]
        for table in rows:
            groups: Mapping[str, Sequence[str]] = {"": table.columns}
            if table.name == "engine.position":
                told = position_groups(root)
                taken = {column for columns in told.values() for column in columns}
                groups = {"": [each for each in table.columns if each not in taken], **told}
            for keeper, columns in groups.items():
                about = f"What `{keeper}` says now; it alone writes these." if keeper else table.about
                named = ", ".join(f"`{each}`" for each in columns)
                movers = ", ".join(f"`{each}`" for each in table.movers)
                lines.append(f"| `{table.name}` | {about} | {named} | {movers} |")
        lines.append("")
    return "\n".join(lines)


def _first_sentence(comment: str) -> str:
    told = " ".join(line.removeprefix("--").strip() for line in comment.splitlines())
    return f"{told.partition('. ')[0].rstrip('.')}." if told else ""


def guarantees_page(root: Path) -> str:
    """Return the text of docs/guarantees.md."""
    from scripts import guarantees

    return guarantees.guarantees_page(root, _MADE)


def description_page() -> str:
    """Return the text of docs/openapi.json: every operation, also of parts that need settings."""
    from bookrunner.api import Signing, api

    nobody: Any = SimpleNamespace(endpoint=None, intakes=None, tokens=None, hear=None)
    signing = Signing(lambda: nobody, nobody)
    app = api(nobody, signing=signing, payments=nobody, signatures=nobody, trades=nobody, capital=nobody)
    return json.dumps(app.openapi(), indent=1, sort_keys=True) + "\n"


def pages(root: Path = ROOT) -> Mapping[str, str]:
    """Return the generated pages by their path from the root."""
    return {
        "docs/states.md": states_page(root),
        "docs/refusals.md": refusals_page(root),
        "docs/authority.md": authority_page(root),
        "docs/ownership.md": ownership_page(root),
        "docs/openapi.json": description_page(),
        "docs/guarantees.md": guarantees_page(root),
    }


def main(arguments: Sequence[str]) -> int:
    """Write the pages, or with ``--check`` name those that are stale; return the exit status."""
    stale = [
        name
        for name, text in pages().items()
        if not (ROOT / name).is_file() or (ROOT / name).read_text(encoding="utf-8") != text
    ]
    for name in stale:
        if "--check" not in arguments:
            (ROOT / name).write_text(pages()[name], encoding="utf-8")
        print(name, "is stale" if "--check" in arguments else "written")
    return int(bool(stale) and "--check" in arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
