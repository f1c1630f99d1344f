"""The command line: one file per noun, the same words and refusals as the pages."""

from __future__ import annotations

import sys

from bookrunner.cli import demo, keys, offers, proof, setup, simulate
from bookrunner.cli.screen import app, console
from bookrunner.core.errors import BookrunnerError, GateClosed

__all__ = ["app", "main"]

_NOUNS = (demo, keys, offers, proof, setup, simulate)


def main() -> None:
    """Run one command; a refusal is printed by name and ends with status 1."""
    try:
        app(standalone_mode=True)
    except GateClosed as refused:
        console.print(f"[red]refused[/red] {refused.rule}: {refused.act}")
        for missing in refused.missing:
            since = f"{missing.since:%Y-%m-%d %H:%M:%S} UTC"
            console.print(f"  {missing.investment_id}  {missing.condition}  {missing.keeper}  since {since}")
        sys.exit(1)
    except BookrunnerError as error:
        console.print(f"[red]refused[/red] {error}")
        sys.exit(1)


if __name__ == "__main__":
    main()
