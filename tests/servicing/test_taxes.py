"""Tax documents: the forms of a year are what was paid in it, released by two people, taken by recipients."""

from __future__ import annotations

import csv
import io
import json

import pytest
from pypdf import PdfWriter

from bookrunner.core.errors import Refused, UnknownRecord
from bookrunner.db import Database
from bookrunner.engine import Desk
from bookrunner.engine.life.servicing.taxes import TaxYears, as_csv, as_json
from tests.allocation.test_illegal import every_right
from tests.attack.world import Connect
from tests.servicing.paying import Payer, payer, pool
from tests.servicing.test_distributions import W8
from tests.treasury.escrow import PRICE, refused

YEAR, LAST = 2025, "2025-12-30"
TIERS = ({"kind": "return_of_capital"}, {"kind": "split"})
INCOME = 600_00
STOLEN = {
    "tax_year_stays_as_drafted": "update engine.tax_year set withheld_minor = 0, net_minor = gross_minor",
    "tax_year_needs_two_people": "update engine.tax_year set status = 'released', decided_by = drafted_by",
    "history_is_append_only": "update engine.tax_form set gross_minor = 1",
    "delivered_form_is_released": """insert into engine.tax_delivery
        (offering_id, form_id, delivery_no, taken, sha256, delivered_to)
        select offering_id, form_id, 1, 'data', sha256(''), investor_id from engine.tax_form limit 1""",
}


@pytest.fixture
def world(connect: Connect, database: Database) -> tuple[Payer, TaxYears, str]:
    """Return an offer that paid three holders in a year that is over, all but the last by the bank."""
    w, runs = payer(connect, database)
    w.form(1, form="W-9", name="Example Person", backup_withholding=True)
    w.form(2, **W8)
    distribution = w.ready(runs, pool(6 * PRICE + INCOME, tiers=TIERS))
    runs.start(w.offering, distribution, actor="usr_first")
    lines = w.send(distribution)
    w.call("treasury.settle_disbursements", w.offering, sorted({*lines} - {w.line(3)}), LAST)
    return w, TaxYears(Desk(database)), distribution


def _printed() -> bytes:
    writer, written = PdfWriter(), io.BytesIO()
    writer.add_blank_page(width=200, height=200)
    writer.write(written)
    return written.getvalue()


def _boxes(rows: list[dict[str, object]], n: str) -> dict[tuple[str, str], dict[str, str]]:
    told = json.loads(as_json(rows))
    return {(f["form"], f["boxes"].get("1", "")): f["boxes"] for f in told if f["recipient"] == n}


def test_a_year_is_what_was_paid_in_it(world: tuple[Payer, TaxYears, str]) -> None:
    w, taxes, _ = world
    early = taxes.draft(w.offering, YEAR, actor="usr_first")
    assert _boxes(taxes.forms(w.offering, early), w.id("ivr", 1)) == {
        ("1099-DIV", ""): {"1a": "100.00", "3": "500.00", "4": "24.00"}
    }
    foreign = _boxes(taxes.forms(w.offering, early), w.id("ivr", 2))
    assert foreign["1042-S", "06"] == {
        "1": "06", "10": "30.00", "2": "200.00", "3": "3", "3a": "00", "3b": "15.00", "7a": "30.00",
        "treaty_country": "GB",
    }  # fmt: skip
    assert foreign["1042-S", "37"]["2"] == "1000.00"
    for rule, stolen in STOLEN.items():
        with every_right(w, "engine") as login, refused(rule):
            login.execute(stolen.encode())
    with refused("one_tax_year_stands"):
        w.call("engine.draft_tax_year", w.offering, "txy_twice", YEAR)
    with refused("tax_year_has_its_forms"):
        w.call("engine.draft_tax_year", w.offering, "txy_none", YEAR - 1)
    w.call("treasury.settle_disbursements", w.offering, [w.line(3)], LAST)
    with pytest.raises(Refused, match="forms_sum_to_what_was_paid"):
        taxes.release(w.offering, early, 1, actor="usr_second")
    assert [row["differs"] for row in taxes.years.tax_years(offering=w.offering)] == [1]
    taxes.cancel(w.offering, early, "a payment came later", seen=1, actor="usr_second")
    whole = taxes.draft(w.offering, YEAR, actor="usr_first")
    with every_right(w, "engine") as login, refused("forms_sum_to_what_was_paid"):
        login.execute("set constraints all immediate")
        login.execute(
            """insert into engine.tax_year (offering_id, tax_year_id, status, year, currency, forms,
                gross_minor, withheld_minor, net_minor, drafted_by)
            select offering_id, 'txy_x', 'draft', 2024, currency, forms, gross_minor, withheld_minor,
                net_minor, 'usr_x' from engine.tax_year where status = 'draft'"""
        )
    paid = "select sum(gross_minor), sum(withheld_minor) from engine.distribution_line"
    rows = taxes.forms(w.offering, whole)
    sums = tuple(sum(row[f"{part}_minor"] for row in rows) for part in ("gross", "withheld"))
    assert w.ask(paid) == [sums]
    table = list(csv.DictReader(io.StringIO(as_csv(rows))))
    assert {line["value"] for line in table if line["box"] == "4"} == {"24.00"}
    with pytest.raises(Refused, match="tax_year_needs_two_people"):
        taxes.release(w.offering, whole, 1, actor="usr_first")
    taxes.release(w.offering, whole, 1, actor="usr_second")


