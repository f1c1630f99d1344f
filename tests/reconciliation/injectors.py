"""The rows of ``injected.sql``, and what only the chain shows."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.reconciliation.conftest import Books

NOTHING = "'\\x" + "00" * 32 + "'::bytea"
_ROW = re.compile(r"^-- (\w+) \| (\w+) \| (\w+) \| (.+)\n((?:(?!--).+\n)+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Injector:
    """One divergence: the kind and owner of its break, what it is about, its name and its statement.

    ``about`` is ``inv``, ``ivr``, ``address`` or ``offer``.
    """

    kind: str
    owner: str
    about: str
    name: str
    statement: str = ""

    @property
    def chain(self) -> Callable[[Books], dict[str, Any]] | None:
        """What the chain shows, if somebody looks."""
        return CHAIN.get(self.name)


CHAIN: dict[str, Callable[[Books], dict[str, Any]]] = {
    "wallet with other units": lambda books: books.shown(**{books.address(1).hex(): 9}),
    "wallet that is empty": lambda books: books.shown(**{books.address(1).hex(): 0}),
    "units that nobody registered": Books.shown,
    "supply past the agent": lambda books: books.shown() | {"delivered": 99},
}
TABLE = (
    *(
        Injector(*row)
        for row in _ROW.findall(Path(__file__).with_name("injected.sql").read_text(encoding="utf-8"))
    ),
    Injector("units_differ", "registry", "address", "wallet with other units"),
    Injector("registered_not_on_chain", "registry", "address", "wallet that is empty"),
    Injector("supply_is_not_the_control_book", "registry", "offer", "supply past the agent"),
)
