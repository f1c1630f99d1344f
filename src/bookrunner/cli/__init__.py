"""The command line: one file per noun, the same words and refusals as the pages."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

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
    buybacks,
    control,
    conversions,
    countries,
    custody,
    erasure,
    identity,
    register,
    restart,
    screening,
    splits,
    transfers,
)
from bookrunner.cli.offers import (
    distributions,
    documents,
    filings,
    issuers,
    life,
    payees,
    reinvestment,
    remittances,
    taxes,
    tokens,
    votes,
)
from bookrunner.cli.offers.debt import coupons, principal
from bookrunner.cli.play import bank, demo, parts, simulate
from bookrunner.cli.programs import call, delegates, keys, machine, providers, serve
from bookrunner.cli.proof import examination, kits, lists, records
from bookrunner.cli.screen import Told, app, console, marked, narrowed
from bookrunner.core.errors import BookrunnerError, GateClosed
from bookrunner.core.log import configure

__all__ = ["app", "main"]

WRONG_USAGE = 2

_NOUNS = (
    allocation,
    bank,
    buybacks,
    call,
    control,
    conversions,
    countries,
    coupons,
    custody,
    delegates,
    demo,
    distributions,
    documents,
    erasure,
    examination,
    filings,
    identity,
    issuers,
    keys,
    kits,
    life,
    lists,
    offers,
    parts,
    payees,
    principal,
    proof,
    providers,
    records,
    register,
    reinvestment,
    remittances,
    restart,
    screening,
    serve,
    setup,
    simulate,
    splits,
    taxes,
    templates,
    tokens,
    transfers,
    votes,
    work,
)

machine.offer_json(app)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command; a refusal is one line with its name and status 1, wrong usage one line and status 2.

    ``arguments`` are those of the process when they are not given. With ``--json`` among them the result is
    one document on standard output, and a refusal one on standard error.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    told = Told() if machine.is_asked_for(given) else None
    console.listen(told)
    try:
        configure(as_json=read_settings().log_json)
        status = narrowed(given)(given, standalone_mode=False) or 0
        if told is not None:
            machine.write_result(status, told)
    except TyperException as wrong:
        sentence = _usage(wrong)
        _refuse(told, machine.wrong_usage(sentence), lambda: marked("usage", sentence))
        status = WRONG_USAGE
    except BookrunnerError as error:
        refused = error
        _refuse(told, machine.problem_of(refused), lambda: _show(refused))
        status = 1
    sys.exit(status)


def _refuse(told: Told | None, problem: dict[str, object], show: Callable[[], None]) -> None:
    if told is None:
        show()
    else:
        machine.write_problem(problem, told)


def _show(error: BookrunnerError) -> None:
    if not isinstance(error, GateClosed):
        marked("refused", str(error))
        return
    marked("refused", f"{error.rule}: {error.act}")
    for missing in error.missing:
        since = f"{missing.since:%Y-%m-%d %H:%M:%S} UTC"
        console.print(f"  {missing.investment_id}  {missing.condition}  {missing.keeper}  since {since}")


def _usage(wrong: TyperException) -> str:
    context = getattr(wrong, "ctx", None)
    command = context.command_path if context is not None else "bookrunner"
    return f"{wrong.format_message() or 'A command is missing.'} See: {command} --help"


if __name__ == "__main__":
    main()
