"""The command that serves tools to agents, over the API of a server."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bookrunner.cli.screen import app

if TYPE_CHECKING:
    from mcp.server.mcpserver import Context

Url = Annotated[
    str, typer.Option(envvar="BOOKRUNNER_URL", show_envvar=False, help="Where the server of the API is.")
]
Clear = Annotated[
    str | None, typer.Option(help="A host to which the key may go without TLS; the loopback needs no naming.")
]
LOCAL = "http://127.0.0.1:8360"
KEY = "BOOKRUNNER_KEY"


@app.command("mcp")
def serve_tools(
    *,
    url: Url = LOCAL,
    in_the_clear_to: Clear = None,
    http: Annotated[int, typer.Option(help="Serve streamable HTTP on this port of the loopback.")] = 0,
) -> None:
    """Serve tools to an agent on standard input and output, under the key in BOOKRUNNER_KEY.

    Over HTTP each caller sends a key of its own as bearer token, and this process has none.
    """
    from bookrunner.cli.programs.tools import tools
    from bookrunner.client import Bookrunner

    if http:
        tools(lambda context: Bookrunner(url, _sent(context), in_the_clear_to=in_the_clear_to)).run(
            transport="streamable-http", host="127.0.0.1", port=http, stateless_http=True
        )
    else:
        connect = partial(Bookrunner, url, os.environ.get(KEY), in_the_clear_to=in_the_clear_to)
        tools(lambda _: connect(), Path.cwd()).run(transport="stdio")


def _sent(context: Context) -> str | None:
    """Return the bearer token of the request that a tool is called by."""
    headers = context.headers or {}
    scheme, _, key = headers.get("authorization", "").partition(" ")
    return key if scheme.lower() == "bearer" else None
