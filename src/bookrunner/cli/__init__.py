"""The command line: one file per noun, the same words and refusals as the pages."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from typer.exceptions import TyperException

from bookrunner.app.settings import read_settings
from bookrunner.cli import (
    allocation,
    offers,
    proof,
    setup,
    templates,
    work,
)
from bookrunner.cli.checks import (
    control,
    countries,
    custody,
    erasure,
    identity,
    register,
    restart,
    screening,
    transfers,
)
from bookrunner.cli.offers import documents, issuers, life
from bookrunner.cli.play import bank, demo, parts, simulate
from bookrunner.cli.programs import call, keys, serve
from bookrunner.cli.screen import app, console, marked
from bookrunner.core.errors import BookrunnerError, GateClosed
from bookrunner.core.log import configure

__all__ = ["app", "main"]

WRONG_USAGE = 2

_NOUNS = (
    allocation,
    bank,
    call,
    control,
    countries,
    custody,
    demo,
    documents,
    erasure,
    identity,
    issuers,
    keys,
    life,
    offers,
    parts,
    proof,
    register,
    restart,
    screening,
    serve,
    setup,
    simulate,
    templates,
    transfers,
    work,
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command; a refusal is one line with its name and status 1, wrong usage one line and status 2.

    ``arguments`` are those of the process when they are not given.
    """
    try:
        configure(as_json=read_settings().log_json)
        status = app(arguments, standalone_mode=False) or 0
    except TyperException as wrong:
        marked("usage", _usage(wrong))
        status = WRONG_USAGE
    except GateClosed as refused:
        marked("refused", f"{refused.rule}: {refused.act}")
        for missing in refused.missing:
            since = f"{missing.since:%Y-%m-%d %H:%M:%S} UTC"
            console.print(f"  {missing.investment_id}  {missing.condition}  {missing.keeper}  since {since}")
        status = 1
    except BookrunnerError as error:
        marked("refused", str(error))
        status = 1
    sys.exit(status)


def _usage(wrong: TyperException) -> str:
    context = getattr(wrong, "ctx", None)
    command = context.command_path if context is not None else "bookrunner"
    return f"{wrong.format_message() or 'A command is missing.'} See: {command} --help"


if __name__ == "__main__":
    main()
