"""A changed list answered in the book: claims, scores against the difference, records and positions.

List: OFAC's consolidated list of January 2025, and the same without a hundred of its entries as the version
before. Each holder has a profile, an investment and a clearance of an offer. Names are the clean ones.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Sequence
from datetime import date
from io import BytesIO
from pathlib import Path
from time import perf_counter

from bench import screening_names as clean
from bench.stage import BenchFailed, open_escrow, served
from bookrunner.adapters.screening import EntryKind, recognise
from bookrunner.books.compliance import take_list
from bookrunner.core.ids import new_id
from bookrunner.db import Database
from bookrunner.engine import Desk
from bookrunner.engine.intake import Screening

DATA = Path(__file__).parents[1] / "tests" / "data" / "ofac"
HOLDERS = 10_000
PORTION = 250
SEED = 20_262
GONE = 100
NAME = "CONS_ENHANCED.XML"
OFFERING = "ofr_bench"


def run(full: bool) -> dict[str, object]:
    """Re-screen 1,000 holders, in full 10,000; returns the seconds for 10,000.

    Raises BenchFailed when somebody still waits.
    """
    count = HOLDERS if full else HOLDERS // 10
    whole = whole_list()
    with served() as server:
        database = Database(server.endpoint, max_size=4)
        try:
            desk = Desk(database)
            screening = Screening(desk)
            take(desk, _before(whole))
            started = perf_counter()
            _enter(desk, count)
            screening.drain()
            print(f"{count} holders entered and screened in {perf_counter() - started:.1f} s", flush=True)
            started = perf_counter()
            due = take(desk, whole)
            opened = perf_counter() - started
            answered = screening.drain()
            seconds = perf_counter() - started
            (row,) = desk.compliance.lists_in_force()
        finally:
            database.close()
    if due != count or answered < count or row["waiting"]:
        raise BenchFailed(f"{due} due, {answered} answered, {row['waiting']} wait")
    print(f"{count} holders: list in force after {opened:.1f} s, all answered after {seconds:.1f} s")
    scale = HOLDERS / count
    return {
        "rescreen_book_10k_s": round(seconds * scale, 2),
        "rescreen_book_open_10k_s": round(opened * scale, 2),
        "rescreen_book_holders": count,
    }


def whole_list() -> bytes:
    """Return the list of January 2025."""
    with zipfile.ZipFile(BytesIO((DATA / "CONS_ENHANCED_2025-01.zip").read_bytes())) as archive:
        return archive.read(archive.namelist()[0])


def _before(raw: bytes) -> bytes:
    """Return the list of the month before, in which the last hundred entries did not stand."""
    entries = list(re.finditer(rb"<entity id=.*?</entity>\s*", raw, re.DOTALL))
    shorter = raw[: entries[-GONE].start()] + raw[entries[-1].end() :]
    return re.sub(rb"<dataAsOf>\d{4}-\d{2}-\d{2}", b"<dataAsOf>2024-12-01", shorter, count=1)


def take(desk: Desk, raw: bytes) -> int:
    """Put a list in force; return how many subjects it makes wait."""
    (published,) = recognise({NAME: raw}, published_on=date(2025, 1, 10))
    return take_list(desk.compliance, published, published.read(), actor="bench").due


def _enter(desk: Desk, count: int) -> None:
    terms = {
        "issuer_id": "iss_bench",
        "name": "Bench",
        "exemption": "506(c)",
        "currency": "USD",
        "unit_price_minor": 100,
        "units_total": 10 * count,
        "minimum_units": 1,
    }
    desk.engine.open_offer(actor="issuer", offering=OFFERING, terms=terms)
    for status in ("legal_review", "legal_accepted"):
        desk.engine.move_offer(actor="counsel", offering=OFFERING, status=status)
    desk.engine.name_token(
        actor="issuer", offering=OFFERING, chain_id=1, token=b"\x11" * 20, treasury=b"\x22" * 20
    )
    open_escrow(desk.treasury, OFFERING)
    desk.engine.move_offer(actor="issuer", offering=OFFERING, status="published")
    subjects = clean.subjects(count, SEED)
    holders = [
        (f"ivr_{number:06}", subject.names[0], subject.kind) for number, subject in enumerate(subjects)
    ]
    for start in range(0, count, PORTION):
        _enter_some(desk, holders[start : start + PORTION])


def _enter_some(desk: Desk, holders: Sequence[tuple[str, str, EntryKind]]) -> None:
    with desk.portal.together() as portal:
        portal.open_profile.each(
            {
                "actor": "bench",
                "investor": investor,
                "account": "acc_bench",
                "kind": "individual" if kind is EntryKind.PERSON else "retirement",
                "detail": {
                    "legal_name": name,
                    "country": "US",
                    "address": "1 Example Street",
                    "tax_id": "900000001",
                    "email": "bench@example.org",
                },
            }
            for investor, name, kind in holders
        )
    with desk.engine.together() as engine:
        engine.open_investment.each(
            {
                "actor": "bench",
                "offering": OFFERING,
                "investment": new_id("inv"),
                "investor": investor,
                "units": 1,
            }
            for investor, _, _ in holders
        )
    with desk.compliance.together() as compliance:
        compliance.open_clearance.each(
            {"actor": "bench", "offering": OFFERING, "clearance": new_id("clr"), "investor": investor}
            for investor, _, _ in holders
        )
