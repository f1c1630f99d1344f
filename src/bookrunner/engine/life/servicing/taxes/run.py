"""A tax year from its draft to its delivery: every rule is the database's."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

from bookrunner.books import compliance
from bookrunner.core.errors import Refused, UnknownRecord
from bookrunner.core.ids import new_id
from bookrunner.core.log import tell
from bookrunner.db import Keeper, Row
from bookrunner.engine.desk import Desk
from bookrunner.engine.life.servicing.taxes.forms import as_json


class TaxYears:
    """What the engine knows of tax documents."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.years = Keeper(desk.database, "engine", "bookrunner.engine.life.servicing.taxes")

    def draft(self, offering: str, year: int, *, actor: str) -> str:
        """Draft the forms of a year from what was paid in it; return the id of the draft.

        Refuses ``tax_year_has_its_forms`` where nothing was paid, and ``one_tax_year_stands``.
        """
        name = new_id("txy")
        self.years.draft_tax_year(actor=actor, offering=offering, tax_year=name, year=year)
        tell("a tax year is drafted", offering=offering, subject=name)
        return name

    def release(self, offering: str, name: str, seen: int | None, *, actor: str) -> None:
        """Release a year as another person than who drafted it.

        Refuses ``tax_year_needs_two_people``, ``forms_sum_to_what_was_paid``, ``released_year_is_over`` and
        ``payment_is_on_one_released_form`` where the forms of another released year count a payment of it.
        """
        decided = {"offering": offering, "tax_year": name, "is_released": True, "because": None}
        self.years.decide_tax_year(actor=actor, **decided, seen=seen)
        tell("a tax year is released", offering=offering, subject=name)

    def cancel(self, offering: str, name: str, because: str, *, seen: int | None, actor: str) -> None:
        """End a year, so that another draft takes its place; refuses ``cancelled_tax_year_says_why``."""
        decided = {"offering": offering, "tax_year": name, "is_released": False, "because": because}
        self.years.decide_tax_year(actor=actor, **decided, seen=seen)

    def attach(self, offering: str, name: str, files: Mapping[str, bytes], *, actor: str) -> int:
        """Keep printed forms, PDFs by the ids of their forms, sealed for each recipient; return how many.

        Refuses ``file_is_of_a_form_of_the_year`` before any is kept, ``delivered_form_is_released`` and what
        `bookrunner.books.compliance.keep_paper` refuses.
        """
        known = {row["form_id"]: row for row in self.forms(offering, name)}
        strange = sorted(set(files) - set(known))
        if strange:
            raise Refused("file_is_of_a_form_of_the_year", f"{strange[0]} is no form of {name}")
        for form, content in sorted(files.items()):
            keeper, investor = self._desk.compliance, known[form]["investor_id"]
            digest = compliance.keep_paper(keeper, investor, content, actor=actor)
            self.years.attach_tax_file(actor=actor, offering=offering, form=form, sha256=digest)
        return len(files)

    def forms(self, offering: str, name: str) -> list[Row]:
        """Return the forms of a year by recipient."""
        rows: list[Row] = self.years.tax_forms(offering=offering, tax_year=name)
        return rows

    def take(self, investor: str, form: str, taken: str, *, actor: str) -> bytes:
        """Return the ``data`` or the ``file`` of a form to its recipient; the delivery is recorded first.

        Raises UnknownRecord ``tax_form_exists`` for a form that is not its own, not released or has no file.
        """
        rows = self.years.own_tax_forms(investor=investor)
        row = next((found for found in rows if found["form_id"] == form), None)
        if row is None or (taken == "file" and row["file_sha256"] is None):
            raise UnknownRecord("tax_form_exists", "there is no such form of yours")
        where = {"actor": actor, "offering": row["offering_id"], "form": form, "investor": investor}
        if taken == "data":
            content = as_json([row]).encode()
            self.years.deliver_tax_form(**where, taken=taken, sha256=sha256(content).digest())
            return content
        digest = bytes(row["file_sha256"])
        self.years.deliver_tax_form(**where, taken=taken, sha256=digest)
        keeper, purpose = self._desk.compliance, "delivery of a tax form"
        return compliance.view_file(keeper, investor, digest, actor=actor, purpose=purpose)
