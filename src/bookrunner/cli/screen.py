"""What the commands share: the terminal, progress bars, tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

app = typer.Typer(no_args_is_help=True, help="Run a tokenized offering over five books.")
# Ids, paths and details are printed as they are: a bracket in one of them is no markup.
console = Console(highlight=False, markup=False, width=max(Console().width, 110), soft_wrap=False)

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
