"""The kit to leave with: a bundle of everything that ever was, in which each register stands as open files.

Whoever leaves needs no program of ours: tables are CSV and JSON, registers Open Cap Table Format and CSV,
agreements and statements PDF, the history lines of JSON with a verifier that Python alone runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC
from pathlib import Path
from typing import Any, Final

from bookrunner.adapters.documents import Typesetter
from bookrunner.app.examination.bundle import Asked, Bundle, Folder, Kind, Listed, examine
from bookrunner.app.examination.reading import EVER, read_kit
from bookrunner.books import registry
from bookrunner.core import clock
from bookrunner.core.errors import Refused
from bookrunner.db import Database, Keeper

FORMAT: Final = "bookrunner/kit/1"
SHOWN: Final = (
    "legal_name",
    "country",
    "address",
    "email",
    "representative",
    "lei",
    "tax_id",
    "birth_date",
)
TOTALS: Final = ("authorised_units", "issued_units", "register_units", "posted_units", "lot_units")

Issuers = Mapping[str, registry.Described]


def take_kit(
    database: Database, press: Typesetter, taken: tuple[str, str], target: Path, *, issuers: Issuers
) -> Bundle:
    """Write the kit to an empty folder, or to a new file that ends in ``.zip``.

    ``taken`` is by whom and what for; ``issuers`` says of each issuer with a register what the open format
    asks and the books do not keep. The kit has personal numbers in clear: each look at them is on record, and
    who holds the file answers for it. Refuses ``kit_describes_each_issuer``, what `examine` refuses, and
    ``kit_agrees_with_its_history`` where units moved meanwhile: nothing stands at the target, take it again.
    """
    actor, purpose = taken
    offers = _registered(database)
    lost = sorted({issuer for _, issuer, _ in offers} - issuers.keys())
    if lost:
        raise Refused("kit_describes_each_issuer", f"nothing is said of {', '.join(lost)}")

    def add(database: Database, press: Typesetter, folder: Folder) -> Mapping[str, Listed]:
        begin = len(folder.files)
        keeper = registry.keeper(database)
        for offering, issuer, name in offers:
            _register(keeper, (offering, issuers[issuer]), folder)
            _statements(keeper, press, (offering, name, actor), folder)
        return {"registers": folder.files[begin:]}

    asked = Asked(EVER, clock.now(), actor, purpose)
    return examine(database, press, asked, target, kind=Kind(FORMAT, SHOWN, add, read_kit))


def _registered(database: Database) -> Sequence[tuple[str, str, str]]:
    """Return offering, issuer and name of each offer that has a control book."""
    offers: list[Any] = list(Keeper(database, "engine", "bookrunner.engine").offers())
    keeper = registry.keeper(database)
    return [
        (row["offering_id"], row["issuer_id"], row["name"])
        for row in offers
        if keeper.balance(offering=row["offering_id"]) is not None
    ]


def _register(keeper: Keeper, of: tuple[str, registry.Described], folder: Folder) -> None:
    offering, described = of
    home, now = f"registers/{offering}", clock.now().astimezone(UTC)
    folder.write(f"{home}/register.ocf.zip", registry.export_package(keeper, offering, described, now))
    lots = registry.export_csv(keeper, offering)
    folder.write(f"{home}/lots.csv", lots.encode(), lots.count("\n") - 1)
    holders = registry.register_csv(keeper, offering, clock.today())
    folder.write(f"{home}/holders.csv", holders.encode(), holders.count("\n") - 1)
    balance = keeper.balance(offering=offering)
    folder.table(f"{home}/totals", [{name: balance[name] for name in TOTALS}])


def _statements(keeper: Keeper, press: Typesetter, of: tuple[str, str, str], folder: Folder) -> None:
    offering, name, actor = of
    day = clock.today()
    for row in keeper.register_as_of(offering=offering, day=day):
        on = (offering, row["holding_id"], day)
        _, made = registry.issue_statement(keeper, press, on, actor=actor, offer_name=name)
        folder.write(f"registers/{offering}/statements/{row['holding_id']}.pdf", made.content)
