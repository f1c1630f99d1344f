"""Lines of distributions become orders to the bank: each line in one order, and no payee holds up another."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from bookrunner.core.errors import Refused
from bookrunner.core.ids import new_id
from bookrunner.core.log import warn
from bookrunner.db import Database, Keeper, Row

Write = Callable[[str, Sequence[Row]], bytes]
WriteEntries = Callable[[Sequence[Row], Mapping[str, int]], tuple[bytes, list[dict[str, str]]]]

WORKER: Final = "treasury"
LINES: Final = 2_000
"""Lines in one order at most: what one transaction judges, writes and stores."""


def disbursements(database: Database) -> Keeper:
    """Return the verbs of payments to holders, under the treasury's own login."""
    return Keeper(database, "treasury", "bookrunner.books.treasury.rails.disbursements")


def store_orders(
    database: Database,
    offering: str,
    write: Write,
    *,
    entries: WriteEntries | None = None,
    most: int = LINES,
) -> int:
    """Write and store an order for every owed line of an offer's distributions; return how many orders.

    So for each remittance of withheld tax that two people agreed to.

    ``write`` makes the bytes of an order from its id and its lines, ``entries`` those of a NACHA file from
    lines and numbers; without it, lines whose payee is paid by the ACH stay owed. Whoever may not be paid now
    is held with its reason. A run that ends anywhere is finished by the next one: a line is either owed or in
    an order.
    """
    runs = disbursements(database)
    stored = _store_remittances(runs, offering, write)
    for row in runs.distributions_owed(offering=offering):
        on = offering, row["distribution_id"]
        while (found := _store(runs, on, write, most)) is not None:
            stored += found
        while entries is not None and (found := _store_entries(runs, on, entries, most)) is not None:
            stored += found
    return stored


def _store_remittances(runs: Keeper, offering: str, write: Write) -> int:
    """Store an order for each approved remittance; one that is refused waits and holds up nobody."""
    stored = 0
    for row in runs.remittances_approved(offering=offering):
        remittance = row["remittance_id"]
        try:
            stored += _store_remittance(runs, offering, remittance, write)
        except Refused as refused:
            warn("a remittance waits", offering=offering, subject=remittance, rule=refused.rule)
    return stored


def _store_remittance(runs: Keeper, offering: str, remittance: str, write: Write) -> bool:
    with runs.together() as within:
        line = within.take_remittance(actor=WORKER, offering=offering, remittance=remittance)
        if line is None:
            return False
        payout = new_id("pyo")
        content = write(payout, [line])
        within.store_remittance(
            actor=WORKER, offering=offering, payout=payout, content=content, remittance=remittance
        )
    return True


def _store(runs: Keeper, on: tuple[str, str], write: Write, most: int) -> int | None:
    """Store one order and say so; 0 when everybody who was looked at is held, None when nobody waits."""
    offering, distribution = on
    with runs.together() as within:
        taken = within.take_disbursements(
            actor=WORKER, offering=offering, distribution=distribution, most=most, rail="bank"
        )
        if taken is None:
            return None
        payout = new_id("pyo")
        try:
            content = write(payout, taken) if taken else b""
        except Refused:
            unpayable = [line["refund"] for line in taken if not _writes(write, payout, line)]
            if not unpayable:
                raise
            warn("payees have no account in the book", offering=offering, rows=len(unpayable))
            within.hold_disbursements(
                actor=WORKER, offering=offering, lines=unpayable, because="account_is_not_known"
            )
            taken = [line for line in taken if line["refund"] not in set(unpayable)]
            content = write(payout, taken) if taken else b""
        if not taken:
            return 0
        within.store_disbursements(
            actor=WORKER,
            offering=offering,
            payout=payout,
            content=content,
            lines=[line["refund"] for line in taken],
        )
    return 1


def _writes(write: Write, payout: str, line: Row) -> bool:
    try:
        write(payout, [line])
    except Refused:
        return False
    return True


def _store_entries(runs: Keeper, on: tuple[str, str], write: WriteEntries, most: int) -> int | None:
    """Store one file of entries as `_store` does; who has no account that the network reaches is held."""
    offering, distribution = on
    with runs.together() as within:
        taken = within.take_disbursements(
            actor=WORKER, offering=offering, distribution=distribution, most=most, rail="ach"
        )
        if taken is None:
            return None
        unfit = {line["refund"] for line in taken if not _enters(write, line)}
        if unfit:
            warn("accounts do not fit their rail", offering=offering, rows=len(unfit))
            within.hold_disbursements(
                actor=WORKER, offering=offering, lines=sorted(unfit), because="account_does_not_fit_its_rail"
            )
        fit = [line for line in taken if line["refund"] not in unfit]
        if not fit:
            return 0
        content, entries = write(fit, within.number_entries(actor=WORKER, entries=len(fit)))
        within.store_entries(
            actor=WORKER,
            offering=offering,
            payout=new_id("pyo"),
            content=content,
            entries=json.dumps(entries),
        )
    return 1


def _enters(write: WriteEntries, line: Row) -> bool:
    try:
        write([line], {"first": 1, "file": 1})
    except Refused:
        return False
    return True
