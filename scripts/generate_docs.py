"""Writes docs/states.md, docs/refusals.md, docs/openapi.json and docs/guarantees.md from what they tell of.

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
from pathlib import Path
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


MOVES = ("transitions.sql", "treasury.sql", "register.sql")


def engine_file(name: str, root: Path = ROOT) -> Path:
    """Return the one file of this name in the engine, whatever folder it is in."""
    (path,) = (root / PACKAGE / "engine").rglob(name)
    return path


def machines(root: Path = ROOT) -> Machines:
    """Read the machines from their rows in the engine."""
    rows: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for name in ("machines.sql", "states.sql", *MOVES):
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


def guarantees_page(root: Path) -> str:
    """Return the text of docs/guarantees.md."""
    from scripts import guarantees

    return guarantees.guarantees_page(root, _MADE)


def description_page() -> str:
    """Return the text of docs/openapi.json: every operation, also of parts that need settings."""
    from bookrunner.api import Signing, api

    nobody: Any = SimpleNamespace(endpoint=None, intakes=None, tokens=None, hear=None)
    signing = Signing(lambda: nobody, nobody)
    app = api(nobody, signing=signing, payments=nobody, signatures=nobody, capital=nobody)
    return json.dumps(app.openapi(), indent=1, sort_keys=True) + "\n"


def pages(root: Path = ROOT) -> Mapping[str, str]:
    """Return the generated pages by their path from the root."""
    return {
        "docs/states.md": states_page(root),
        "docs/refusals.md": refusals_page(root),
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
