"""What the commands share: the terminal, progress bars, tables."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import StringIO
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text
from typer.main import get_command_name
from typer.models import CommandInfo

app = typer.Typer(no_args_is_help=True, help="Run a tokenized offering over five books.")


def narrowed(arguments: Sequence[str]) -> typer.Typer:
    """Return the application with the one noun that a command line begins with, else the whole.

    Typer builds every command before it runs one, which takes longer than most commands do.
    """
    noun = arguments[0] if arguments else ""
    one = typer.Typer(no_args_is_help=True, callback=lambda: None)
    one.registered_commands = [command for command in app.registered_commands if _name_of(command) == noun]
    one.registered_groups = [group for group in app.registered_groups if group.name == noun]
    return one if one.registered_commands or one.registered_groups else app


def _name_of(command: CommandInfo) -> str:
    return command.name or get_command_name(command.callback.__name__ if command.callback else "")


@dataclass
class Told:
    """What a command told: lines, tables, and facts that only a program reads."""

    lines: list[str] = field(default_factory=list)
    tables: list[dict[str, object]] = field(default_factory=list)
    facts: dict[str, object] = field(default_factory=dict)

    def add(self, one: object) -> None:
        """Take in a table by its rows, and anything else by its text."""
        if isinstance(one, Table):
            heads = [str(column.header) for column in one.columns]
            cells = zip(*(map(str, column.cells) for column in one.columns), strict=True)
            rows = [dict(zip(heads, row, strict=True)) for row in cells]
            self.tables.append({"title": str(one.title or ""), "rows": rows})
        else:
            self.lines.append(str(one).strip())

    def document(self) -> dict[str, object]:
        """Return everything as one mapping."""
        return {**self.facts, "lines": self.lines, "tables": self.tables}


class Screen(Console):
    """The terminal; a command that was asked for JSON is heard instead of shown."""

    told: Told | None = None

    def listen(self, told: Told | None) -> None:
        """Keep what is printed from now on in ``told``, or show it where that is None."""
        self.told = told
        self.file = sys.stdout if told is None else StringIO()

    def print(self, *objects: Any, **how: Any) -> None:  # noqa: ANN401 - as Rich has it
        """Show objects, or keep them."""
        if self.told is None:
            super().print(*objects, **how)
            return
        for one in objects:
            self.told.add(one)


# Ids, paths and details are printed as they are: a bracket in one of them is no markup.
console = Screen(highlight=False, markup=False, width=max(Console().width, 110), soft_wrap=False)


def keep_facts(**facts: object) -> None:
    """Add facts to the document of a command that was asked for JSON; on a terminal they are not shown."""
    if console.told is not None:
        console.told.facts |= facts


Report = Callable[[str, int, int], None]

BOOKS = (
    ("profile", "portal"),
    ("compliance", "compliance"),
    ("subscription", "subscription"),
    ("treasury", "treasury"),
    ("registry", "registry"),
)


def marked(word: str, text: str, colour: str = "red") -> None:
    """Print a coloured word and a text as one line, however long; what no terminal can show is escaped."""
    shown = " ".join(text.split()).encode("utf-8", "backslashreplace").decode("utf-8")
    console.print(Text.assemble((word, colour), " ", shown), soft_wrap=True)


def one_name(value: str) -> str:
    """Return an id or name from the command line; one that is not printable text is wrong usage."""
    if not value.isprintable():
        raise typer.BadParameter("it is not printable text")
    return value


@contextmanager
def bars() -> Iterator[Report]:
    """Show one progress bar per part while the block runs."""
    columns = (TextColumn("{task.description:<16}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        tasks: dict[str, Any] = {}

        def report(label: str, done: int, total: int) -> None:
            if label not in tasks:
                tasks[label] = progress.add_task(label, total=total)
            progress.update(tasks[label], completed=done, total=total)

        yield report


def show_counts(counts: Mapping[str, Any]) -> None:
    """Print what each of the five books counts by itself, and how many are missing."""
    table = Table("book", "confirmed", "of", "missing", title="Five books")
    total = counts["investments"]
    for column, book in BOOKS:
        table.add_row(book, str(counts[column]), str(total), str(total - counts[column]))
    console.print(table)


def show_missing(missing: Sequence[Mapping[str, Any]]) -> None:
    """Print each missing condition with its investment, keeper and since when."""
    table = Table()
    for heading in ("investment", "missing condition", "keeper", "since"):
        table.add_column(heading, no_wrap=True)
    for one in missing:
        table.add_row(one["investment"], one["condition"], one["keeper"], one["since"][:19].replace("T", " "))
    console.print(table)


def show_units(units: Mapping[str, Any]) -> None:
    """Print how many units of an offer are reserved, allocated and free."""
    names = ("reserved", "allocated", "free", "oversubscribed", "waiting")
    told = ", ".join(f"{units[f'{name}_units']:,} {name}" for name in names)
    console.print(f"{units['units_total']:,} units: {told}")
