"""``--json`` on every command: one document of what it told, or the problem that it met."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from http import HTTPStatus
from typing import Annotated, Any, Final

import typer
from typer.core import TyperCommand
from typer.main import get_command

from bookrunner.adapters.chain import ChainError
from bookrunner.cli.screen import Told
from bookrunner.core.errors import (
    BookrunnerError,
    ConfigurationError,
    GateClosed,
    NotFound,
    Refused,
    Unavailable,
)
from bookrunner.core.status import status_of

FLAG: Final = "--json"
_END_OF_OPTIONS: Final = "--"


def is_asked_for(arguments: Sequence[str]) -> bool:
    """Say whether a command line asks for JSON; what comes behind ``--`` is no option."""
    options = list(arguments)
    if _END_OF_OPTIONS in options:
        options = options[: options.index(_END_OF_OPTIONS)]
    return FLAG in options


def offer_json(app: typer.Typer) -> None:
    """Give every command of ``app`` and of its groups the option ``--json``."""
    for command in app.registered_commands:
        command.cls = _Command
    for group in app.registered_groups:
        if group.typer_instance is not None:
            offer_json(group.typer_instance)


def write_result(status: int, told: Told) -> None:
    """Write what a command told, with its status, as one document on standard output."""
    print(json.dumps({"status": status, **told.document()}, ensure_ascii=False))


def write_problem(problem: Mapping[str, object], told: Told) -> None:
    """Write a refusal as one document on standard error, with the lines that came before it."""
    lines = {"lines": told.lines} if told.lines else {}
    print(json.dumps({**problem, **lines}, ensure_ascii=False), file=sys.stderr)


def problem_of(error: BookrunnerError) -> dict[str, object]:
    """Return a refusal as the API would answer it (RFC 9457)."""
    from bookrunner.api.problems import gate
    from bookrunner.client import ApiRefused

    if isinstance(error, ApiRefused):
        found: dict[str, object] = error.problem.model_dump(mode="json", exclude_none=True)
        return found
    if isinstance(error, Refused):
        return _problem(status_of(error), error.rule, error.detail) | (
            {"gate": gate(error)} if isinstance(error, GateClosed) else {}
        )
    return _problem(status_of(error), _code_of(error), str(error)) | {"fault": type(error).__name__}


def _code_of(error: BookrunnerError) -> str:
    """Name what a fault that is no refusal leaves undone; ``fault`` beside it is the kind."""
    if isinstance(error, NotFound):
        return "record_exists"
    if isinstance(error, ConfigurationError):
        return "installation_is_ready"
    return "server_can_answer" if isinstance(error, Unavailable | ChainError) else "command_meets_no_fault"


def wrong_usage(sentence: str) -> dict[str, object]:
    """Return wrong usage of a command as a problem."""
    return _problem(HTTPStatus.BAD_REQUEST, "command_is_used_as_it_says", sentence)


def _problem(status: HTTPStatus, code: str, detail: str) -> dict[str, object]:
    return {
        "type": f"urn:bookrunner:refusal:{code}",
        "title": status.phrase,
        "status": int(status),
        "code": code,
        "detail": detail,
    }


class _Command(TyperCommand):
    """A command with the option; `main` reads it before parsing, so that it hears of wrong usage too."""

    def __init__(self, *given: Any, **named: Any) -> None:  # noqa: ANN401 - as Typer has it
        super().__init__(*given, **named)
        self.params.append(_option())


@cache
def _option() -> Any:  # noqa: ANN401 - Typer's own class of options
    probe = typer.Typer(add_completion=False)

    @probe.command()
    def asked(
        *,
        as_json: Annotated[
            bool, typer.Option(FLAG, help="Write one JSON document.", expose_value=False)
        ] = False,
    ) -> None:
        """Stand for the option alone."""

    return get_command(probe).params[0]
