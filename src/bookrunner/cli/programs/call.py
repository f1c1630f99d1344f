"""The command that makes any call of the API by its operation, and prints what came as JSON."""

from __future__ import annotations

import base64
import json
import os
import re
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import JsonValue, TypeAdapter, ValidationError

from bookrunner.cli.programs.serve import KEY, LOCAL, Clear, Url
from bookrunner.cli.screen import app, console, keep_facts

if TYPE_CHECKING:
    from bookrunner.client import Call, Operation

_BODY: TypeAdapter[JsonValue] = TypeAdapter(JsonValue)


def _named(start: str) -> list[str]:
    from bookrunner.client.generated import OPERATIONS

    return sorted(name for name in OPERATIONS if name.startswith(start))


@app.command("api")
def call_operation(
    operation: Annotated[
        str, typer.Argument(autocompletion=_named, help="An operationId, such as get_investment.")
    ],
    fields: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME=VALUE]...", help="What fills path and query.")
    ] = None,
    *,
    body: Annotated[str | None, typer.Option(help="The body as JSON; - reads it from the input.")] = None,
    version: Annotated[str | None, typer.Option(help="The version of the record that was seen.")] = None,
    once: Annotated[str | None, typer.Option(help="The idempotency key of a write.")] = None,
    url: Url = LOCAL,
    in_the_clear_to: Clear = None,
) -> None:
    """Call any operation of the API under the key in BOOKRUNNER_KEY, and print its answer as JSON."""
    from bookrunner.client import Bookrunner
    from bookrunner.client.generated import OPERATIONS

    known = OPERATIONS.get(operation)
    if known is None:
        raise typer.BadParameter(f"{operation} is no operation of the API", param_hint="OPERATION")
    filled = _filled(known, dict(map(_split, fields or ())), body, version)
    call = replace(filled, idempotency_key=once)
    with Bookrunner(url, os.environ.get(KEY), in_the_clear_to=in_the_clear_to) as api:
        answer = api.content(known, call)
    try:
        read = _BODY.validate_json(answer)
    except ValidationError:
        _hand_over(answer)
        return
    if console.told is None:
        print(json.dumps(read, indent=2, ensure_ascii=False))
    keep_facts(answer=read)


def _hand_over(file: bytes) -> None:
    """Write a file as it came, or in base64 where the command answers in JSON."""
    if console.told is None:
        sys.stdout.buffer.write(file)
    keep_facts(answer_base64=base64.b64encode(file).decode())


def _filled(known: Operation, fields: dict[str, str], body: str | None, version: str | None) -> Call:
    from bookrunner.client import Call, ETag

    needed = re.findall(r"{(\w+)}", known.path)
    if missing := [name for name in needed if name not in fields]:
        raise typer.BadParameter(f"it needs {', '.join(missing)}", param_hint="NAME=VALUE")
    if unknown := [name for name in fields if name not in {*needed, *known.query}]:
        takes = ", ".join((*needed, *known.query)) or "nothing of this kind"
        raise typer.BadParameter(
            f"there is no {', '.join(unknown)}: it takes {takes}", param_hint="NAME=VALUE"
        )
    sent = sys.stdin.read() if body == "-" else body
    try:
        whole = None if sent is None else _BODY.validate_json(sent)
    except ValidationError:
        raise typer.BadParameter("it is no JSON", param_hint="--body") from None
    return Call(
        path={name: fields.pop(name) for name in needed},
        query=dict(fields),
        body=whole,
        if_match=None if version is None else ETag.of(version),
    )


def _split(field: str) -> tuple[str, str]:
    name, equals, value = field.partition("=")
    if not equals:
        raise typer.BadParameter(f"{field} is not NAME=VALUE", param_hint="NAME=VALUE")
    return name, value