def test_a_payment_made_again_in_another_year_is_on_one_released_form(
    world: tuple[Payer, TaxYears, str],
) -> None:
    w, taxes, distribution = world
    before = taxes.draft(w.offering, YEAR, actor="usr_first")
    taxes.release(w.offering, before, 1, actor="usr_second")
    back, earlier = w.line(1), "2024-12-30"
    w.call("treasury.return_disbursement", w.offering, back, "AC04", earlier)
    w.call("treasury.retry_disbursements", w.offering, distribution, [back])
    assert w.send(distribution, "pyo_2") == [back]
    w.call("treasury.settle_disbursements", w.offering, [back], earlier)
    again = taxes.draft(w.offering, YEAR - 1, actor="usr_first")
    with pytest.raises(Refused, match=f"payment_is_on_one_released_form.*{YEAR}, {before}"):
        taxes.release(w.offering, again, 1, actor="usr_second")
    taxes.cancel(w.offering, before, "a payment came back", seen=2, actor="usr_second")
    taxes.release(w.offering, again, 1, actor="usr_second")


def test_a_recipient_takes_its_form_and_that_is_noted(world: tuple[Payer, TaxYears, str]) -> None:
    w, taxes, _ = world
    name = taxes.draft(w.offering, YEAR, actor="usr_first")
    one, two, printed = w.id("ivr", 1), w.id("ivr", 2), _printed()
    (form,) = [row["form_id"] for row in taxes.forms(w.offering, name) if row["investor_id"] == one]
    with pytest.raises(UnknownRecord):
        taxes.take(one, form, "data", actor=one)
    taxes.release(w.offering, name, 1, actor="usr_second")
    with pytest.raises(UnknownRecord):
        taxes.take(two, form, "data", actor=two)
    with refused("delivered_form_is_released"):
        w.call("engine.deliver_tax_form", w.offering, form, two, "data", b"x" * 32)
    with pytest.raises(UnknownRecord):
        taxes.take(one, form, "file", actor=one)
    assert json.loads(taxes.take(one, form, "data", actor=one))[0]["boxes"]["1a"] == "100.00"
    with pytest.raises(Refused, match="file_is_of_a_form_of_the_year"):
        taxes.attach(w.offering, name, {"tfm_of_nobody": printed}, actor="usr_first")
    assert taxes.attach(w.offering, name, {form: printed}, actor="usr_first") == 1
    stolen = STOLEN["delivered_form_is_released"].replace("'data'", "'file'")
    stolen = stolen.replace("limit 1", f"where form_id = '{form}'")
    with every_right(w, "engine") as login, refused("delivered_file_is_the_last_one_kept"):
        login.execute(stolen.encode())
    assert taxes.take(one, form, "file", actor=one) == printed
    logged = "select delivery_no, taken, delivered_to from engine.tax_delivery order by 1"
    assert w.ask(logged) == [(1, "data", one), (2, "file", one)]
    assert w.ask("select viewed_by, purpose from compliance.file_view") == [(one, "delivery of a tax form")]


def test_a_year_that_is_not_over_is_not_released(world: tuple[Payer, TaxYears, str]) -> None:
    w, taxes, _ = world
    ((today,),) = w.ask("select current_date")
    w.call("treasury.settle_disbursements", w.offering, [w.line(3)], today)
    name = taxes.draft(w.offering, today.year, actor="usr_first")
    with pytest.raises(Refused, match="released_year_is_over"):
        taxes.release(w.offering, name, 1, actor="usr_second")
